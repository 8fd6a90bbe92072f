"""A scenario is played on the pure core, in virtual time: each of its steps in turn, and between them what happens by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import KEYS, MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow, Position
from callflow.core.lasts import within
from callflow.core.possible import action_of
from callflow.core.snapshot import Running, Start
from callflow.core.speaking import seconds
from callflow.errors import StartError
from callflow.runtime.record import CallRecord
from callflow.scenario.audible import Audible
from callflow.scenario.call import Call, Heard, Impossible, Seen, Taken, Unending
from callflow.scenario.expectations import Unmet, time_shown, unmet
from callflow.scenario.later import StillToCome
from callflow.scenario.model import (
    Calls,
    Conditions,
    Ends,
    Expects,
    Fires,
    Never,
    Occurs,
    Presses,
    Replies,
    Scenario,
    Speaks,
    Step,
    Waits,
)
from callflow.scenario.running import is_given_up, oldest, timer_name, usual
from callflow.scenario.telephones import verdict
from callflow.scenario.voice import Speech
from callflow.scenario.watching import Since, watch
from callflow.scenario.world import World

BETWEEN_KEYS = 0.3
"""Seconds from one key to the next."""


class Failure(NamedTuple):
    """What is not as the scenario says: where in its file, in a sentence; of an expectation each condition that does not hold."""

    position: Position
    message: str
    unmet: tuple[Unmet, ...] = ()


class Result(NamedTuple):
    """One scenario, played. Without a failure all that it expects came true. `record` is None where the call did not start. `skipped` is why
    it was not played at all, in a sentence: it says what the way in which it is played cannot do. `runs` are the calls where models
    have played several, and `notes` what is told of them."""

    scenario: Scenario
    failure: Failure | None
    taken: tuple[Taken, ...] = ()
    heard: tuple[Heard, ...] = ()
    record: CallRecord | None = None
    skipped: str = ""
    notes: tuple[str, ...] = ()
    runs: tuple[Result, ...] = ()

    @property
    def passed(self) -> bool:
        return self.failure is None and not self.skipped

    @property
    def inputs(self) -> list[Input]:
        """All inputs of the call, in their order."""
        return [one.step.event for one in self.taken if one.step.event is not None]


NOT_GIVEN_UP = "our own connection is not lost: that is told `limits.reconnecting` after `room.reconnecting`, by itself"
UNPLAYED = "a model plays its caller, and it has no steps for when none does: `callflow test --models`"
NOT_JUDGED = "no model has played its caller, and nothing was judged: `callflow test --models`"


def play(scenario: Scenario) -> Result:
    """Plays one scenario, to its end or its first failure; one with a persona by its own steps, and skipped where it has none."""
    if scenario.persona is not None and not scenario.steps:
        return Result(scenario, None, skipped=UNPLAYED)
    notes = () if scenario.persona is None else (NOT_JUDGED,)
    try:
        player = Player(scenario)
    except StartError as error:
        return Result(scenario, Failure(scenario.position, f"the call cannot start: {error}"))
    failure = player.run()
    call = player.call
    return Result(scenario, failure, tuple(call.taken), tuple(call.heard), call.record(), notes=notes)


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class Forbidden:
    """What must not be so at any moment of a call."""

    def __init__(self, never: Conditions | None, call: Seen) -> None:
        self._never, self._call = never, call
        self._holds = None if never is None else watch(never, call, Since())

    def failure(self) -> Failure | None:
        """What is to be told where it is so now."""
        if self._never is None or self._holds is None or not self._holds():
            return None
        return Failure(self._never.position, f"it happens, at {time_shown(self._call.elapsed)}")


class Player:
    """One scenario as it is played: `do` takes its steps in turn, `finish` follows the call to its end; between them `when` and
    `fire` let happen what does by itself. Raises StartError where the call cannot start."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._flow: Flow = scenario.flow
        self.call = Call(
            scenario.flow,
            scenario.vars,
            time=scenario.start,
            env=scenario.env,
            call=scenario.call,
            waiting=scenario.waiting,
        )
        self._later = StillToCome(scenario.steps)
        self._since = Since()
        self._calls = 0
        self.world = World(self.call, scenario, self._later)
        self._forbidden = Forbidden(scenario.never, self.call)
        self._follow = Audible(self.call).follow if scenario.exactly else self.world.follow
        self._follow(self.call.taken[0].step)

    def run(self) -> Failure | None:
        """All of it, to its first failure."""
        failures = (self.do(number) for number in range(len(self.scenario.steps)))
        return next((one for one in failures if one is not None), None) or self.finish()

    def do(self, number: int) -> Failure | None:
        """The step of this number, and what has to happen before it."""
        step = self.scenario.steps[number]
        return self._tried(step.position, lambda: self._take_step(number, step))

    def finish(self) -> Failure | None:
        """To the end of the call, where something is expected of it."""
        wanted = self.scenario.expect
        return None if wanted is None else self._tried(wanted.position, lambda: self._to_the_end(wanted))

    @property
    def before(self) -> Since:
        """How much had been taken and heard when the last step happened."""
        return self._since

    def _tried(self, position: Position, does: Callable[[], None]) -> Failure | None:
        try:
            does()
        except (Impossible, Unending) as problem:
            return Failure(position, f"{problem} (at {time_shown(self.call.elapsed)}, in {self.call.where})")
        except _Failed as failed:
            return failed.failure
        return None

    # -- time

    def _take(self, entry: Input) -> None:
        self._follow(self.call.take(entry))
        failure = self._forbidden.failure()
        if failure is not None:
            raise _Failed(failure)

    def when(self) -> float:
        """When the next thing happens by itself: infinite where nothing does."""
        due, timers = self.world.effects.schedule.next(), self.call.snapshot.memory.timers
        return min(math.inf if due is None else due.time, timers[0].due if timers else math.inf)

    def fire(self) -> None:
        """The next thing that happens by itself: what is in the inbox comes before timers that are due."""
        due, timers = self.world.effects.schedule.next(), self.call.snapshot.memory.timers
        if due is not None and (not timers or due.time <= timers[0].due):
            self.world.effects.schedule.pop(due)
            self.call.now = max(self.call.now, due.time)
            entry = due.make(self.call.now)
            if entry is None:
                self.world.look()
            else:
                self._take(entry)
        elif timers:
            self._take(TimerFired(timers[0].generation, max(self.call.now, timers[0].due)))

    def advance(self, until: float) -> None:
        """Time passes. What is due at its end happens before, timers after it."""
        if not self.scenario.exactly:
            while self.when() <= until:
                due = self.world.effects.schedule.next()
                if self.when() == until and (due is None or due.time > until):
                    break
                self.fire()
        self.call.now = max(self.call.now, until)

    def _settle(self, over: Callable[[], bool] = lambda: False) -> bool:
        """Until nothing is under way that ends by itself, or until it is `over`: then true."""
        while not over():
            if self.scenario.exactly or self.world.effects.schedule.settled:
                return False
            self.fire()
        return True

    def _until(self, over: Callable[[], bool], within: float | None) -> bool:
        """Time passes until it is over, or is up; then false."""
        if within is None:
            return self._settle(over)
        end = self.call.now + within
        while not over():
            if self.scenario.exactly or self.when() > end:
                self.call.now = max(self.call.now, end)
                return over()
            self.fire()
        return True

    def _to_the_end(self, wanted: Conditions) -> None:
        while not self.call.snapshot.ended and self.when() < math.inf and not self.scenario.exactly:
            self.fire()
        missing = unmet(wanted, self.call, Since())
        if missing:
            told = "" if self.call.snapshot.ended else f" (the call has not ended: it is in {self.call.where})"
            raise _Failed(Failure(wanted.position, f"not as expected{told}", tuple(missing)))

    # -- steps

    def _take_step(self, number: int, step: Step) -> None:
        act, when = step.act, step.when
        self._later.next = number
        if isinstance(when, float):
            at = self.scenario.start + when
            if at < self.call.now - 0.0005:
                raise Impossible(f"{time_shown(when)} is over: it is {time_shown(self.call.elapsed)}")
            self.advance(at)
        elif when == "settled" and not isinstance(act, (Waits, Expects, Never)):
            self._settle()
        self._later.next = number + 1
        if isinstance(act, Expects):
            self._expect(act, step.position)
        elif isinstance(act, Never):
            self._never(act, step.position)
        else:
            if not isinstance(act, Waits):
                self._since = Since(len(self.call.taken), len(self.call.heard))
            self._act(number, step)

    def _act(self, number: int, step: Step) -> None:
        act = step.act
        if isinstance(act, Occurs):
            self._occurs(act, step)
        elif isinstance(act, Ends):
            self._end(number, act, step)
        elif isinstance(act, Fires):
            self._fires(act)
        elif isinstance(act, Calls):
            offered = self.call.snapshot.configuration
            for name, arguments in act.tools:
                self._take(self._event(Occurs(f"tool.{name}", arguments, offered_in=offered)))
        elif isinstance(act, Speaks):
            self._speaks(act.text)
        elif isinstance(act, Replies):
            self._replies(act.text)
        elif isinstance(act, Presses):
            self._presses(act)
        elif isinstance(act, Waits):
            self.advance(self.call.now + act.seconds)

    def _occurs(self, act: Occurs, step: Step) -> None:
        if is_given_up(act) and not self.scenario.exactly:
            if not self._until(lambda: self.call.given_up, self._flow.limits.reconnecting or 0.0):
                raise Impossible(NOT_GIVEN_UP)
            return
        if step.when == "settled":
            self.advance(max(self.call.now, self.world.effects.brought.pop(act.name, 0.0)))
        self._take(self._event(act))

    def _presses(self, act: Presses) -> None:
        for place, key in enumerate(act.keys):
            if place:
                self.advance(self.call.now + BETWEEN_KEYS)
            name = f"dtmf.{KEYS.get(key, key.lower())}"
            self._take(self._event(Occurs(name if act.leg == MAIN_LEG else f"leg.{act.leg}.{name}")))

    def _event(self, act: Occurs) -> Event:
        number = act.id
        if number is None and act.name.startswith("tool.") and not self.scenario.exactly:
            self._calls += 1
            number = f"call_{self._calls}"
        data = act.data if self.scenario.exactly else {**usual(act.name), **act.data}
        return Event(act.name, data, self.call.now, act.effect, act.state, number, act.offered_in)

    def _speaks(self, text: str) -> None:
        if self.call.leg().status != "on_line":
            raise Impossible(f"the far end is {self.call.leg().status}, and says nothing that is heard")
        self._take(
            Event("session.user_state_changed", {"old_state": "listening", "new_state": "speaking"}, self.call.now)
        )
        self.world.effects.voice.talked_over = True
        self.advance(self.call.now + seconds(text))
        self.world.effects.voice.talked_over = False
        if "session" not in self.call.facts or self.call.snapshot.ended:
            return  # it was closed in the middle of that, and hears nothing more
        said = {"transcript": text, "is_final": True}
        self._take(Event("session.user_input_transcribed", said, self.call.now))
        self._take(
            Event("session.user_state_changed", {"old_state": "speaking", "new_state": "listening"}, self.call.now)
        )

    def _replies(self, text: str) -> None:
        if self.call.mute is not None:
            raise Impossible(f"the model has no turn: {self.call.mute}")
        self._take(
            Event("session.agent_state_changed", {"old_state": "listening", "new_state": "speaking"}, self.call.now)
        )

        def over(now: float, _interrupted: bool, _heard: bool, _text: str) -> Input | None:
            states = {"old_state": "speaking", "new_state": "listening"}
            return Event("session.agent_state_changed", states, now) if "session" in self.call.facts else None

        self.world.effects.voice.say(Speech(None, text, seconds(text), None, True, over))
        self.world.look()

    # -- effects and timers

    def _end(self, number: int, act: Ends, step: Step) -> None:
        running = self._running(number, act)
        if running is None:
            result = act.ending.result.get("result")
            if "detection" in self.call.facts and verb_of(act.verb).family == "amd" and result is not None:
                self._take(verdict(act.ending, self.call.now))
                return
            hint = "; the caller hangs up by `call.hangup`" if verb_of(act.verb).farewell else ""
            raise Impossible(f"no {act.verb} is running: {self._what_runs()}{hint}")
        start = self.world.effects.started(running.id)
        if self.scenario.exactly or start is None:
            ending = act.ending
            error = None if ending.status == "ok" else ending.error or ending.status
            self._take(EffectEnded(running.id, ending.status, ending.result, error, self.call.now))
            return
        if step.when == "settled":
            self.advance(self._by_itself(running, start, act))
        if act.ending.status == "timed_out" and running.id not in self.call.snapshot.memory.effects:
            return  # its time was up
        before = self.world.telephones.before(start, act.ending, self.call.now)
        if before is not None:
            self._take(before)
        self._take(self.world.effects.end_of(start, act.ending, self.call.now))

    def _by_itself(self, running: Running, start: Start, act: Ends) -> float:
        """When it would end by itself, or when its time is up."""
        if act.ending.status == "timed_out" and start.timeout is not None:
            return max(self.call.now, running.started + within(running, action_of(self._flow, running)).least)
        return max(self.call.now, self.world.effects.by_itself.get(running.id, self.call.now))

    def _running(self, number: int, act: Ends) -> Running | None:
        effects = self.call.snapshot.memory.effects
        wanted = self._later.claimed.get(number) if act.effect is None else act.effect
        if wanted is not None and wanted in effects:
            return effects[wanted]
        if act.effect is not None:
            return None
        return oldest(effects, act.verb, act.leg, stopping=act.ending.status == "cancelled")

    def _what_runs(self) -> str:
        running = [one.verb for one in self.call.snapshot.memory.effects.values() if not one.stopping]
        return f"what runs is {', '.join(running)}" if running else "nothing runs"

    def _fires(self, act: Fires) -> None:
        timers = self.call.snapshot.memory.timers
        if self.scenario.exactly:
            if not timers:
                raise Impossible("no timer is live")
            if act.name and timer_name(self._flow, timers[0]) != act.name:
                raise Impossible(f"the next timer is {timer_name(self._flow, timers[0])}, not {act.name}")
            self._take(TimerFired(timers[0].generation, self.call.now))
            return
        wanted = next((one for one in timers if act.name in ("", timer_name(self._flow, one))), None)
        if wanted is None:
            live = ", ".join(timer_name(self._flow, one) for one in timers) or "none"
            raise Impossible(f"no timer {act.name} is live; there are: {live}")
        while any(one.generation == wanted.generation for one in self.call.snapshot.memory.timers):
            self.fire()
        last = self.call.taken[-1].timer
        if last is None or last.generation != wanted.generation:
            raise Impossible(f"the timer {timer_name(self._flow, wanted)} did not come due: something else came before")

    # -- what is expected

    def _expect(self, act: Expects, position: Position) -> None:
        if not self._until(watch(act.conditions, self.call, self._since), act.within):
            missing = unmet(act.conditions, self.call, self._since)
            told = f"not as expected, at {time_shown(self.call.elapsed)}{self._what_lasts(act)}"
            raise _Failed(Failure(position, told, tuple(missing)))

    def _what_lasts(self, act: Expects) -> str:
        """What runs until its time limit, for which no expectation waits that does not say how long."""
        claimed = self._later.claimed.values()
        lasting = [
            start.verb
            for one, (start, ending) in self.world.effects.running.items()
            if ending.never and one not in claimed
        ]
        if act.within is not None or self.scenario.exactly or not lasting:
            return ""
        return f" ({lasting[0]} runs until its time limit: `within` waits for what comes then)"

    def _never(self, act: Never, position: Position) -> None:
        since = Since(len(self.call.taken), len(self.call.heard))
        if self._until(watch(act.conditions, self.call, since), act.within):
            raise _Failed(Failure(position, f"what must not happen has happened, at {time_shown(self.call.elapsed)}"))
