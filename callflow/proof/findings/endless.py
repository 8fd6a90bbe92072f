"""Rounds that nobody drives and that nothing ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from callflow.core.actions import verb_of
from callflow.core.events import Event, Input, TimerFired
from callflow.core.flow import ROOT, Flow
from callflow.core.macrostep import LIVE
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.structure import within
from callflow.core.table import table_of
from callflow.proof.finding import (
    Seen,
    Suspect,
    Suspects,
    by_nobody,
    first_of_each,
    in_ending,
    is_the_authors,
    place_of,
)
from callflow.proof.graph import rounds
from callflow.proof.node import Exploration, Node, Passage, Situation
from callflow.verify.places import defect

MOST_CALLS = 12
"""How often somebody may be called in rounds that a timer ends at last."""

MOST_OF_A_CALL = 300.0
"""Seconds: a timer of the whole call that is longer ends no round, it ends the call."""


class Rounds:
    """States that follow each other, or calls that are made, by timers, failures, results and `done` alone, again and again."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[bool]:
        calls = any(isinstance(effect, Start) and verb_of(effect.verb).calls for effect in taken.effects)
        if taken.entered or calls:
            yield True

    def found(self, exploration: Exploration, seen: Seen[bool]) -> Suspects:
        yield from _rounds(self.flow, exploration, {(id(node), id(edge.target)) for _, (node, edge) in seen})


class Cycle:
    """Transitions that need no event, round and round within one step."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(
        self, before: Situation, event: Input, taken: Step, after: Situation
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        error = next((str(note.data.get("error", "")) for note in taken.notes if note.kind == "fault"), "")
        if error.startswith("an endless cycle"):
            yield error, tuple([path for path in taken.entered if not within(path, self.flow.ending)])

    def found(self, exploration: Exploration, seen: Seen[tuple[str, tuple[str, ...]]]) -> Suspects:
        for (error, entered), passage in seen:
            yield Suspect(
                defect(
                    "endless-cycle", f"{error}: the runtime breaks it off, as a failure",
                    self.flow.states[entered[-1] if entered else ROOT].position, "one of the guards has to change on the way round",
                ),
                passage[0], frozenset(entered), (passage,),
            )  # fmt: skip


def _rounds(flow: Flow, exploration: Exploration, entering: set[tuple[int, int]]) -> Suspects:
    nodes = exploration.nodes
    on_the_way = [node for node in nodes if node.snapshot.memory.phase in LIVE and not in_ending(flow, node)]
    told: set[str] = set()
    first = first_of_each(nodes)
    order = {id(node): number for number, node in enumerate(nodes)}
    for group in rounds(on_the_way, lambda node: [edge.target.holder for edge in node.edges if _drives(edge.input)]):
        members = set(group)
        ways = [
            (node, edge)
            for node in group
            for edge in node.edges
            if edge.target.holder in members and (id(node), id(edge.target)) in entering and _drives(edge.input)
        ]
        places = {leaf for node in group for leaf in node.snapshot.configuration}
        if not ways or told & places:
            continue
        last = min((node for node, _ in ways), key=lambda one: order[id(first(one))])
        node, round_ = first(last), _once_round(last, members, ways)
        if _bounded(flow, group, round_):
            continue
        told |= places
        names = ", ".join(f"`{path}`" for path in flow.states if path in places)
        yield Suspect(
            defect(
                "endless-round", f"the call goes round through {names} without anybody's doing, and nothing ends it",
                place_of(flow, node), "count the rounds (`state.visits`), or bound them by an `after` around",
            ),
            node, frozenset(places), round_, "And so on, round and round.",
        )  # fmt: skip


def _drives(event: Input) -> bool:
    """Whether this leads on without anybody's wish that the call goes on: who answers and hangs up has none."""
    return by_nobody(event) or (isinstance(event, Event) and event.name in ("call.answered", "call.hangup"))


def _once_round(start: Node, members: set[Node], ways: Sequence[Passage]) -> tuple[Passage, ...]:
    """From a node on to where a state is entered, the nearest, and back to it."""
    there = _ways_from(start, members)
    entering = {id(node): (node, edge) for node, edge in reversed(ways)}
    nearest = next((entering[id(node)] for node in there if id(node) in entering), None)
    if nearest is None:
        return ()
    node, edge = nearest
    target = edge.target.holder
    return (*_way(there, node), nearest, *_way(_ways_from(target, members), start))


def _ways_from(start: Node, members: set[Node]) -> dict[Node, Passage | None]:
    """The nodes to which ways lead on which nobody does anything, the nearest first, each with the last leg of its way."""
    found: dict[Node, Passage | None] = {start: None}
    todo = [start]
    for node in todo:
        for edge in node.edges:
            target = edge.target.holder
            if target in members and target not in found and _drives(edge.input):
                found[target] = node, edge
                todo.append(target)
    return found


def _way(found: dict[Node, Passage | None], to: Node) -> tuple[Passage, ...]:
    passages: list[Passage] = []
    while (leg := found[to]) is not None:
        passages.append(leg)
        to = leg[0]
    return tuple(reversed(passages))


def _bounded(flow: Flow, group: Sequence[Node], way: Sequence[Passage]) -> bool:
    """Whether a timer of the author's own that is not armed anew ends the round: one of the whole call, soon; where somebody is called,
    after a few calls."""
    table = table_of(flow)
    common: set[tuple[int, str, int]] | None = None
    for node in group:
        own = {
            (one.generation, one.state, one.row)
            for one in node.snapshot.memory.timers
            if one.kind == "after" and is_the_authors(flow, one)
        }
        common = own if common is None else common & own
    pause = sum(_pause(flow, node, edge.input) for node, edge in way)
    most = (
        MOST_CALLS * pause
        if any(verb_of(one.verb).dials for node in group for one in node.snapshot.memory.effects.values())
        else inf
    )
    seconds = ((state, table.states[state].timers[row].seconds) for _, state, row in common or ())
    return any(after <= (min(most, MOST_OF_A_CALL) if state == ROOT else most) for state, after in seconds)


def _pause(flow: Flow, node: Node, event: Input) -> float:
    """How many seconds the flow waits before this by a timer of its own."""
    timer = next(
        (
            one
            for one in node.snapshot.memory.timers
            if isinstance(event, TimerFired) and one.generation == event.generation
        ),
        None,
    )
    if timer is None or timer.kind not in ("after", "every", "silence"):
        return 0.0
    return table_of(flow).states[timer.state].timers[timer.row].seconds
