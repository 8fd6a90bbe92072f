"""Dials that cannot succeed."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Action, Flow
from callflow.core.occurs import Leaving
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.proof.finding import Seen, Suspect, Suspects, leaf_of
from callflow.proof.findings.ways import Without, breaks
from callflow.proof.node import Exploration, Situation, Where
from callflow.verify.places import defect


class Dialled:
    """Somebody is dialled who is on the line, and is not about to leave it: that always fails."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[Action, str]]:
        if isinstance(event, Event) and event.name.endswith(".hangup"):
            return
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) else None
            if action is not None and verb_of(action.verb).dials:
                leg = str(verb_of(action.verb).leg(action.arguments))
                if _is_there(before, leg) and Leaving(leg) not in after.facts:
                    yield action, leg

    def found(self, exploration: Exploration, seen: Seen[tuple[Action, str]]) -> Suspects:
        untroubled = Without(exploration, _is_trouble)
        for (action, leg), passage in seen:
            way = untroubled.to(passage[0])
            if way is not None:
                who = "the far end" if leg == MAIN_LEG else f"`{leg}`"
                yield Suspect(
                    defect(
                        "dialled-twice", f"{who} is on the line, and is dialled once more: that always fails", action.position,
                        "lead to a state that does not dial" if leg == MAIN_LEG else "take them off the line first: `remove_participant`",
                        len(action.verb),
                    ),
                    way[0], frozenset({leaf_of(passage[1].target)}), (*way[1], passage),
                )  # fmt: skip


def _is_there(at: Situation, leg: str) -> bool:
    """Whether somebody is on the line, and nobody takes them off it."""
    known = at.snapshot.memory.legs.get(leg)
    leaves = any(one.leg == leg and one.stopping for one in at.snapshot.memory.effects.values())
    return known is not None and known.status in ("on_line", "hold") and Leaving(leg) not in at.facts and not leaves


def _is_trouble(node: Where, event: Input) -> bool:
    """Whether something has failed that no author can do anything about, or could not be said before somebody was taken off the line."""
    if not isinstance(event, EffectEnded) or event.status == "ok":
        return False
    return breaks(node, event) or verb_of(node.snapshot.memory.effects[event.id].verb).speech
