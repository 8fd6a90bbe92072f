"""Parties who were brought together, and are dropped by that."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.core.statechart.lists import action_at
from callflow.proof.finding import Suspect, Suspects, in_ending, place_of
from callflow.proof.findings.ways import Dropping, ended_well
from callflow.proof.listening import talk
from callflow.proof.node import Edge, Exploration, Node, Passage
from callflow.verify.places import defect


class Dropped:
    """Somebody has accepted, or answered, to talk to whoever is on the line, and the flow goes straight on to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.dropping = Dropping()
        self.joined: list[Passage] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if not talk(taken.snapshot):
            return
        self.dropping.see(before, taken, after)
        if isinstance(event, EffectEnded) and ended_well(event) and not in_ending(self.flow, before):
            calls = verb_of(before.snapshot.memory.effects[event.id].verb).calls
            if calls and event.result.get("result") in ("accepted", "answered"):
                self.joined.append((before, Edge(event, after)))

    def found(self, exploration: Exploration) -> Suspects:
        for joined in self.joined:
            dropped = self.dropping.after(joined, lambda node: talk(node.snapshot))
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
