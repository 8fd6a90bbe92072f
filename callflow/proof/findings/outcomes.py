"""Outcomes that are named too early, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Step
from callflow.core.statechart.lists import list_at
from callflow.core.turn import LIVE
from callflow.proof.finding import Suspect, Suspects, in_ending
from callflow.proof.graph import leading_to, rounds
from callflow.proof.node import Edge, Exploration, Node
from callflow.verify.places import warning

Where = tuple[Node, Edge]

OTHERS = 3
"""So many other ways to the end have to name an outcome before it is told of the one that does not."""

_BREAKS = ("room.", "session.", "job.", "failed")
"""What ends a call without anybody's having meant it to."""


class Early:
    """An outcome that is named, and the call goes on to where it is named again: the first one stays, whatever comes of the call."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.named: list[tuple[Action, Where]] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if any(_is_outcome(note.kind) for note in taken.notes):
            where = before, Edge(event, after)
            self.named += [(action, where) for action in _acting(self.flow, before, taken) if _names(self.flow, action)]

    def found(self, exploration: Exploration) -> Suspects:
        flow = self.flow
        live = [node for node in exploration.nodes if node.snapshot.memory.phase in LIVE and not in_ending(flow, node)]
        groups = rounds(live, lambda node: [edge.target.holder for edge in node.edges])
        group_of = {node: number for number, group in enumerate(groups) for node in group}
        told: set[int] = set()
        for action, (before, edge) in self.named:
            group = group_of.get(before.holder)
            if id(action) in told or group is None or group != group_of.get(edge.target.holder):
                continue
            told.add(id(action))
            yield Suspect(
                warning(
                    "outcome-too-early", "this outcome is named, and the call goes on to where it may be named again: the first one stays",
                    action.position, "name it on the way to the end", len(action.verb),
                ),
                before, more=((before, edge),), after="The call goes on, and whatever comes of it the outcome stays.",
            )  # fmt: skip


class Missing:
    """One way to the end on which no outcome is named, while all other ways of the author's name one."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.naming: set[tuple[int, int]] = set()  # by the node, and by what happens
        self.ways: dict[int, list[Where]] = {}

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if any(_is_outcome(note.kind) for note in taken.notes):
            self.naming.add((id(before), id(event)))
        if in_ending(self.flow, before) or before.snapshot.memory.phase not in LIVE or not taken.moves:
            return
        if in_ending(self.flow, after) or after.snapshot.memory.phase not in LIVE:
            rows = [self.flow.transitions[number] for number in taken.moves[0].transitions]
            for row in rows:
                if not row.supplied and row.target is not None and _is_the_authors(event):
                    self.ways.setdefault(row.id, []).append((before, Edge(event, after)))

    def found(self, exploration: Exploration) -> Suspects:
        if not exploration.finished:
            return
        nodes = exploration.nodes
        onward: dict[Node, list[Node]] = {}
        backward: dict[Node, list[Node]] = {}
        for node in nodes:
            for edge in node.edges:
                if (id(node), id(edge.input)) not in self.naming:
                    onward.setdefault(node.holder, []).append(edge.target.holder)
                    backward.setdefault(edge.target.holder, []).append(node.holder)
        unnamed = leading_to((node.holder for node in nodes if node.parent is None), onward)
        silent = leading_to((node.holder for node in nodes if node.snapshot.ended), backward)
        without = {
            number: next(
                (
                    (node, edge)
                    for node, edge in ways
                    if node.holder in unnamed and edge.target.holder in silent and (id(node), id(edge.input)) not in self.naming
                ),
                None,
            )
            for number, ways in self.ways.items()
        }  # fmt: skip
        lacking = [(number, where) for number, where in without.items() if where is not None]
        if len(lacking) != 1 or len(without) <= OTHERS:
            return
        ((number, where),) = lacking
        if isinstance(where[1].input, TimerFired):  # after a while without anything nothing is a result
            return
        yield Suspect(
            warning(
                "no-outcome", "this leads to the end without an outcome, and all other ways name one",
                self.flow.transitions[number].position, "name the outcome of such a call: `outcome: …` in its `do`",
            ),
            where[0], more=(where,), after="The record says that nothing came of the call.",
        )  # fmt: skip


def _is_outcome(kind: str) -> bool:
    return kind in ("outcome", "late_outcome")


def _names(flow: Flow, action: Action) -> bool:
    return "outcome" in verb_of(action.verb).roles and action.position.file == flow.file


def _acting(flow: Flow, before: Node, taken: Step) -> Iterator[Action]:
    """The actions of all lists that a step may have gone through."""
    for move in taken.moves:
        for number in move.transitions:
            yield from flow.transitions[number].actions
    for path in taken.entered:
        yield from flow.states[path].entry
    for path in taken.exited:
        yield from flow.states[path].exit
    if isinstance(taken.event, EffectEnded):
        effect = before.snapshot.memory.effects.get(taken.event.id)
        if effect is not None:
            kind, key, place = effect.source
            yield from list_at(flow, kind, key)[place + 1 :]


def _is_the_authors(event: Input) -> bool:
    """Whether the author lets the call end so: by a time, by what somebody does or what was begun; not what breaks, or hangs up."""
    if isinstance(event, Event):
        return not (event.name.startswith(_BREAKS) or event.name.endswith(".hangup"))
    return isinstance(event, TimerFired) or event.status == "ok"
