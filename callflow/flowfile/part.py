"""One flow file in its place: the main flow, or a sub-flow inside its host. What its names mean, and its expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from callflow.core.actions import OUTCOMES, VERBS
from callflow.core.events import (
    CALL_FIELDS,
    DIGITS,
    EVENTS,
    LEG_EVENTS,
    MAIN_LEG,
    STATE_EVENTS,
    WRAP_UP_FIELDS,
)
from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    TEXT,
    TIME,
    Expression,
    ExpressionError,
    Names,
    OneOf,
    Record,
    Template,
    Type,
    compile_address,
    compile_guard,
    compile_path,
    compile_template,
)
from callflow.core.flow import ROOT, Action, Field, PythonAction, Scope, State, Tool, Transition, Variable
from callflow.core.statechart.descriptors import Events, is_wild, matches
from callflow.errors import Defect
from callflow.flowfile.elsewhere import event_meant
from callflow.flowfile.eventless import cure
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Place, Scalar, shorten
from callflow.flowfile.report import Report, Suggestions, is_name

CALL = Record({name: kind for name, (kind, _) in CALL_FIELDS.items()})
"""What an expression may read of the call: `call.id`, `call.number`, …"""

CALL_AT_THE_END = Record({**CALL.fields, **{name: kind for name, (kind, _) in WRAP_UP_FIELDS.items()}})
"""In `wrap_up`: with the transcript and the record as well."""

ALWAYS_THERE: Mapping[str, Type] = {"time": TIME, "name": TEXT}
"""What every event has; a field of its payload with this name wins."""

SENT: Mapping[str, Type] = {"sender": TEXT}
"""What every event of an author's own has that was sent; a field of its payload with this name wins."""

NO_NAMES = Names()

TIMER = Record(dict(ALWAYS_THERE), kind="a timer")


class Mention:
    """A name that is used before it is known whether somebody makes it: a leg, an event of the author's own."""

    def __init__(self, name: str, part: Part, node: Place, path: str, what: str = "") -> None:
        self.name = name
        self.part = part
        self.node = node
        self.path = path
        self.what = what


class Loading:
    """What all files of one load share, and what becomes the flow."""

    def __init__(self, defects: list[Defect]) -> None:
        self.defects = defects
        self.suggestions = Suggestions()
        self.files: dict[str, tuple[MappingNode | None, str]] = {}  # sub-flows that were read, with their text
        self.instances = 0
        self.states: dict[str, State] = {}
        self.transitions: list[Transition] = []
        self.scopes: dict[str, Scope] = {}
        self.tools: dict[str, Tool] = {}
        self.events: dict[str, Mapping[str, Field]] = {}
        self.outcomes: set[str] = set(OUTCOMES)
        self.tasks: set[str] = set()
        self.agents: set[str] = set()
        self.legs: set[str] = {MAIN_LEG}  # the far end, and those that the flow calls
        self.parties: dict[str, str | Template] = {}  # those that come by themselves, and how they are told
        self.senders: dict[str, Any] = {}  # as `parties.senders` reads them
        self.leg_mentions: list[Mention] = []
        self.emitted: set[str] = set()
        self.heard: list[Mention] = []
        self.undeclared: dict[str, Mapping[str, Field]] = {}  # events that a flow without `events:` listens to
        self.own_tools: dict[str, Tool] = {}  # tools that it listens to and does not declare: the agent's
        self.agent_leaves: list[Mention] = []  # `hang_up: {for: agent}`
        self.staying: dict[int, Mention] = {}  # by transition: rows under `always` with nothing but a `do`
        self.parts: list[Part] = []  # every file in each of its places, the main one first


class Part(Report):
    """`scope` is the path of the host (`""`: the main flow), `folder` where `use:` looks, `chain` the files around it, as they are called."""

    def __init__(
        self,
        loading: Loading,
        file: str,
        root: MappingNode,
        scope: str = ROOT,
        folder: str = "",
        chain: tuple[str, ...] = (),
        source: str = "",
    ) -> None:
        super().__init__(file, loading.defects, loading.suggestions)
        self.loading = loading
        self.root = root
        self.scope = scope
        self.folder = folder
        self.chain = chain
        self.source = source
        self.flow_name = ""
        self.variables: dict[str, Variable] = {}
        self.results: dict[str, Type] = {}
        self.env: Mapping[str, Node] = {}
        self.outcomes: Mapping[str, Node] = {}
        self.events: Mapping[str, Mapping[str, Field]] = {}
        self.python: Mapping[str, PythonAction] = {}
        self.tools: dict[str, Tool] = {}
        self.uses: dict[str, tuple[Scalar, Node]] = {}
        self.used: set[str] = set()
        self.refused: set[str] = set()  # states that have a defect of their own instead
        self.unread = False  # whether there are states that could not be read at all
        self.plain = NO_NAMES
        self.lists: dict[int, tuple[Action, ...]] | None = None  # that were read before, by the identity of their nodes
        self._names: dict[int, Names] = {}
        self._payloads: dict[str, Record] = {}  # of tools, and of patterns of its own events
        self._own: Events | None = None  # the names of those
        self._kept: list[Names] = []
        self._compiled: dict[tuple[str, int, Type | None], Expression | Template] = {}

    def lost(self, name: str) -> bool:
        """Whether a state may be missing only because something is wrong where it stands, which has been told there."""
        return self.unread or not self.refused.isdisjoint((name, *name.split(".")))

    # -- expressions

    def declare(self) -> None:
        """Fixes what expressions may read, once variables and environment are known."""
        known = {name: variable.type for name, variable in self.variables.items()}
        self.plain = Names(vars=Record({**known, **self.results}), call=CALL, env=Record(dict.fromkeys(self.env, TEXT)))

    def declare_outcomes(self) -> None:
        """Fixes what `call.outcome` may be, once all files have declared theirs."""
        outcome = OneOf(*sorted(self.loading.outcomes))
        self.plain = evolve(self.plain, call=Record({**CALL.fields, "outcome": outcome}))

    def names(self, event: Record | None) -> Names:
        """What an expression may read where `event` is what happened (None: in a list without one)."""
        if event is None:
            return self.plain
        found = self._names.get(id(event))
        if found is None:
            plain = self.plain
            found = self._names[id(event)] = Names(event, plain.vars, plain.call, plain.env, plain.state, plain.others)
        return found

    def keep(self, names: Names) -> Names:
        """Keeps names of one place alive: what is compiled is remembered by their identity."""
        self._kept.append(names)
        return names

    def template(self, node: Scalar, names: Names, path: str, expect: Type | None = None) -> Template | None:
        """The template in a node's text, None and its defects where it is wrong."""
        source = node.text
        found = self._compiled.get((source, id(names), expect))
        if found is None:
            try:
                found = self._compiled[source, id(names), expect] = compile_template(source, names, expect)
            except ExpressionError as error:
                self._problems(error, node, path)
                return None
        return found  # type: ignore[return-value] # a guard's key has no type of its own

    def address(self, node: Scalar, names: Names, path: str) -> Template | str | None:
        """Where a request goes, None and its defects where it is wrong."""
        try:
            found = compile_address(node.text, names)
        except ExpressionError as error:
            self._problems(error, node, path)
            return None
        return str(found.value) if found.constant else found

    def file_path(self, node: Scalar, names: Names, path: str) -> Template | None:
        """The path of a file that is rendered, None and its defects where it is wrong."""
        try:
            return compile_path(node.text, names)
        except ExpressionError as error:
            self._problems(error, node, path)
            return None

    def guard(self, node: Node, names: Names, path: str) -> Expression | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            if isinstance(node, Scalar) and isinstance(node.value, bool):
                hint = "leave the row out" if not node.value else "leave `when` out"
                self.defect("wrong-kind", f"`when` takes an expression; {node.text} is always so", node, path, hint)
            else:
                self.wrong_kind(node, path, "`when` takes an expression")
            return None
        source = node.value
        if source.startswith("{{") and source.endswith("}}") and source.count("{{") == 1:
            hint = f"write {source[2:-2].strip()}"
            self.defect("bad-expression", "`when` is an expression already: it takes no braces", node, path, hint)
            return None
        found = self._compiled.get((source, id(names), BOOLEAN))
        if found is None:
            try:
                found = self._compiled[source, id(names), BOOLEAN] = compile_guard(source, names)
            except ExpressionError as error:
                self._problems(error, node, path)
                return None
        return found  # type: ignore[return-value] # guards hold no braces, templates do

    def _problems(self, error: ExpressionError, node: Scalar, path: str) -> None:
        for problem in error.problems:
            at = _inside(node, problem.offset, problem.length)
            hint = cure(self.root, path) if problem.code == "no-event" else problem.hint
            self.defect(problem.code, problem.message, at, path, hint)

    # -- events

    def payload(self, pattern: str, node: Scalar, path: str) -> Record | None:
        """The fields of an event, or those that all events of a pattern share; None, and a defect, for no event at all."""
        found = _PAYLOADS.get(pattern)
        if found is not None:
            return found
        entry = EVENTS.get(pattern)
        if entry is not None:
            found = _record(entry.fields, pattern)
        elif pattern.startswith("tool."):
            return self._tool_payload(pattern, node, path)
        elif pattern.startswith("app."):
            return self._own_payload(pattern, node, path)
        elif pattern.startswith("leg."):
            return self._leg_payload(pattern, node, path)
        elif is_wild(pattern):
            sorts = [
                event.fields for name, event in EVENTS.items() if matches(pattern, name) and name not in STATE_EVENTS
            ]
            if sorts:
                found = _record(_shared(sorts), pattern)
        if found is None:
            self._unknown_event(pattern, node, path)
            return None
        _PAYLOADS[pattern] = found
        return found

    def _tool_payload(self, pattern: str, node: Scalar, path: str) -> Record | None:
        if pattern == "tool.*":
            return _record({}, pattern)
        found = self._payloads.get(pattern)
        if found is not None:
            return found
        tool = self.tools.get(pattern[5:])
        if tool is None:
            if is_wild(pattern) and any(matches(pattern, f"tool.{name}") for name in self.tools):
                return _record({}, pattern)
            name = pattern[5:]
            hint = self.meant(name, self.tools)
            if not hint and is_name(name):
                tool = self.loading.own_tools.get(name)
                if tool is None:
                    tool = Tool(name, "", {}, None, None, self.position(node, path), own=True)
                    self.loading.own_tools[name] = tool
                return tool_record(tool)
            self.defect(
                "unknown-tool", f"there is no tool `{shorten(name)}`", node, path, hint or "declare it under `tools:`"
            )
            return None
        unsure = f"tools.{tool.name}.parameters" in self.broken
        found = self._payloads[pattern] = tool_record(tool, unsure)
        return found

    def _own_payload(self, pattern: str, node: Scalar, path: str) -> Record | None:
        if is_wild(pattern):
            found = self._payloads.get(pattern)
            if found is None:
                if self._own is None:
                    self._own = Events(self.events)
                sorts = [{**SENT, **_types(self.events[name])} for name in self._own.named(pattern)]
                if not sorts:
                    self.loading.heard.append(Mention(pattern, self, node, path, "app"))
                    return _record(SENT, pattern)
                found = self._payloads[pattern] = _record(_shared(sorts), pattern)
            return found
        declared = self.events.get(pattern)
        if declared is None:
            self.loading.heard.append(Mention(pattern, self, node, path, "app"))
        return _record({**SENT, **_types(declared or {})}, pattern)

    def _leg_payload(self, pattern: str, node: Scalar, path: str) -> Record | None:
        _, _, rest = pattern.partition(".")
        leg, _, event = rest.partition(".")
        if leg == MAIN_LEG:
            name = event if event.startswith("dtmf") else f"call.{event}"
            self.defect(
                "unknown-event", "the main leg's events are `call.…` and `dtmf.…`", node, path, f"write `{name}`"
            )
            return None
        if leg == "*" or not event:
            if leg != "*":
                self._unknown_event(pattern, node, path)
                return None
            return _record({"leg": TEXT}, pattern)
        self.loading.leg_mentions.append(Mention(leg, self, node, path))
        sorts = [entry.fields for name, entry in LEG_EVENTS.items() if matches(event, name) or event == "*"]
        if not sorts:
            hint = self.meant(event, LEG_EVENTS) or "a leg has: " + ", ".join(
                name for name in LEG_EVENTS if "." not in name
            )
            self.defect("unknown-event", f"a leg has no event `{shorten(event)}`", node, path, hint)
            return None
        return _record(_shared(sorts), pattern)

    def _unknown_event(self, pattern: str, node: Scalar, path: str) -> None:
        shown = shorten(pattern)
        if is_wild(pattern):
            message = f"no event begins with `{shown[:-1]}`"
        elif "*" in pattern:
            message = f"`{shown}` is no event: a pattern ends in `.*` or `-*`, and has no other `*`"
        else:
            message = f"there is no event `{shown}`"
        self.defect("unknown-event", message, node, path, self._meant_event(pattern))

    def _meant_event(self, pattern: str) -> str:
        family, _, rest = pattern.partition(".")
        keys = {"#": "pound", "*": "star", "hash": "pound"}
        if family == "dtmf" and rest in keys:
            return f"write `dtmf.{keys[rest]}`" if rest != "*" else "write `dtmf.star` for the key, `dtmf.*` for all"
        if pattern in self.tools:
            return f"write `tool.{pattern}`"
        if f"app.{pattern}" in self.events:
            return f"write `app.{pattern}`"
        meant = event_meant(pattern)
        if meant:
            return meant
        own = [*(f"tool.{name}" for name in self.tools), *self.events]
        families = {name.partition(".")[0] + ".*" for name in EVENTS if "." in name}
        near = self.meant(pattern, [*EVENTS, *own, *(families if "*" in pattern else ())])
        if near:
            return near
        same = [name for name in EVENTS if name.partition(".")[2] == pattern]
        if len(same) == 1:
            return f"did you mean `{same[0]}`?"
        if family == "dtmf":
            return "keys are " + ", ".join(DIGITS)
        mine = [name for name in EVENTS if matches(f"{family}.*", name)]
        if mine and len(mine) <= 8:
            return f"`{family}.` has: " + ", ".join(name.partition(".")[2] for name in mine)
        return "the reference lists every event; one of your own begins with `app.`"

    # -- words

    def outcome(self, word: str, node: Place, path: str) -> None:
        """A defect if there is no such outcome."""
        known = self.loading.outcomes
        if word not in known:
            hint = self.meant(word, known) or f"declare it: `outcomes: [{shorten(word)}]`"
            if re.fullmatch(r"(event|vars|call|env)\.\w+", word):
                hint = f'write "{{{{ {word} }}}}"'
            self.defect("unknown-outcome", f"there is no outcome `{shorten(word)}`", node, path, hint)


_PAYLOADS: dict[str, Record] = {}
"""Of the catalogue's events and the patterns that some of them match: never more than the catalogue has beginnings."""


def tool_record(tool: Tool, unsure: bool = False) -> Record:
    """The payload of a tool's event: its arguments, and with `run` its result. `unsure`: nobody knows all of them."""
    found = _types(tool.parameters)
    if tool.run is not None:
        result = VERBS[tool.run.verb].result
        found["result"] = Record(dict(result), open=True) if result else ANY
    if unsure or (tool.own and not tool.parameters):
        return Record({**ALWAYS_THERE, **found}, open=True, kind=f"tool.{tool.name}")
    return _record(found, f"tool.{tool.name}")


def _record(fields: Mapping[str, Type], kind: str) -> Record:
    return Record({**ALWAYS_THERE, **fields}, kind=kind)


def _types(fields: Mapping[str, Field]) -> dict[str, Type]:
    return {name: _type_of(field) for name, field in fields.items()}


def _type_of(field: Field) -> Type:
    """A field's type as an expression knows it: one that has an `enum` is compared with its words alone."""
    words = [word for word in field.enum if isinstance(word, str)]
    return OneOf(*words) if field.type == TEXT and words else field.type


def _shared(sorts: list[Mapping[str, Type]] | list[dict[str, Type]]) -> dict[str, Type]:
    """The fields that all have, with one type."""
    if not sorts:
        return {}
    first, *others = sorts
    return {name: kind for name, kind in first.items() if all(other.get(name) == kind for other in others)}


class _Span(Place):
    """A place inside a scalar's text."""

    __slots__ = ("_end", "start")

    def __init__(self, start: object, end: tuple[int, int]) -> None:
        self.start = start  # type: ignore[assignment]
        self._end = end

    def ends(self) -> tuple[int, int]:
        return self._end


class _Start:
    def __init__(self, line: int, column: int, index: int) -> None:
        self.line, self.column, self.index = line, column, index


def _inside(node: Scalar, offset: int, length: int) -> Place:
    """The place of a part of a scalar's text; the whole scalar where an escape or a fold makes it unclear."""
    start, end = node.start, node.end
    written = end.index - start.index
    quotes = 0 if node.plain else 1
    if start.line != end.line or written != len(node.text) + 2 * quotes:
        return node
    column = start.column + quotes + offset
    span = _Start(start.line, column, start.index + quotes + offset)
    return _Span(span, (start.line + 1, column + 1 + max(length, 1)))
