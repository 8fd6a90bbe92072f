"""The times of an exploration: how long things take at most, which timer comes first, what a step makes of a zone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import inf

from callflow.core.actions import verb_of
from callflow.core.clocks import SETTLE_SECONDS, STOP_SECONDS, rank
from callflow.core.events import EffectEnded
from callflow.core.flow import ROOT, Flow
from callflow.core.lasts import lasts, within
from callflow.core.occurs import Facts
from callflow.core.possible import action_of
from callflow.core.snapshot import Memory, Running, Snapshot, Timer
from callflow.core.speaking import SAID_WITHIN
from callflow.core.statechart.action_lists import actions_during, given
from callflow.core.table import table_of
from callflow.core.verbs.limits import STOPS, any_time
from callflow.proof.node import MICRO, Moment, Situation, Stopwatches, timer_of
from callflow.proof.shift import Count, Kept, Lasted, Resumed, Shift, Source
from callflow.proof.zone import NEVER

DETECTION = "detection"


class Timing:
    """What is known of the times of one flow's calls."""

    def __init__(self, flow: Flow, stopwatches: Stopwatches) -> None:
        self.flow = flow
        self.table = table_of(flow)
        self.stopwatches: Stopwatches = {**stopwatches, DETECTION: _looks}
        self._detection = longest_detection(flow)
        self._mosts: dict[tuple[str, object], int] = {}
        self._shifts: dict[Hashable, Shift] = {}
        self._ranks: dict[tuple[str, str, int], tuple[int, int, int, int]] = {}

    # -- how long ----------------------------------------------------------------------------------------------------

    def floor(self, snapshot: Snapshot, moment: Moment) -> int:
        """How far back a moment can lie: no timer is overdue, no effect outlasts its time limit. Nothing has lasted longer than the
        call, of which a timer of the top level that has yet to fire knows how long that is at most."""
        memory = snapshot.memory
        if moment.kind == "timer":
            return 0
        if moment.kind == "effect":
            return -self._at_most(memory, memory.effects[moment.number])
        since = (self._seconds(one) for one in memory.timers if one.kind == "after" and one.state == ROOT)
        longest = min(since, default=NEVER)
        return -min(longest, self._detection) if moment.name == DETECTION else -longest

    def widest(self, snapshot: Snapshot, moment: Moment) -> int:
        """How far ahead of now a moment can lie; less than 0: behind it."""
        timer = timer_of(snapshot.memory, moment)
        return self.floor(snapshot, moment) if timer is None else self._seconds(timer)

    def longest_silence(self, path: str) -> int:
        """The longest that a paused silence can have lasted before all its rows had fired."""
        return max((_micro(timer.seconds) for timer in self.table.states[path].silences), default=0)

    def least(self, effect: Running, end: EffectEnded) -> int:
        """How long it takes at least to end in this way."""
        return _micro(lasts(effect, action_of(self.flow, effect), end.status, end.result).least)

    def _seconds(self, timer: Timer) -> int:
        own = {
            "stop": STOP_SECONDS, "settle": SETTLE_SECONDS, "answer": self.flow.limits.answer, "away": self.flow.reconnect_grace,
        }  # fmt: skip
        if timer.kind in own:
            return NEVER if own[timer.kind] is None else _micro(own[timer.kind] or 0.0)
        return _micro(self.table.states[timer.state].timers[timer.row].seconds)

    def _most(self, effect: Running) -> int:
        which = effect.verb, effect.source
        known = self._mosts.get(which)
        if known is None:
            at_once = verb_of(effect.verb).last  # nothing waits for it
            most = 0.0 if at_once else within(effect, action_of(self.flow, effect)).most
            known = self._mosts[which] = _micro(most)
        return known

    def _at_most(self, memory: Memory, effect: Running) -> int:
        """How long it takes at most now: what is for one leg alone, and is heard there, no longer than its words and what is said
        before them."""
        most, to = self._most(effect), self._told_to(effect)
        leg = None if to is None else memory.legs.get(to)
        if leg is None or leg.status not in ("on_line", "hold"):
            return most
        others = any(verb_of(one.verb).speech and one is not effect for one in memory.effects.values())
        return min(most, self._words(effect) + (_micro(SAID_WITHIN) if others else 0))

    def _told_to(self, effect: Running) -> str | None:
        action = action_of(self.flow, effect)
        if action is None or not verb_of(effect.verb).speech:
            return None
        to = verb_of(effect.verb).given("listener", action.arguments)
        return None if to is None else str(to)

    def _words(self, effect: Running) -> int:
        action = action_of(self.flow, effect)
        whole = lasts(effect, action, "ok", {"interrupted": False, "heard": True}).most
        return _micro(whole)

    def _is_timed(self, effect: Running) -> bool:
        """Whether it matters when it has begun: it takes some time, or cannot take longer than another; what is cancelled ends at
        once."""
        if effect.stopping:
            return False
        ends = verb_of(effect.verb).ends
        return self._most(effect) < NEVER or any(end.lasts is not any_time for end in ends)

    # -- what comes first --------------------------------------------------------------------------------------------

    def sooner(self, situation: Situation, place: int) -> tuple[tuple[int, int], ...]:
        """By which bounds of a zone another timer always fires before the one at this place: their places, and what they are less than
        then."""
        size = len(situation.moments) + 1
        mine = self._rank(situation, place)
        return tuple(
            (other * size + place, 1 if self._rank(situation, other) < mine else 0)
            for other, moment in enumerate(situation.moments, 1)
            if other != place and moment.kind == "timer"
        )

    def _rank(self, situation: Situation, place: int) -> tuple[int, int, int, int]:
        timer = timer_of(situation.snapshot.memory, situation.moments[place - 1])
        if timer is None:
            raise LookupError(place)
        which = timer.kind, timer.state, timer.row
        if which not in self._ranks:
            self._ranks[which] = rank(self.table, timer)
        return self._ranks[which]

    # -- what a step makes of times ----------------------------------------------------------------------------------

    def moments(self, snapshot: Snapshot, facts: Facts) -> tuple[Moment, ...]:
        """What the zones of a situation tell of."""
        running = sorted(name for name, holds in self.stopwatches.items() if holds(snapshot, facts))
        return (*self._of_the_call(snapshot.memory), *(Moment("watch", name=name) for name in running))

    def _of_the_call(self, memory: Memory) -> list[Moment]:
        """The moments of which the call itself knows."""
        found = [Moment("timer", timer.generation) for timer in memory.timers]
        return found + [Moment("effect", effect.id) for effect in memory.effects.values() if self._is_timed(effect)]

    def shift(self, before: Situation, snapshot: Snapshot, after: Situation, now: float) -> Shift:
        """What becomes of the times of a situation, by a step that has led, `now`, to this snapshot of another."""
        known = {moment: place for place, moment in enumerate(before.moments, 1)}
        moments = self._of_the_call(snapshot.memory)
        sources: tuple[Source, ...] = tuple(
            Kept(known[moment]) if moment in known else self._begins(before, snapshot.memory, moment, now)
            for moment in (*moments, *after.moments[len(moments) :])
        )
        counts = tuple(self._counts(before, snapshot.memory, path) for path in paused(snapshot.memory))
        which = len(before.moments) + 1, sources, counts, after.floors if after.passes else None
        found = self._shifts.get(which)
        if found is None:
            found = self._shifts[which] = Shift(*which)
        return found

    def _begins(self, before: Situation, memory: Memory, moment: Moment, now: float) -> Source:
        """When a moment lies that was not there before."""
        timer = timer_of(memory, moment)
        if timer is None:
            return 0, 0
        if timer.kind == "silence" and timer.state in before.counted and memory.silences[timer.state].counted:
            return Resumed(before.counted.index(timer.state), self._seconds(timer))
        due = _micro(timer.due - now)
        return due, due

    def _counts(self, before: Situation, memory: Memory, path: str) -> Count:
        """How long a silence that is paused has lasted: as before, or by when its next row would have been due; not at all where
        somebody was heard."""
        if not memory.silences[path].counted:
            return 0, 0
        if path in before.counted:
            return Kept(before.counted.index(path))
        for place, moment in enumerate(before.moments, 1):
            timer = timer_of(before.snapshot.memory, moment)
            if timer is not None and timer.kind == "silence" and timer.state == path:
                return Lasted(place, self._seconds(timer))
        longest = self.longest_silence(path)
        return longest, longest  # no row of it has yet to fire


def paused(memory: Memory) -> tuple[str, ...]:
    """The silences that do not count now."""
    return tuple(path for path, silence in memory.silences.items() if silence.since is None)


def _micro(seconds: float) -> int:
    return NEVER if seconds == inf else round(seconds * MICRO)


def _looks(_: Snapshot, facts: Facts) -> bool:
    return "detection" in facts


def longest_detection(flow: Flow) -> int:
    """How long a look at who has answered takes at most."""
    looks = [ways.get("timeout") for ways in given(actions_during(flow), "detection") if isinstance(ways, Mapping)]
    usual = verb_of("detect_machine").timeout or 0.0
    return _micro(max((one for one in looks if isinstance(one, int | float)), default=usual) + STOPS)
