"""A call that is played step by step.

Its steps are those of a scenario, and each is tried by playing that scenario anew: so what was played is what its scenario plays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from callflow.core.snapshot import Start
from callflow.play.choices import Choice, choices
from callflow.scenario import Impossible, Scenario, Step
from callflow.scenario.call import Call, Taken
from callflow.scenario.model import Act, Ends, Expects, Never, When
from callflow.scenario.playing import Failure, Player

GRID = 0.001
"""Seconds: as finely as a scenario tells times."""


class Place(NamedTuple):
    """How far a call has come: the steps, and how many inputs it has taken, how much was heard, how many seconds have passed."""

    steps: tuple[Step, ...]
    taken: int
    heard: int
    elapsed: float


class Played:
    """One call. `scenario` says how it begins."""

    def __init__(self, scenario: Scenario) -> None:
        """Raises StartError, and Impossible where its own steps cannot be."""
        self._begin = scenario
        self._player = self._play(tuple(scenario.steps))
        self._places = [self._place(tuple(scenario.steps))]

    @property
    def call(self) -> Call:
        return self._player.call

    @property
    def player(self) -> Player:
        return self._player

    @property
    def scenario(self) -> Scenario:
        """What was played, as a scenario without expectations."""
        return attrs.evolve(self._begin, steps=list(self._places[-1].steps))

    @property
    def over(self) -> bool:
        return self.call.snapshot.ended

    # -- forward

    def do(self, act: Act, seconds: float = 0.0) -> Failure | None:
        """Something happens: now, or so many seconds from now. Of an expectation the failure is returned, and it is kept only where it
        holds. Raises Impossible where it cannot happen."""
        if self.over and not isinstance(act, (Expects, Never)):
            raise Impossible("the call is over")
        found = self._found(act, seconds)
        if isinstance(found, Player):
            self._player = found
            self._places.append(self._place(tuple(found.scenario.steps)))
            return None
        if found is not None and isinstance(act, (Expects, Never)):
            return found
        raise Impossible(found.message if found else "a scenario cannot tell that apart from what has happened before")

    def choices(self) -> list[Choice]:
        """All that can happen now and that a scenario can say, so that what was before stays as it was."""
        each = choices(self._begin.flow, self.call)
        return [one for one in each if isinstance(self._found(one.act, one.seconds), Player)]

    def let_happen(self) -> bool:
        """Time passes until something happens by itself, with all that comes of it at that moment; false where nothing does any
        more."""
        before = self._place(self._places[-1].steps)
        if not self._fires(self._player, before):
            return False
        while not self.over and self._player.when() <= self.call.now:
            self._player.fire()
        self._places.append(self._place(before.steps))
        return True

    def wait(self, seconds: float) -> None:
        """So much time passes, with all that happens in it by itself."""
        until = self.call.now + seconds
        while not self.over and self._player.when() <= until:
            self._player.fire()
        if not self.over:
            self._player.advance(until)
        self._places.append(self._place(self._places[-1].steps))

    # -- what there is

    def running(self) -> list[Start]:
        """What runs, in the order in which it began."""
        effects = self._player.world.effects
        known = [effects.started(one.id) for one in self.call.snapshot.memory.effects.values() if not one.stopping]
        return [one for one in known if one is not None]

    def upcoming(self) -> tuple[float, Taken | None] | None:
        """What happens next by itself, and in how many seconds: a step, or but the end of what is being said; None where nothing
        does."""
        before, player = self._places[-1], self._again()
        if not self._fires(player, before):
            return None
        seconds = round(player.call.elapsed - before.elapsed, 6)
        return seconds, player.call.taken[-1] if len(player.call.taken) > before.taken else None

    # -- back

    def back(self) -> bool:
        """The last of these is taken back; false where there is none."""
        if len(self._places) == 1:
            return False
        self._places.pop()
        self._player = self._again()
        return True

    # -- how

    def _found(self, act: Act, seconds: float) -> Player | Failure | None:
        """The call in which this happens next; or why it cannot."""
        steps, failed = self._places[-1].steps, None
        for step in self._ways(act, seconds):
            player = Player(attrs.evolve(self._begin, steps=[*steps, step]))
            failures = [player.do(number) for number in range(len(steps) + 1)]
            if failures[-1] is None and self._continues(player):
                return player
            failed = failures[-1] or failed
        return failed

    @staticmethod
    def _fires(player: Player, before: Place) -> bool:
        """Whether something happens by itself after that, of which the call or somebody in it hears."""
        while (len(player.call.taken), len(player.call.heard)) == (before.taken, before.heard):
            if player.call.snapshot.ended or player.when() == math.inf:
                return False
            player.fire()
        return True

    def _play(self, steps: tuple[Step, ...]) -> Player:
        player = Player(attrs.evolve(self._begin, steps=list(steps)))
        for number in range(len(steps)):
            failure = player.do(number)
            if failure is not None:
                raise Impossible(failure.message)
        return player

    def _again(self) -> Player:
        """The call anew, as far as it has come."""
        place = self._places[-1]
        player = self._play(place.steps)
        while len(player.call.taken) < place.taken or len(player.call.heard) < place.heard:
            player.fire()
        player.call.now = max(player.call.now, player.call.began + place.elapsed)
        return player

    def _place(self, steps: tuple[Step, ...]) -> Place:
        call = self.call
        return Place(steps, len(call.taken), len(call.heard), call.elapsed)

    def _ways(self, act: Act, seconds: float) -> Iterator[Step]:
        """The step, at the times and with the numbers under which the past may stay as it was: the plainest first."""
        for when in self._times(act, seconds):
            yield Step(act, when)
            if isinstance(act, Ends) and act.effect is None:
                yield from (
                    Step(act._replace(effect=one.id), when)
                    for one in self.call.snapshot.memory.effects.values()
                    if one.verb == act.verb and not one.stopping
                )

    def _times(self, act: Act, seconds: float) -> Iterator[When]:
        last = self._places[-1]
        still = len(self._places) == 1 or self._places[-2].steps != last.steps
        settled = self._player.world.effects.schedule.settled and seconds == 0.0 and self._has_just_happened
        if settled or isinstance(act, (Expects, Never)) or (isinstance(act, Ends) and self._waits(act)):
            yield "settled"
        if still and last.steps and seconds == 0.0:
            yield "now"
        at = math.ceil((self.call.elapsed + seconds) / GRID - 1e-6) * GRID
        yield round(at, 3)
        yield round(at + GRID, 3)

    def _waits(self, act: Ends) -> bool:
        """Whether it ends when it would by itself, or its time is up: nothing else is under way."""
        if act.ending.status == "timed_out":
            return True
        effects = self.call.snapshot.memory.effects
        return self._player.world.effects.schedule.settled_but(
            {one.id for one in effects.values() if one.verb == act.verb}
        )

    @property
    def _has_just_happened(self) -> bool:
        """Whether no time has passed since the last thing happened."""
        heard = self.call.heard[-1].ended - self.call.began if self.call.heard else 0.0
        return self.call.elapsed <= max(self.call.taken[-1].time, heard) + GRID / 2

    def _continues(self, player: Player) -> bool:
        """Whether this call has the past of ours, and goes on from it."""
        mine = [one.step.event for one in self.call.taken]
        same = [one.step.event for one in player.call.taken[: len(mine)]] == mine
        return same and player.call.now >= self.call.now - GRID
