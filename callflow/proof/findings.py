"""What is proved of a flow, and what is found instead, each with a call that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from callflow.core.durations import format_duration
from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.flow import ROOT, Flow, Position
from callflow.core.snapshot import Step
from callflow.core.table import table_of
from callflow.core.turn import LIVE
from callflow.errors import Defect
from callflow.proof.begin import first_steps
from callflow.proof.explore import MICRO, Edge, Exploration, Node, Stopwatches, explore
from callflow.proof.graph import leading_to, rounds
from callflow.proof.listening import alone, parties, unheard
from callflow.proof.way import Way, way_to
from callflow.verify.places import defect, named, warning

MOST_QUIET = 30 * MICRO
MOST_ALONE = 180 * MICRO


@frozen
class Finding:
    """A fault, where it stands, and a call that shows it."""

    defect: Defect
    way: Way


@frozen
class Proof:
    """What was found. Of an exploration that its budget has cut short nothing is proved."""

    findings: tuple[Finding, ...]
    exploration: Exploration


def prove(flow: Flow, *, budget: int = 50_000) -> Proof:
    """Everything that can happen to a call of this flow, and what of it a caller would suffer from."""
    first = first_steps(flow)
    watching = _Watching(flow)
    clocks: Stopwatches = {"quiet": unheard(flow), "alone": alone(flow)}
    exploration = explore(flow, first, budget=budget, watches=[watching], stopwatches=clocks)
    found: list[Finding] = []
    for told, node in (*_quiet(exploration), *_no_way_on(exploration), *_rounds(exploration, watching), *watching.found):
        way = way_to(flow, first, node)
        if way is not None and all(told.code != one.defect.code or told.line != one.defect.line for one in found):
            found.append(Finding(told, way))
    return Proof(tuple(found), exploration)


Found = Iterator[tuple[Defect, Node]]


class _Watching:
    """What is seen at the steps themselves."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.taken: set[int] = set()
        self.found: list[tuple[Defect, Node]] = []
        self.entering: set[tuple[int, int]] = set()

    def __call__(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        self.taken.update(number for move in taken.moves for number in move.transitions)
        if any(move.entered for move in taken.moves):
            self.entering.add((id(before), id(after)))


def _place(flow: Flow, node: Node) -> Position:
    leaf = node.snapshot.configuration[-1] if node.snapshot.configuration else ROOT
    return flow.states[leaf].position


def _where(node: Node) -> str:
    return named(node.snapshot.configuration[-1] if node.snapshot.configuration else ROOT)


def _in_ending(flow: Flow, node: Node) -> bool:
    return any(path == flow.ending or path.startswith(f"{flow.ending}.") for path in node.snapshot.configuration)


def _quiet(x: Exploration) -> Found:
    worst: dict[str, Node] = {}
    for node in x.nodes:
        if node.lasts.get("quiet", 0) > MOST_QUIET and not _in_ending(x.flow, node):
            leaf = node.snapshot.configuration[-1] if node.snapshot.configuration else ROOT
            if leaf not in worst or node.lasts["quiet"] > worst[leaf].lasts["quiet"]:
                worst[leaf] = node
    for node in worst.values():
        lasts = format_duration(node.lasts["quiet"] / MICRO)
        yield warning(
            "quiet-too-long", f"in {_where(node)} a person hears nothing for up to {lasts}, and it is not their turn",
            _place(x.flow, node), "say or play something, or lead on sooner",
        ), node  # fmt: skip
    for node in x.nodes:
        if node.lasts.get("alone", 0) > MOST_ALONE:
            yield defect(
                "nobody-left", f"the far end has gone, and the call goes on in {_where(node)} for up to "
                f"{format_duration(node.lasts['alone'] / MICRO)}", _place(x.flow, node), "lead on to `ending`",
            ), node  # fmt: skip
            return


_GIVES_UP = ("room.", "session.close", "session.error", "job.", "failed")


def _leads_on(flow: Flow, node: Node, edge: Edge) -> bool:
    """Whether this is how the author has meant a call to go on: not by a hang-up, a failure or a limit."""
    event = edge.input
    if isinstance(event, TimerFired):
        timer = next(one for one in node.snapshot.memory.timers if one.generation == event.generation)
        if timer.kind not in ("after", "every", "silence"):
            return False
        rows = table_of(flow).states[timer.state].timers[timer.row].transitions
        return not all(row.supplied for row in rows)
    if isinstance(event, EffectEnded):
        return event.status in ("ok", "cancelled") or node.snapshot.memory.effects[event.id].stopping
    if event.name.endswith(".hangup"):
        return len(parties(node.snapshot)) > 1
    return not event.name.startswith(_GIVES_UP)


def _no_way_on(x: Exploration) -> Found:
    """Somebody waits, and nothing leads on but that they hang up, or the limits of the whole call."""
    flow = x.flow
    goals = [node for node in x.nodes if node.snapshot.memory.phase not in LIVE or _in_ending(flow, node)]
    backward: dict[Node, list[Node]] = {}
    for node in x.nodes:
        for edge in node.edges:
            if _leads_on(flow, node, edge):
                backward.setdefault(edge.target, []).append(node)
    good = leading_to(goals, backward)
    told: set[str] = set()
    for node in x.nodes:
        if node in good or node.covered or not parties(node.snapshot) or not node.snapshot.configuration:
            continue
        leaf = node.snapshot.configuration[-1]
        if any(flow.states[path].waits for path in _active(flow, node)) or told & set(_active(flow, node)):
            continue
        told.add(leaf)
        yield defect(
            "no-way-on", f"from {_where(node)} nothing leads on but that the caller hangs up, or the limits of the whole call",
            _place(flow, node), "give it a row for what can happen there, an `after`, or a `silence`",
        ), node  # fmt: skip


def _active(flow: Flow, node: Node) -> Iterator[str]:
    for leaf in node.snapshot.configuration:
        yield leaf
        yield from table_of(flow).states[leaf].ancestors


def _by_nobody(flow: Flow, node: Node, edge: Edge) -> bool:
    """Whether this happens without anybody's doing anything."""
    event = edge.input
    if isinstance(event, EffectEnded):
        verb_result = str(event.result.get("result", ""))
        return verb_result not in ("input", "no_match", "accepted", "declined")
    return isinstance(event, TimerFired)


def _rounds(x: Exploration, watching: _Watching) -> Found:
    """Rounds that nobody drives and that nothing ends."""
    flow = x.flow
    inside = [node for node in x.nodes if node.snapshot.memory.phase in LIVE and not _in_ending(flow, node)]

    def onward(node: Node) -> list[Node]:
        return [edge.target for edge in node.edges if _by_nobody(flow, node, edge)]

    told: set[str] = set()
    for component in rounds(inside, onward):
        members = set(component)
        entered = [
            node
            for node in component
            for edge in node.edges
            if edge.target in members and (id(node), id(edge.target)) in watching.entering and _by_nobody(flow, node, edge)
        ]
        if not entered or _bounded(flow, component):
            continue
        places = {leaf for node in component for leaf in node.snapshot.configuration}
        if told & places:
            continue
        told |= places
        node = min(entered, key=x.nodes.index)
        names = ", ".join(f"`{path}`" for path in flow.states if path in places)
        yield defect(
            "endless-round", f"the call goes round through {names} without anybody's doing, and nothing ends it",
            _place(flow, node), "count the rounds (`state.visits`), or bound them by an `after` around",
        ), node  # fmt: skip


def _bounded(flow: Flow, component: Sequence[Node]) -> bool:
    """Whether a timer of the author's own that is not armed anew ends the round."""
    common = None
    for node in component:
        mine = {(one.generation, one.state, one.row) for one in node.snapshot.memory.timers if one.kind == "after"}
        own = {
            which
            for which in mine
            if not all(row.supplied for row in table_of(flow).states[which[1]].timers[which[2]].transitions)
        }
        common = own if common is None else common & own
    return bool(common)
