"""The times of an exploration: how long things take at most, which timer comes first, what a step makes of a zone."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from callflow.core.actions import verb_of
from callflow.core.clocks import SETTLE_SECONDS, STOP_SECONDS, rank
from callflow.core.events import EffectEnded
from callflow.core.flow import ROOT, Flow
from callflow.core.lasts import lasts, within
from callflow.core.occurs import Facts
from callflow.core.possible import action_of
from callflow.core.snapshot import Memory, Running, Snapshot, Timer
from callflow.core.statechart.lists import actions_during, given
from callflow.core.table import table_of
from callflow.core.verbs.limits import STOPS, any_time
from callflow.proof.node import MICRO, Moment, Node, Stopwatches, timer_of
from callflow.proof.zone import NEVER, Zone, example, with_moments

Span = tuple[int, int]
Counted = dict[str, Span]

DETECTION = "detection"


class Timing:
    """What is known of the times of one flow's calls."""

    def __init__(self, flow: Flow, stopwatches: Stopwatches) -> None:
        self.flow = flow
        self.table = table_of(flow)
        self.stopwatches: Stopwatches = {**stopwatches, DETECTION: _looks}
        self._detection = longest_detection(flow)
        self._mosts: dict[tuple[str, object], int] = {}
        self._ranks: dict[tuple[str, str, int], tuple[int, int, int, int]] = {}

    # -- how long ----------------------------------------------------------------------------------------------------

    def floor(self, node: Node, moment: Moment) -> int:
        """How far back a moment can lie: no timer is overdue, no effect outlasts its time limit. Nothing has lasted longer than the
        call, of which a timer of the top level that has yet to fire knows how long that is at most."""
        memory = node.snapshot.memory
        if moment.kind == "timer":
            return 0
        if moment.kind == "effect":
            return -self._most(memory.effects[moment.number])
        since = (self._seconds(one) for one in memory.timers if one.kind == "after" and one.state == ROOT)
        longest = min(since, default=NEVER)
        return -min(longest, self._detection) if moment.name == DETECTION else -longest

    def widest(self, node: Node, moment: Moment) -> int:
        """How far ahead of now a moment can lie; less than 0: behind it."""
        timer = timer_of(node.snapshot.memory, moment)
        return self.floor(node, moment) if timer is None else self._seconds(timer)

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

    def _is_timed(self, effect: Running) -> bool:
        """Whether it matters when it has begun: it takes some time, or cannot take longer than another."""
        ends = verb_of(effect.verb).ends
        return self._most(effect) < NEVER or any(end.lasts is not any_time for end in ends)

    # -- what comes first --------------------------------------------------------------------------------------------

    def always_later(self, node: Node, zone: Zone, place: int) -> bool:
        """Whether another timer always fires before the one at this place."""
        size = len(node.moments) + 1
        mine = self._rank(node, node.moments[place - 1])
        for other, moment in enumerate(node.moments, 1):
            if other != place and moment.kind == "timer":
                apart = zone[other * size + place]
                if apart < 0 or (apart == 0 and self._rank(node, moment) < mine):
                    return True
        return False

    def _rank(self, node: Node, moment: Moment) -> tuple[int, int, int, int]:
        timer = timer_of(node.snapshot.memory, moment)
        if timer is None:
            raise LookupError(moment)
        which = timer.kind, timer.state, timer.row
        if which not in self._ranks:
            self._ranks[which] = rank(self.table, timer)
        return self._ranks[which]

    def at(self, node: Node, zone: Zone, moment: Moment, ago: int) -> tuple[Snapshot, float]:
        """A call of the node at the time at which a moment lies so long ago: the one at hand, if it gets there."""
        memory = node.snapshot.memory
        timer = timer_of(memory, moment)
        now = max(node.now, memory.effects[moment.number].started + ago / MICRO) if timer is None else timer.due
        overdue = any(one.due < now - _TELLS for one in memory.timers)
        outlasted = any(one.started + self._most(one) / MICRO < now - _TELLS for one in memory.effects.values())
        return (_moved(node, zone), node.now) if overdue or outlasted else (node.snapshot, now)

    # -- what a step makes of a zone ---------------------------------------------------------------------------------

    def after(
        self, before: Node, zone: Zone, snapshot: Snapshot, facts: Facts, now: float
    ) -> tuple[tuple[Moment, ...], Zone, Counted]:
        """The moments of a node after a step, their zone, and how long each silence that is paused has lasted."""
        memory = snapshot.memory
        spans = dict(self._moments(before, memory, now))
        running = sorted(name for name, holds in self.stopwatches.items() if holds(snapshot, facts))
        spans |= {Moment("watch", name=name): (0, 0) for name in running}
        known = {moment: place for place, moment in enumerate(before.moments, 1)}
        kept = [moment for moment in spans if moment in known]
        fresh = [moment for moment in spans if moment not in known]
        made = with_moments(zone, [known[moment] for moment in kept], [spans[moment] for moment in fresh])
        if fresh and kept:  # in the order in which the snapshot has them
            places = {moment: place for place, moment in enumerate((*kept, *fresh), 1)}
            made = with_moments(made, [places[moment] for moment in spans], ())
        return tuple(spans), made, self._counted(before, zone, memory, now)

    def _moments(self, before: Node, memory: Memory, now: float) -> list[tuple[Moment, Span]]:
        found = [(Moment("timer", timer.generation), self._due(before, timer, now)) for timer in memory.timers]
        for effect in memory.effects.values():
            if self._is_timed(effect):
                began = _micro(effect.started - now)
                found.append((Moment("effect", effect.id), (began, began)))
        return found

    def _due(self, before: Node, timer: Timer, now: float) -> Span:
        due = _micro(timer.due - now)
        if timer.kind != "silence" or timer.state not in before.counted:
            return due, due
        least, most = before.counted[timer.state]
        return max(self._seconds(timer) - most, 0), max(self._seconds(timer) - least, 0)

    def _counted(self, before: Node, zone: Zone, memory: Memory, now: float) -> Counted:
        found: Counted = {}
        for path, silence in memory.silences.items():
            earlier = before.snapshot.memory.silences.get(path)
            if silence.since is not None:
                continue
            if not silence.counted:
                found[path] = (0, 0)
            elif earlier is not None and earlier.since is None and path in before.counted:
                found[path] = before.counted[path]
            else:
                found[path] = self._lasted(before, zone, path, silence.counted)
        return found

    def _lasted(self, before: Node, zone: Zone, path: str, counted: float) -> Span:
        """How long a silence has lasted that pauses now, by when its next row would have been due."""
        size = len(before.moments) + 1
        for place, moment in enumerate(before.moments, 1):
            timer = timer_of(before.snapshot.memory, moment)
            if timer is not None and timer.kind == "silence" and timer.state == path:
                seconds = self._seconds(timer)
                return seconds - zone[place * size], seconds + zone[place]
        return _micro(counted), _micro(counted)


_TELLS = 1e-9


def _micro(seconds: float) -> int:
    return NEVER if seconds == inf else round(seconds * MICRO)


def _looks(_: Snapshot, facts: Facts) -> bool:
    return "detection" in facts


def longest_detection(flow: Flow) -> int:
    """How long a look at who has answered takes at most."""
    looks = [ways.get("timeout") for ways in given(actions_during(flow), "detection") if isinstance(ways, Mapping)]
    usual = verb_of("detect_machine").timeout or 0.0
    return _micro(max((one for one in looks if isinstance(one, int | float)), default=usual) + STOPS)


def _moved(node: Node, zone: Zone) -> Snapshot:
    """Another call of the node: with the times that the zone has as an example, from now."""
    memory = node.snapshot.memory
    times = dict(zip(node.moments, example(zone), strict=True))
    timers = []
    silences = dict(memory.silences)
    for timer in memory.timers:
        due = node.now + times[Moment("timer", timer.generation)] / MICRO
        if timer.kind == "silence":
            one = silences[timer.state]
            if one.since is not None:
                silences[timer.state] = one._replace(since=one.since + due - timer.due)
        timers.append(timer._replace(due=due))
    effects = {}
    for number, effect in memory.effects.items():
        started = times.get(Moment("effect", number))
        effects[number] = effect if started is None else effect._replace(started=node.now + started / MICRO)
    moved = memory._replace(timers=tuple(timers), silences=silences, effects=effects)
    return node.snapshot._replace(memory=moved)
