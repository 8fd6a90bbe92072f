"""Parties who were brought together, and are dropped by that."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.proof.finding import Seen, Suspect, Suspects, in_ending, place_of
from callflow.proof.findings.ways import Without, dropping_after, ended_well
from callflow.proof.listening import parties, talk
from callflow.proof.node import Exploration, Situation, Where
from callflow.verify.places import defect


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
        among_us = Without(exploration, _others_come)
        for action, passage in seen:
            way = among_us.to(passage[0])
            if way is None:
                continue
            yield Suspect(
                defect(
                    "left-alone", f"`{action.verb}` takes the agent out, and one person is left on the line, alone",
                    action.position, "drop the line for everybody, or leave it only once two are on it", len(action.verb),
                ),
                way[0], more=(*way[1], passage), after="Whoever is on the line is alone, and nobody drops it.",
            )  # fmt: skip


def _others_come(_: Where, event: Input) -> bool:
    """Whether somebody has come of whom the flow knows no more than that: they may talk."""
    return isinstance(event, Event) and event.name == "room.participant_connected"
