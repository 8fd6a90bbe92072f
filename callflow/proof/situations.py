"""The situations of a flow's calls: what can happen in each, and what comes of it. Each step is taken once, however many times there are
at which it can be."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.flow import Flow
from callflow.core.key import key
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import afterwards
from callflow.core.snapshot import Snapshot, Step
from callflow.core.step import step
from callflow.core.values.representatives import representatives_of
from callflow.proof.forget import NOTHING, Forgetting, canonical
from callflow.proof.node import Moment, Move, Outcome, Situation, Stopwatches, timer_of
from callflow.proof.timing import Timing, paused
from callflow.proof.world import World


class Situations:
    """Those of one flow, each of them once."""

    def __init__(self, flow: Flow, stopwatches: Stopwatches) -> None:
        self._timing = Timing(flow, stopwatches)
        self._flow = flow
        self._world = World(flow)
        self.forgetting = Forgetting(flow)
        self.by_the_clock = bool(representatives_of(flow).by_the_clock)
        self._known: dict[Hashable, Situation] = {}

    def first(self, begun: Step) -> Outcome:
        """That in which a call is after its first step."""
        now = begun.snapshot.memory.started
        nothing = Situation(Snapshot((), NOTHING), AT_FIRST, now, began=now if self.by_the_clock else 0.0)
        return self._leads_to(nothing, begun, AT_FIRST, now)

    def moves(self, situation: Situation) -> tuple[Move, ...]:
        """What can happen: timers first, then the ends of what runs, then the events."""
        if situation.moves is None:
            situation.moves = tuple(self._moves(situation))
        return situation.moves

    def outcome(self, situation: Situation, move: Move) -> Outcome:
        """What comes of a move."""
        if move.outcome is None:
            taken = step(self._flow, situation.snapshot, move.event)
            facts = afterwards(self._flow, situation.snapshot, situation.facts, move.event)
            move.outcome = self._leads_to(situation, taken, facts, move.event.time)
        return move.outcome

    def longest_silence(self, path: str) -> int:
        """The longest that a paused silence can have lasted before all its rows had fired, in microseconds."""
        return self._timing.longest_silence(path)

    # -- what can happen ---------------------------------------------------------------------------------------------

    def _moves(self, situation: Situation) -> Iterator[Move]:
        snapshot, facts, now = situation.snapshot, situation.facts, situation.now
        over = self._world.over(snapshot, facts)
        if over is not None:  # it ends before anything else
            for event in self._world.happens(snapshot, facts, now):
                if isinstance(event, EffectEnded) and event.id == over.id:
                    yield Move(event)
            return
        for place, moment in enumerate(situation.moments, 1):
            timer = timer_of(snapshot.memory, moment)
            if timer is not None:
                sooner = self._timing.sooner(situation, place)
                yield Move(TimerFired(timer.generation, timer.due), place, 0, sooner)
        for event in self._world.happens(snapshot, facts, now):
            yield Move(event) if isinstance(event, Event) else self._end(situation, event)
        word = self._world.word(snapshot, facts, now)
        if word is not None:
            silences = snapshot.memory.silences.values()
            yield Move(word, after_silence=not any(one.since is not None or one.fired for one in silences))

    def _end(self, situation: Situation, end: EffectEnded) -> Move:
        moment = Moment("effect", end.id)
        least = self._timing.least(situation.snapshot.memory.effects[end.id], end)
        if moment not in situation.moments or not least:
            return Move(end)
        return Move(end, situation.moments.index(moment) + 1, -least)

    # -- what comes of it --------------------------------------------------------------------------------------------

    def _leads_to(self, before: Situation, taken: Step, facts: Facts, now: float) -> Outcome:
        facts = self.forgetting.facts(taken.snapshot, facts)
        at = before.snapshot
        if (
            taken.snapshot.memory is at.memory
            and taken.snapshot.configuration == at.configuration
            and facts == before.facts
        ):
            return Outcome(taken, before, self._timing.shift(before, at, before, now))  # nothing has changed
        snapshot = self.forgetting.snapshot(taken.snapshot, before.snapshot.memory)
        what = key(snapshot, now).what
        which = what, facts, before.began
        found = self._known.get(which)
        if found is None:
            found = self._known[which] = self._new(Situation(canonical(snapshot, now), facts, now, what, before.began))
        return Outcome(taken, found, self._timing.shift(before, snapshot, found, now))

    def _new(self, situation: Situation) -> Situation:
        """With what is known of its times."""
        snapshot = situation.snapshot
        moments = situation.moments = self._timing.moments(snapshot, situation.facts)
        situation.counted = paused(snapshot.memory)
        situation.floors = tuple(self._timing.floor(snapshot, moment) for moment in moments)
        situation.widest = tuple(self._timing.widest(snapshot, moment) for moment in moments)
        situation.passes = self._world.over(snapshot, situation.facts) is None
        if situation.passes:
            places = enumerate(moments, 1)
            situation.watched = tuple((moment.name, place) for place, moment in places if moment.kind == "watch")
        return situation
