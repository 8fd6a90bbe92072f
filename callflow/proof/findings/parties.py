"""Parties who were brought together, and are dropped by that."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.lists import action_at
from callflow.proof.finding import Suspect, Suspects, in_ending, place_of
from callflow.proof.listening import talk
from callflow.proof.node import Edge, Exploration, Node
from callflow.verify.places import defect


class Dropped:
    """Somebody has accepted, or answered, to talk to whoever is on the line, and the flow goes straight on to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.suspects: list[Suspect] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if not talk(taken.snapshot):
            return
        for effect in taken.effects:
            if isinstance(effect, Start) and _drops(effect):
                joined = _joined(before, event)
                if joined is not None and not in_ending(self.flow, joined):
                    action = action_at(self.flow, effect.source)
                    place = place_of(self.flow, joined) if action is None else action.position
                    if place.file != self.flow.file:
                        place = place_of(self.flow, joined)
                    self.suspects.append(
                        Suspect(
                            defect(
                                "dropped-together", f"two people have just been brought together, and `{effect.verb}` drops them both",
                                place, "leave them the line: `stand_by`, or `hang_up` with `for: agent`",
                            ),
                            before, more=((before, Edge(event, after)),),
                        )
                    )  # fmt: skip

    def found(self, exploration: Exploration) -> Suspects:
        yield from self.suspects


def _drops(effect: Start) -> bool:
    verb = verb_of(effect.verb)
    return "line" in verb.closes and not verb.parties_end and not verb.leaves(effect.arguments)


def _joined(node: Node, event: Input | None) -> Node | None:
    """Where the second of them came, if nothing but ends of what the flow itself does lies between; None otherwise."""
    while isinstance(event, EffectEnded):
        effect = node.snapshot.memory.effects.get(event.id)
        if event.status != "ok":
            return None  # something has gone wrong
        if effect is not None and verb_of(effect.verb).calls:
            return node if event.result.get("result") in ("accepted", "answered") else None
        if node.parent is None:
            return None
        node, event = node.parent, node.cause
    return None
