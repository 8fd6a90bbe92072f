"""Dials that cannot succeed."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import Event, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.lists import action_at
from callflow.proof.finding import Suspect, Suspects, leaf_of
from callflow.proof.node import Edge, Exploration, Node
from callflow.verify.places import defect


class Dialled:
    """Somebody is dialled who is on the line: that always fails."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.suspects: list[Suspect] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if isinstance(event, Event) and event.name.endswith(".hangup"):
            return
        for effect in taken.effects:
            if not isinstance(effect, Start) or not verb_of(effect.verb).dials:
                continue
            action = action_at(self.flow, effect.source)
            leg = before.snapshot.memory.legs.get(verb_of(effect.verb).leg(effect.arguments))
            if action is None or leg is None or leg.status not in ("on_line", "hold"):
                continue
            self.suspects.append(
                Suspect(
                    defect(
                        "dialled-twice", f"{leg.name} is on the line, and is dialled once more: that always fails",
                        action.position, "lead to a state that does not dial", len(action.verb),
                    ),
                    before, frozenset({leaf_of(after)}), ((before, Edge(event, after)),),
                )
            )  # fmt: skip

    def found(self, exploration: Exploration) -> Suspects:
        yield from self.suspects
