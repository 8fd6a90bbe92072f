"""Parties who were brought together, and are dropped by that."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.core.table import table_of
from callflow.proof.finding import Seen, Suspect, Suspects, in_ending, place_of
from callflow.proof.findings.ways import Without, dropping_after, ended_well
from callflow.proof.listening import parties, talk
from callflow.proof.node import Edge, Exploration, Node, Passage, Situation, Where
from callflow.verify.places import defect

Company = Literal["none", "there", "left"]
"""Whether somebody has come of whom the flow knows no more than that."""

_LEFT = "room.participant_disconnected"


class Dropped:
    """Somebody has accepted, or answered, to talk to whoever is on the line, and the flow goes straight on to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[bool]:
        if not isinstance(event, EffectEnded) or not ended_well(event):
            return
        calls = verb_of(before.snapshot.memory.effects[event.id].verb).calls
        accepted = calls and event.result.get("result") in ("accepted", "answered")
        if accepted and talk(taken.snapshot) and not in_ending(self.flow, before):
            yield True

    def found(self, exploration: Exploration, seen: Seen[bool]) -> Suspects:
        for _, joined in seen:
            dropped = dropping_after(joined, lambda node: talk(node.snapshot), lambda step: talk(step.snapshot))
            if dropped is None:
                continue
            effect, way = dropped
            action = action_at(self.flow, effect.source)
            place = place_of(self.flow, joined[0]) if action is None else action.position
            if place.file != self.flow.file:
                place = place_of(self.flow, joined[0])
            yield Suspect(
                defect(
                    "dropped-together", f"two people have just been brought together, and `{effect.verb}` drops them both",
                    place, "leave them the line: `stand_by`, or `hang_up` with `for: agent`",
                ),
                joined[0], more=way,
            )  # fmt: skip


class Lone:
    """The line is left to those who are on it, and there is but one: their line drops at once."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if len(parties(taken.snapshot)) != 1 or _comes_or_goes(before, event):
            return
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) else None
            if action is not None and isinstance(effect, Start) and verb_of(effect.verb).parties_end:
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        all_there = Without(exploration, _comes_or_goes)
        for action, passage in seen:
            way = all_there.to(passage[0])
            if way is None:
                continue
            yield Suspect(
                defect(
                    "stands-by-for-one", f"`{action.verb}` leaves the line to those who are on it, and there is but one: it drops at once",
                    action.position, "lead here when somebody else has answered or accepted", len(action.verb),
                ),
                way[0], more=(*way[1], passage),
            )  # fmt: skip


def _comes_or_goes(node: Where, event: Input) -> bool:
    """Whether somebody hangs up (who was two may be one then, in an instant that no flow can rule out), or has come of whom the flow
    knows no more than that."""
    return _others_come(node, event) or (isinstance(event, Event) and event.name.endswith(".hangup"))


class LeftAlone:
    """The agent leaves the line on purpose, and one party is left, with nobody to talk to and nobody to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if len(parties(taken.snapshot)) != 1 or "line" not in before.facts or _others_come(before, event):
            return
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) else None
            if action is not None and isinstance(effect, Start) and verb_of(effect.verb).leaves(effect.arguments):
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        among_us, alone_again = Without(exploration, _others_come), _AloneAgain(self.flow, exploration)
        for action, passage in seen:
            says, hint = (
                "one person is left on the line, alone",
                "drop the line for everybody, or leave it only once two are on it",
            )
            way = among_us.to(passage[0])
            if way is None:
                says = "whoever had come may have left again: one person is left on the line, alone"
                hint = "wait for somebody again in a row for `room.participant_disconnected`, in each state until then"
                way = alone_again.to(passage[0])
            if way is None:
                continue
            yield Suspect(
                defect("left-alone", f"`{action.verb}` takes the agent out, and {says}", action.position, hint, len(action.verb)),
                way[0], more=(*way[1], passage), after="Whoever is on the line is alone, and nobody drops it.",
            )  # fmt: skip


def _others_come(_: Where, event: Input) -> bool:
    """Whether somebody has come of whom the flow knows no more than that: they may talk."""
    return isinstance(event, Event) and event.name == "room.participant_connected"


class _AloneAgain:
    """The shortest ways on which somebody has come of whom the flow knows no more than that, and is there no more: they have left, or may
    have left while no row heard of it."""

    def __init__(self, flow: Flow, exploration: Exploration) -> None:
        self._table = table_of(flow)
        self._exploration = exploration

    def to(self, node: Node) -> tuple[Node, tuple[Passage, ...]] | None:
        """Where a way to a node begins, and its passages; None where there is none."""
        where: tuple[Node, Company] = (node.holder, "left")
        if where not in self._last:
            return None
        found: list[Passage] = []
        while (step := self._last[where]) is not None:
            where, passage = step
            found.append(passage)
        return where[0], tuple(reversed(found))

    @cached_property
    def _last(self) -> dict[tuple[Node, Company], tuple[tuple[Node, Company], Passage] | None]:
        """By node, and whether somebody has come, how a way comes there last; looked for when somebody asks for the first one."""
        nodes = self._exploration.nodes
        found: dict[tuple[Node, Company], tuple[tuple[Node, Company], Passage] | None] = {
            (node, "none"): None for node in nodes if node.parent is None
        }
        todo = [*found]
        for where in todo:
            node, company = where
            for edge in node.edges:
                onward = edge.target.holder, self._company(company, node, edge)
                if onward not in found:
                    found[onward] = where, (node, edge)
                    todo.append(onward)
        return found

    def _company(self, company: Company, node: Node, edge: Edge) -> Company:
        event = edge.input
        if _others_come(node, event):
            return "there"
        if company == "there" and (_others_go(node, event) or self._goes_unheard(node)):
            return "left"
        return company

    def _goes_unheard(self, node: Node) -> bool:
        """Whether time passes here, and nothing would hear of it if they left."""
        runs = any(
            not one.stopping and not verb_of(one.verb).parties_end for one in node.snapshot.memory.effects.values()
        )
        return runs and not configuration_of(self._table, node.snapshot.configuration).heard(_LEFT).rows


def _others_go(node: Where, event: Input) -> bool:
    """Whether somebody leaves of whom the flow knew no more than that they had come; not the far end, whose hang-up is told as well."""
    if not isinstance(event, Event) or event.name != _LEFT:
        return False
    far_end, who = node.snapshot.memory.legs.get(MAIN_LEG), event.data.get("identity")
    return (
        not who or far_end is None or far_end.data.get("identity") != who
    )  # unless a guard asks for it nobody knows who
