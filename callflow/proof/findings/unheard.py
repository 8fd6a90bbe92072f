"""Words that do not come to the far end: it is on hold, or somebody else is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Input
from callflow.core.flow import Action, Flow
from callflow.core.heard import hears, on_hold
from callflow.core.macrostep import LIVE
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.proof.finding import Seen, Suspect, Suspects, in_ending, leaf_of
from callflow.proof.findings.goodbyes import words_of_goodbye
from callflow.proof.findings.speech import says
from callflow.proof.findings.ways import Without, breaks, dropping_after, ended_well
from callflow.proof.listening import parties, turn
from callflow.proof.node import Exploration, Node, Passage, Situation
from callflow.verify.places import defect, warning


class OnHold:
    """Words for everybody that are begun while the far end is on hold, and nobody else is on the line: nobody hears them. Where several
    regions are active one may speak into a hold that another has begun."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        snapshot = taken.snapshot
        if not on_hold(snapshot) or not _is_there(snapshot) or breaks(before, event):
            return
        if len(snapshot.configuration) > 1:
            return
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) and says(effect.verb) else None
            if action is None or not isinstance(effect, Start) or effect.arguments.get("loop"):
                continue
            verb = verb_of(effect.verb)
            if verb.given("listener", effect.arguments) is None and not any(
                hears(snapshot, verb, effect.arguments, who) for who in parties(snapshot)
            ):
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        untroubled = Without(exploration, breaks)
        told: set[str] = set()  # where they were put on hold
        for action, passage in seen:
            way = untroubled.to(passage[0])
            since = "" if way is None else _put_on_hold(way[1])
            if way is None or since in told:
                continue
            told.add(since)
            yield Suspect(
                defect(
                    "said-to-nobody", f"`{action.verb}` is begun while the far end is on hold: nobody hears it",
                    action.position, "`resume` first, or say it `to: far_end`", len(action.verb),
                ),
                way[0], frozenset({leaf_of(passage[0]), since}), (*way[1], passage),
            )  # fmt: skip


def _put_on_hold(way: Sequence[Passage]) -> str:
    """The state in which the far end was put on hold, at last."""
    return next((leaf_of(node) for node, _ in reversed(way) if not on_hold(node.snapshot)), "")


class ToAnother:
    """A goodbye that somebody else hears, or words for everybody while the far end is on hold; and then the line drops on the far end,
    who has heard nothing."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if not isinstance(event, EffectEnded) or not ended_well(event) or not _is_there(taken.snapshot):
            return
        effect = before.snapshot.memory.effects[event.id]
        action = action_at(self.flow, effect.source) if says(effect.verb) and not effect.stopping else None
        if action is None or hears(before.snapshot, verb_of(effect.verb), action.arguments):
            return
        alone = len(before.snapshot.configuration) == 1  # where it is, words that nobody hears are told as such
        if alone and not any(_heard(self.flow, before, event, who) for who in parties(before.snapshot)):
            return
        if verb_of(effect.verb).given("listener", action.arguments) is None or words_of_goodbye(action):
            yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        untroubled = Without(exploration, breaks)
        for action, passage in seen:
            way, dropped = untroubled.to(passage[0]), dropping_after(passage, self._is_silent)
            if way is None or dropped is None or self._was_told(passage[0]):
                continue
            yield Suspect(
                warning(
                    "cut-off", f"the far end does not hear what `{action.verb}` says, and the line drops: they are told nothing",
                    action.position, "say it to them, or to everybody, and off hold", len(action.verb),
                ),
                way[0], more=(*way[1], *dropped[1]), after="The far end was told nothing.",
            )  # fmt: skip

    def _is_silent(self, node: Node) -> bool:
        """Whether nothing is said to the far end here, and they cannot answer."""
        for effect in node.snapshot.memory.effects.values():
            action = action_at(self.flow, effect.source)
            verb = verb_of(effect.verb)
            if verb.parties_end:
                return False
            if (
                action is not None
                and verb.speech
                and not effect.stopping
                and hears(node.snapshot, verb, action.arguments)
            ):
                return False
        return in_ending(self.flow, node) or not self.turn(node.snapshot, node.facts)

    def _was_told(self, node: Node) -> bool:
        """Whether the far end has just heard something, and nothing has happened since but that what was begun has ended."""
        while node.parent is not None and node.cause is not None and ended_well(node.cause):
            if _heard(self.flow, node.parent.situation, node.cause, MAIN_LEG):
                return True
            node = node.parent
        return False


def _heard(flow: Flow, before: Situation, event: Input, who: str) -> bool:
    """Whether this is the end of something that was said to this leg."""
    effect = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
    action = None if effect is None else action_at(flow, effect.source)
    if effect is None or action is None or not says(effect.verb):
        return False
    return hears(before.snapshot, verb_of(effect.verb), action.arguments, who)


def _is_there(snapshot: Snapshot) -> bool:
    """Whether the far end is on the line, and the line and the session are open."""
    memory = snapshot.memory
    return memory.phase in LIVE and MAIN_LEG in parties(snapshot) and not memory.closed & {"session", "line"}
