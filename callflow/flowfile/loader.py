"""A flow file -> `Flow`, or every defect at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import fields_dict

from callflow.core.durations import format_duration
from callflow.core.events import MAIN_LEG, SENDERS
from callflow.core.expressions import Names
from callflow.core.flow import ROOT, Flow, Limits, Scope, State
from callflow.core.statechart.action_lists import dials_first
from callflow.core.statechart.descriptors import Events
from callflow.errors import Defect, FlowFileError
from callflow.flowfile import declarations as declared
from callflow.flowfile.accepting import acceptances
from callflow.flowfile.actions import action_list
from callflow.flowfile.declarations import is_event_name
from callflow.flowfile.header import declarations_of, declare
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, shorten
from callflow.flowfile.outline import Draft, find, outline
from callflow.flowfile.part import CALL_AT_THE_END, Loading, Part
from callflow.flowfile.parties import who_may_send
from callflow.flowfile.reach import check_always, check_reach
from callflow.flowfile.report import TooManyDefects, is_nothing, notes
from callflow.flowfile.rows import RowReader
from callflow.flowfile.session import session
from callflow.flowfile.source import MAX_BYTES, STDIN, read_text, too_large
from callflow.flowfile.standard import StandardPart, limit_row, standard_nodes
from callflow.flowfile.states import Rows, build_state, initial_of
from callflow.flowfile.subflows import look_at_unused, open_subflow
from callflow.flowfile.tools import agent
from callflow.flowfile.yaml import parse


def load(path: str | os.PathLike[str]) -> Flow:
    """The flow in a file, complete and checked. `-` reads standard input.

    Raises FlowFileError with every defect.
    """
    return _demand(*read(path))


def loads(text: str, name: str = "<text>", folder: str | os.PathLike[str] = ".") -> Flow:
    """The flow in a text. `name` stands in messages and journals; `use:` looks in `folder`.

    Raises FlowFileError with every defect.
    """
    return _demand(*read_loads(text, name, folder))


def read(path: str | os.PathLike[str]) -> tuple[Flow | None, list[Defect]]:
    """The flow in a file, or None, and all its defects in the order of the file. Raises nothing."""
    return read_with_text(path)[:2]


def read_with_text(path: str | os.PathLike[str]) -> tuple[Flow | None, list[Defect], str]:
    """The same, and the text of the file (empty where it cannot be read): standard input can be read only once."""
    text, defect = read_text(path)
    if defect is not None:
        return None, [defect], text
    name = os.fspath(path)
    if name == STDIN:
        return *read_loads(text, "<stdin>"), text
    return *read_loads(text, name, os.path.dirname(name), name), text  # noqa: PTH120 - pathlib alone would take a third of a start


def read_loads(
    text: str, name: str = "<text>", folder: str | os.PathLike[str] = ".", path: str | None = None
) -> tuple[Flow | None, list[Defect]]:
    """The same for a text. `path` is the file that it comes from, so that a sub-flow cannot include it again."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return None, [too_large(name, size)]
    root, defects = parse(text, name)
    if root is None:
        return None, defects
    loading = Loading(defects=defects)
    chain = (path,) if path is not None else ()
    loader = _Loader(loading, Part(loading, name, root, ROOT, os.fspath(folder), chain, text))
    try:
        flow = loader.flow()
    except TooManyDefects:
        flow = None
    finally:
        loader.forget()
    if not defects:
        return flow, []
    return None, sorted(dict.fromkeys(defects), key=lambda one: (one.file != name, one.file, one.line, one.column))


def _demand(flow: Flow | None, defects: list[Defect]) -> Flow:
    if flow is None:
        raise FlowFileError(defects)
    return flow


class _Loader:
    """One load, from the main file's nodes on."""

    def __init__(self, loading: Loading, main: Part) -> None:
        self.loading = loading
        self.main = main
        self.standard = StandardPart(loading)
        self.drafts: list[Draft] = []

    def forget(self) -> None:
        """Breaks the circles in what was made on the way, so that it is freed at once: it is ten times the flow."""
        loading = self.loading
        for found in (loading.parts, loading.leg_mentions, loading.heard, loading.agent_leaves, loading.staying):
            found.clear()
        for draft in self.drafts:
            draft.parent = None

    def flow(self) -> Flow | None:
        main, loading = self.main, self.loading
        root = main.root
        if not declare(main):
            return None
        standard = main.boolean(root.get("standard"), "standard", "`standard`") is not False
        limits = self._limits(standard)
        top = Draft(ROOT, "", "compound", None, main, root, root, "")
        drafts = self.drafts
        drafts += self._drafts(top, standard)
        for part in loading.parts:
            part.declare_outcomes()
            look_at_unused(part)
        ending = self._ending(top, standard)
        endings = {ROOT: ending} | {draft.path: self._ending_inside(draft) for draft in drafts if draft.inside}
        must_finish = frozenset(endings.values())
        loading.states[ROOT] = self._root(top, standard, limits, ending)
        for draft in drafts:
            loading.states[draft.path] = build_state(draft, draft.path in must_finish)
        self._scopes(drafts, endings)
        closed = frozenset({"speech", "session", "line"})
        at_the_end = Names(vars=main.plain.vars, call=CALL_AT_THE_END, env=main.plain.env)
        wrap_up = action_list(main, root.get("wrap_up"), "wrap_up", at_the_end, "`wrap_up`", closed)
        details = self._details()
        self._check_mentions()
        senders = who_may_send(main)
        check_always(loading)
        check_reach(loading, drafts)
        if loading.defects:
            return None
        return Flow(
            name=main.flow_name,
            states=loading.states,
            transitions=tuple(loading.transitions),
            scopes=loading.scopes,
            ending=ending or "",
            outcomes=frozenset(loading.outcomes),
            env=tuple(main.env),
            events={**loading.undeclared, **loading.events},
            senders=senders,
            legs={**dict.fromkeys(sorted(loading.legs - {MAIN_LEG})), **loading.parties},
            tools={**loading.own_tools, **loading.tools},
            python=main.python,
            tasks=frozenset(loading.tasks),
            agents=frozenset(loading.agents),
            limits=limits,
            wrap_up=wrap_up,
            file=main.file,
            notes=notes(root),
            outbound=dials_first(loading.states),
            texts=(main.source, *(text for _, text in loading.files.values())),
            declared=tuple(one for part in loading.parts for one in declarations_of(part)),
            **details,
        )

    def _limits(self, standard: bool) -> Limits:
        node = self.main.root.get("limits")
        found = declared.limits(self.main, node)
        if standard:
            return found
        written = node.entries if isinstance(node, MappingNode) else {}
        return Limits(**{name: getattr(found, name) if name in written else None for name in fields_dict(Limits)})

    # -- the tree of states

    def _drafts(self, top: Draft, standard: bool) -> Iterator[Draft]:
        """All states in document order, those of sub-flows inside their hosts, the supplied ones last."""
        root = self.main.root
        states = root.get("states")
        if states is None or is_nothing(states):
            hint = "the smallest flow has one: `states: {talking: {entry: [{say: Hello.}]}}`"
            self.main.defect("missing-key", "a flow needs `states`", root, "", hint)
        yield from self._with_insides(outline(self.main, states, top, "states", {}))
        if not standard:
            return
        supplied = standard_nodes().get("states")
        assert isinstance(supplied, MappingNode)  # noqa: S101 - our own text
        wanted = {name: entry for name, entry in supplied.entries.items() if self._wants(name, top)}
        node = MappingNode(wanted, False, supplied.start, supplied.end)
        yield from outline(self.standard, node, top, "states", {}, supplied=True)

    def _wants(self, name: str, top: Draft) -> bool:
        """Whether a supplied state is part of this flow: the author has none of that name, and something may lead there."""
        if name in top.children:
            return False
        ending = self.main.root.get("ending")
        ends_there = ending is None or (isinstance(ending, Scalar) and ending.value == "ending")
        if (ends_there and "ending" not in top.children) or self._mentioned(name):
            return True
        return name == "closed" and self._wants("ending", top)  # to which that one leads

    def _mentioned(self, name: str) -> bool:
        return (
            re.search(rf"{name}(?<!\w{name})\b(?!\s*:)", self.main.source) is not None
        )  # a text is found fastest by letters

    def _with_insides(self, drafts: Iterator[Draft]) -> Iterator[Draft]:
        for draft in drafts:
            yield draft
            if "flow" in draft.node.entries and draft.kind == "compound":
                inside = open_subflow(draft, self.main)
                if inside is None:
                    continue
                draft.inside = inside
                yield from self._with_insides(outline(inside, inside.root.get("states"), draft, "states", {}))

    def _ending(self, top: Draft, standard: bool) -> str | None:
        main = self.main
        node = main.root.get("ending")
        if node is None or is_nothing(node):
            if standard:
                return "ending"
            main.refused.add("ending")  # the rows that lead there are right as soon as there is one
            message = "with `standard: false` a flow says where a failure leads that nobody handles"
            main.defect(
                "missing-key", message, main.root.entries["standard"][0], "ending", "write `ending: …`, a state's name"
            )
            return None
        if isinstance(node, Scalar) and node.text in main.refused:
            return None
        name = main.text(node, "ending", "`ending`")
        return None if name is None else self._named(top, main, name, node)

    def _ending_inside(self, host: Draft) -> str | None:
        """The state that a sub-flow's own `ending:` names, if it has one."""
        part = host.inside
        node = None if part is None else part.root.get("ending")
        if part is None or node is None:
            return None
        name = part.text(node, "ending", "`ending`")
        return None if name is None else self._named(host, part, name, node)

    def _named(self, outer: Draft, part: Part, name: str, node: Node) -> str | None:
        found = find(outer, part, name)
        if found is not None and found.kind != "history":
            return found.path
        if found is None and part.lost(name):
            return None
        hint = part.meant(name, outer.children) or "it names a state of this file"
        part.defect("unknown-target", f"there is no state `{shorten(name)}`", node, "ending", hint)
        return None

    # -- the top level

    def _root(self, top: Draft, standard: bool, limits: Limits, ending: str | None) -> State:
        main, root = self.main, self.main.root
        rows = Rows()
        rows.read(RowReader(top, main), root, "")
        redirect = ending or "ending"
        supplied = RowReader(top, self.standard, redirect)
        if standard:
            on = standard_nodes().get("on")
            assert isinstance(on, MappingNode)  # noqa: S101 - our own text
            mine = {row.pattern for row in rows.rows}
            missing = {name: entry for name, entry in on.entries.items() if name not in mine}
            rows.rows += supplied.events(MappingNode(missing, False, on.start, on.end), "on")
        for kind, seconds in (("after", limits.call), ("silence", limits.silence)):
            if seconds is not None:
                row = limit_row(format_duration(seconds))
                rows.timers += supplied.timers(kind, row, f"limits.{kind}", len(rows.timers))  # type: ignore[arg-type] # one of the two
        node = root.get("initial")
        if node is None or is_nothing(node):
            hint = f"write `initial: {next(iter(top.children), '…')}`"
            main.defect("missing-initial", "a flow says in which state it begins", root, "initial", hint)
        return State(
            ROOT,
            "",
            "compound",
            None,
            tuple(child.path for child in top.children.values()),
            None if node is None or is_nothing(node) else initial_of(top, main, node, "initial"),
            rows=tuple(rows.rows),
            timers=tuple(rows.timers),
            quiet=declared.quiet(main, root.get("limits"), "limits"),
            accept=acceptances(main, root.get("accept"), "accept"),
            description=main.text(root.get("description"), "description", "`description`") or "",
            position=main.position(root, ""),
        )

    def _scopes(self, drafts: list[Draft], endings: Mapping[str, str | None]) -> None:
        main, scopes = self.main, self.loading.scopes
        scopes[ROOT] = Scope(ROOT, main.flow_name, main.file, main.variables, endings[ROOT], main.results)
        for draft in drafts:
            part = draft.inside
            if part is None:
                continue
            used_as = draft.node.get("flow")
            scopes[draft.path] = Scope(
                draft.path, part.flow_name, part.file, part.variables, endings[draft.path], part.results,
                used_as.text if isinstance(used_as, Scalar) else "",
            )  # fmt: skip

    def _details(self) -> dict[str, Any]:
        main, root = self.main, self.main.root
        found: dict[str, Any] = {
            "description": main.text(root.get("description"), "description", "`description`") or "",
            "session": session(main, root.get("session")),
            "agent": agent(main, root.get("agent")),
        }
        for name, choices in (("answer", ("automatic", "manual")), ("on_crash", ("hang_up", "resume"))):
            word = main.choice(root.get(name), name, f"`{name}`", choices)
            if word is not None:
                found[name] = word
        grace = main.duration(root.get("reconnect_grace"), "reconnect_grace", "`reconnect_grace`")
        if grace is not None:
            found["reconnect_grace"] = grace
        return found

    # -- names that are known only when all has been read

    def _check_mentions(self) -> None:
        loading = self.loading
        for mention in loading.leg_mentions:
            known = [*loading.legs, *loading.parties, *(SENDERS if mention.what == "sender" else ())]
            if mention.name not in known:
                shown = shorten(mention.name)
                hint = mention.part.meant(mention.name, known) or (
                    f"the flow has {', '.join(sorted(known))}; who comes by themselves is told by an identity: "
                    f"`legs: {{{shown}: {{identity: …}}}}`"
                )
                message = f"there is no leg `{shown}`: no `dial` or `consult` makes it, and `legs` does not name it"
                mention.part.defect("unknown-leg", message, mention.node, mention.path, hint)
        own = {*loading.emitted, *loading.events}
        events = Events(own)
        for mention in loading.heard:
            if not events.named(mention.name):
                if not loading.events:  # nothing is declared: an event without a payload
                    if is_event_name(mention.name):
                        loading.undeclared[mention.name] = {}
                    continue
                shown = shorten(mention.name)
                hint = mention.part.meant(mention.name, own) or f"declare it: `events: {{{shown}: {{}}}}`"
                message = f"`{shown}` is neither declared under `events:` nor emitted by the flow"
                mention.part.defect("unknown-event", message, mention.node, mention.path, hint)
        if len(loading.legs) > 1:
            for mention in loading.agent_leaves:
                message = "with two telephone legs the line does not stay up without the agent"
                hint = "`stand_by` leaves the two alone and drops the line when one has left"
                mention.part.defect("agent-leaves-two-legs", message, mention.node, mention.path, hint)
