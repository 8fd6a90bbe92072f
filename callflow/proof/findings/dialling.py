"""Dials that cannot succeed."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import action_at, calls_far_end
from callflow.proof.finding import Seen, Suspect, Suspects, leaf_of
from callflow.proof.findings.ways import Without
from callflow.proof.node import Exploration, Situation, Where
from callflow.verify.places import defect


class Dialled:
    """The far end is dialled, and is on the line: that always fails."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if isinstance(event, Event) and event.name.endswith(".hangup"):
            return
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) else None
            leg = before.snapshot.memory.legs.get(MAIN_LEG)
            if action is not None and calls_far_end(action) and leg is not None and leg.status in ("on_line", "hold"):
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        untroubled = Without(exploration, _is_trouble)
        for action, passage in seen:
            way = untroubled.to(passage[0])
            if way is not None:
                yield Suspect(
                    defect(
                        "dialled-twice", "the far end is on the line, and is dialled once more: that always fails",
                        action.position, "lead to a state that does not dial", len(action.verb),
                    ),
                    way[0], frozenset({leaf_of(passage[1].target)}), (*way[1], passage),
                )  # fmt: skip


def _is_trouble(node: Where, event: Input) -> bool:
    """Whether somebody could not be taken off the line."""
    if not isinstance(event, EffectEnded) or event.status == "ok":
        return False
    verb = verb_of(node.snapshot.memory.effects[event.id].verb)
    return verb.drops_leg or bool(verb.closes) or verb.speech
