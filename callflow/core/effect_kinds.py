"""What a flow says by itself of an effect that was started for one of its actions: worked out once for each action, and then looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.durations import Span
from callflow.core.events import MAIN_LEG, NO_DATA
from callflow.core.flow import Action, Flow
from callflow.core.lasts import Status, lasts, within
from callflow.core.occurs import Fact, Facts, Leaving, Music
from callflow.core.snapshot import Running
from callflow.core.statechart.action_lists import action_at
from callflow.core.verbs.verb import End

CACHE_LIMIT = 4096  # a journal of another flow may name any place


class EffectKind:
    """An effect of one action. `action` is None where nobody has written that; `within` is when it is out of time."""

    def __init__(self, flow: Flow, effect: Running) -> None:
        self.verb = verb_of(effect.verb)
        self.action = action_of(flow, effect)
        self.arguments: Mapping[str, Any] = NO_DATA if self.action is None else self.action.arguments
        self.leg = self.verb.leg(self.arguments)
        self.within = within(effect, self.action)
        self._spans: dict[tuple[Status, End | None], Span] = {}
        self._changes: dict[tuple[End, bool], tuple[Facts, Facts]] = {}

    def lasts(self, effect: Running, status: Status, result: Mapping[str, Any]) -> Span:
        """How long it takes to such an end, as `callflow.core.lasts` says it; of one that is not being stopped."""
        which = status, self.verb.end(result) if status == "ok" else None
        known = self._spans.get(which)
        if known is None:
            known = self._spans[which] = lasts(effect, self.action, status, result)
        return known

    def afterwards(self, facts: Facts, status: Status, result: Mapping[str, Any]) -> Facts:
        """What is so after it."""
        if status != "ok":
            return facts - {Music(MAIN_LEG)} if self.verb.holds_far_end else facts
        end, answered = self.verb.end(result), result.get("result") == "answered"
        known = self._changes.get((end, answered))
        if known is None:
            known = self._changes[end, answered] = self._change(end, answered)
        takes, adds = known
        return facts if takes.isdisjoint(facts) and adds <= facts else facts - takes | adds

    def _change(self, end: End, answered: bool) -> tuple[Facts, Facts]:
        """What is not so any more, and what is."""
        verb = self.verb
        takes: set[Fact | Music | Leaving] = {*end.occurs.takes}
        adds: set[Fact | Music | Leaving] = {*end.occurs.adds}
        takes.update(one for one in verb.closes if one != "speech")
        if "session" in verb.closes:
            takes.add("conversation")
        if verb.holds_far_end:
            takes.add(Music(MAIN_LEG))
        if self.action is not None:
            if verb.drops_leg:
                adds.add(Leaving(self.leg))
            if verb.leg_after is not None:
                takes.add(Music(self.leg))
            if any(verb.sounds(self.arguments, afterwards=True)):
                adds.add(Music(self.leg))
            if answered and verb.given("detection", self.arguments) is not None:
                adds.add("detection")
        return frozenset(takes), frozenset(adds)


def kind_of(flow: Flow, effect: Running) -> EffectKind:
    """What is known of this effect."""
    known: dict[tuple[str, tuple[str, str | int, int]], EffectKind] | None = flow.made.get("effect kinds")
    if known is None:
        known = flow.made["effect kinds"] = {}
    which = effect.verb, effect.source
    found = known.get(which)
    if found is None:
        if len(known) >= CACHE_LIMIT:
            known.clear()
        found = known[which] = EffectKind(flow, effect)
    return found


def action_of(flow: Flow, effect: Running) -> Action | None:
    """What an effect was started for; None where nobody has written that."""
    action = action_at(flow, effect.source)
    return action if action is not None and action.verb == effect.verb else None
