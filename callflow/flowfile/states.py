"""One state: its node -> `State`, with everything in it read and checked."""

from __future__ import annotations

from typing import Any, Literal

from callflow.core.expressions import TEXT, Template
from callflow.core.flow import ROOT, Acceptance, Field, Quiet, Row, State, Task, TimerRow, Transition
from callflow.flowfile import declarations as declared
from callflow.flowfile import keys
from callflow.flowfile.accepting import acceptances
from callflow.flowfile.actions import action_list
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, shorten
from callflow.flowfile.outline import Draft, find, missing_target
from callflow.flowfile.part import Part
from callflow.flowfile.report import join, notes
from callflow.flowfile.rows import RowReader
from callflow.flowfile.values import any_value, typed_map

TimerKind = Literal["after", "every", "silence"]
TIMERS: tuple[TimerKind, ...] = ("after", "every", "silence")


class Rows:
    """The rows of a state, from its own node and from the top of its sub-flow's file."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.timers: list[TimerRow] = []
        self.always: tuple[Transition, ...] = ()

    def read(self, reader: RowReader, node: MappingNode, where: str) -> None:
        on = None
        for name, (_, value) in node.entries.items():
            if name == "on":
                self.rows += reader.events(value, join(where, name))
                on = value if isinstance(value, MappingNode) else None
            elif name == "ignore":
                ties = node.get("on")
                self.rows += reader.ignored(value, join(where, name), ties if isinstance(ties, MappingNode) else on)
            elif name == "always" and where:  # at the top of a file it is an unknown key
                self.always += reader.always(value, join(where, name))
        for kind in TIMERS:
            timer = node.get(kind)
            if timer is not None:
                self.timers += reader.timers(kind, timer, join(where, kind), len(self.timers))


def build_state(draft: Draft, must_finish: bool) -> State:
    """The state of a draft. Adds its transitions to the load's."""
    part, node, where = draft.part, draft.node, draft.where
    entries = node.entries
    rows = Rows()
    rows.read(RowReader(draft, part), node, where)
    if draft.inside is not None:
        rows.read(RowReader(draft, draft.inside), draft.inside.root, "")
    plain = part.plain
    position = part.position(draft.key, where)
    children = tuple(child.path for child in draft.children.values())
    if not entries:
        return State(
            draft.path,
            draft.name,
            draft.kind,
            _parent(draft),
            scope=part.scope,
            position=position,
            must_finish=must_finish,
        )
    initial, history = _initial(draft), None
    if draft.kind == "history":
        history = part.choice(node.get("history"), join(where, "history"), "`history`", ("shallow", "deep"))
        _check_history(draft)
    elif draft.kind == "final" and draft.parent is not None and draft.parent.kind == "parallel":
        message = "a region of a parallel state is no final state: there is nothing in it to finish"
        part.defect("bad-parallel", message, draft.key, where, "put the final state inside the region")
    entry, leave = entries.get("entry"), entries.get("exit")
    instructions = entries.get("instructions")
    return State(
        path=draft.path,
        name=draft.name,
        kind=draft.kind,
        parent=_parent(draft),
        children=children,
        initial=initial,
        entry=action_list(part, entry[1], join(where, "entry"), plain, "`entry`") if entry else (),
        exit=action_list(part, leave[1], join(where, "exit"), plain, "`exit`") if leave else (),
        rows=tuple(rows.rows),
        timers=tuple(rows.timers),
        always=rows.always,
        tools=_tools(draft) if "tools" in entries else (),
        instructions=_template(part, instructions[1], join(where, "instructions")) if instructions else None,
        must_finish=_must_finish(draft) or must_finish,
        waits=(part.text(node.get("waits"), join(where, "waits"), "`waits`") or "") if "waits" in entries else "",
        quiet=_quiet(draft),
        accept=_accepted(draft),
        history=history,  # type: ignore[arg-type] # one of the two, or None
        returns=_returns(draft) if "returns" in entries else {},
        task=_task(draft) if "task" in entries else None,
        subflow=draft.path if draft.inside is not None else None,
        arguments=_with(draft) if draft.inside is not None else {},
        scope=part.scope,
        description=_description(draft) if "description" in entries else "",
        position=position,
        supplied=draft.supplied,
        notes=notes(node),
    )


def _description(draft: Draft) -> str:
    node = draft.node.get("description")
    return draft.part.text(node, join(draft.where, "description"), "`description`") or ""


def _must_finish(draft: Draft) -> bool:
    node = draft.node.get("must_finish")
    return node is not None and bool(draft.part.boolean(node, join(draft.where, "must_finish"), "`must_finish`"))


def _quiet(draft: Draft) -> Quiet | None:
    """A sub-flow's own limit stands inside that of its host."""
    inside = draft.inside
    within = None if inside is None else declared.quiet(inside, inside.root.get("limits"), "limits")
    entry = draft.node.entries.get("limits")
    mine = declared.state_limits(draft.part, entry[1], join(draft.where, "limits")) if entry else None
    return within or mine


def _accepted(draft: Draft) -> tuple[Acceptance, ...]:
    entry, inside = draft.node.entries.get("accept"), draft.inside
    mine = acceptances(draft.part, entry[1], join(draft.where, "accept")) if entry else ()
    return mine if inside is None else (*mine, *acceptances(inside, inside.root.get("accept"), "accept"))


def _parent(draft: Draft) -> str | None:
    return None if draft.parent is None else draft.parent.path


def _initial(draft: Draft) -> str | None:
    """Where the state begins: a path."""
    part, node, where = draft.part, draft.node, join(draft.where, "initial")
    if draft.inside is not None:
        part, node, where = draft.inside, draft.inside.root.get("initial"), "initial"  # type: ignore[assignment]
        return initial_of(draft, part, node, where)
    if draft.kind == "compound":
        return initial_of(draft, part, node.get("initial"), where)
    if draft.kind == "history" and draft.parent is not None:
        given = node.get("initial")
        if given is not None:
            return initial_of(draft.parent, part, given, where)
        if draft.parent.kind == "compound" and draft.parent.inside is None:
            first = draft.parent.node.get("initial")
            return initial_of(draft.parent, part, first, where, quiet=True)
    return None


def initial_of(outer: Draft, part: Part, node: Node | None, where: str, quiet: bool = False) -> str | None:
    """The inner state of `outer` that a node names, for the states of `part`."""
    if node is None:
        return None
    if (
        isinstance(node, Scalar)
        and part.lost(node.text)
        and (node.value != node.text or node.text not in outer.children)
    ):
        return None
    name = None if quiet and not isinstance(node, Scalar) else part.text(node, where, "`initial`")
    if name is None:
        return None
    first, _, _ = name.partition(".")
    found = find(outer, part, name) if first in outer.children else None
    if found is None:
        written = outer.path != ROOT or isinstance(part.root.get("states"), MappingNode)
        if not quiet and written:  # a file without states has said so
            hint = part.meant(
                name, [child for child, draft in outer.children.items() if draft.part.scope == part.scope]
            )
            whose = f"inside `{outer.name}`" if outer.name and outer.inside is not part else "at the top level"
            hint = hint or missing_target(outer, part, name)
            part.defect("unknown-target", f"there is no state `{shorten(name)}` {whose}", node, where, hint)
        return None
    if found.kind == "history" and not quiet:
        part.defect(
            "bad-history", "`initial` names a state, not a history of one", node, where, "name the state itself"
        )
    return found.path


def _check_history(draft: Draft) -> None:
    parent = draft.parent
    if parent is None or parent.path == ROOT or parent.inside is draft.part:
        message = "a history state stands inside the state whose last inside it remembers"
        draft.part.defect("bad-history", message, draft.key, draft.where, "put it under the `states` of that state")


def _template(part: Part, node: Node, where: str) -> Template | None:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return part.template(node, part.plain, where, TEXT)
    part.text(node, where, "`instructions`")
    return None


def _tools(draft: Draft) -> tuple[str, ...]:
    part, where = draft.part, join(draft.where, "tools")
    found = []
    for number, (name, item) in enumerate(part.words(draft.node.get("tools"), where, "`tools`")):
        tool = part.tools.get(name)
        place = f"{where}[{number}]"
        if tool is None:
            hint = part.meant(name, part.tools) or "declare it under `tools:`, with a description"
            if name.startswith("tool.") and name[5:] in part.tools:
                hint = f"write {name[5:]}"
            part.defect("unknown-tool", f"there is no tool `{shorten(name)}`", item, place, hint)
        elif tool.own:
            message = f"`{shorten(name)}` is the agent's own tool: the agent offers it, not a state"
            part.defect("bad-value", message, item, place, "take it out, or take `own: true` away")
        else:
            found.append(name)
    return tuple(found)


def _returns(draft: Draft) -> dict[str, Any]:
    part, where = draft.part, join(draft.where, "returns")
    outer = draft.parent
    if outer is None or not (outer.path == ROOT or outer.inside is part):
        message = "`returns` goes with a final state at the top of a file, which ends the sub-flow"
        part.defect("bad-final", message, draft.node.entries["returns"][0], where, "take it out")
        return {}
    mapping = part.mapping(draft.node.get("returns"), where, "`returns`")
    found = {}
    for name, (key, value) in mapping.entries.items() if mapping else ():
        if not name.startswith("x-") and part.check_name(key, join(where, name), "what is returned"):
            found[name] = any_value(part, value, join(where, name), part.plain)
    return found


def _task(draft: Draft) -> Task | None:
    part, where = draft.part, join(draft.where, "task")
    key, node = draft.node.entries["task"]
    arguments: Any = {}
    if isinstance(node, MappingNode):
        part.unknown_keys(node, where, keys.TASK, keys.TASK, "`task`")
        if "name" not in node.entries:
            part.defect("missing-key", "`task` needs a `name`", key, where, "write `task: {name: …}`")
            return None
        given = node.get("arguments")
        if given is not None:
            inner = part.mapping(given, join(where, "arguments"), "`arguments`")
            arguments = any_value(part, inner, join(where, "arguments"), part.plain) if inner else {}
        node = node.entries["name"][1]
    name = part.text(node, where, "`task`")
    if name is None:
        return None
    part.loading.tasks.add(name)
    return Task(name, arguments, part.position(key, where))


def _with(draft: Draft) -> dict[str, Any]:
    """The values of a sub-flow's variables, in the host's own words."""
    inside = draft.inside
    assert inside is not None  # noqa: S101 - the caller has looked
    fields = {
        name: Field(name, variable.type, required=variable.required) for name, variable in inside.variables.items()
    }
    entry = draft.node.entries.get("with")
    where = join(draft.where, "with")
    owner = entry[0] if entry else draft.node.entries["flow"][0]
    what = f"the sub-flow `{inside.flow_name}`"
    return typed_map(draft.part, entry[1] if entry else None, fields, where, what, draft.part.plain, owner)
