"""A scenario is played in a simulated room: each of its steps in turn, in virtual time, and between them whatever goes on there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any
from unittest.mock import patch

from livekit.agents import Agent

from callflow.core.actions import verb_of
from callflow.core.events import KEYS, MAIN_LEG, EffectEnded, Event, TimerFired
from callflow.core.snapshot import Running, Step
from callflow.errors import BindError, StartError
from callflow.livekit_bindings import private
from callflow.livekit_bindings.verbs import Given
from callflow.scenario.call import Impossible, Unending
from callflow.scenario.expectations import Since, time_shown, unmet
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
    Waits,
)
from callflow.scenario.model import Step as ScenarioStep
from callflow.scenario.playing import BETWEEN_KEYS, Failure, Result
from callflow.scenario.running import oldest, timer_name, usual
from callflow.scenario.telephones import ANSWERS_AFTER, DETECTION, HANDS_OVER, LOOKS_FOR
from callflow.scenario.world import LASTS
from callflow.simulate.clock import VirtualTimeLoop
from callflow.simulate.phone import FarEnd
from callflow.testing.caller import Caller
from callflow.testing.models import Part, Tool
from callflow.testing.phone import Telephone
from callflow.testing.play import Stage, offline_session
from callflow.testing.scenario.fates import Acting, Fate, Fates
from callflow.testing.scenario.happening import COMES, Happening
from callflow.testing.scenario.model import DirectedLLM
from callflow.testing.scenario.seen import SeenInARoom
from callflow.testing.scenario.telephones import Telephones
from callflow.testing.scenario.within_reach import out_of_reach
from callflow.testing.server import SimulatedServer

POLL, QUIET = 0.05, 0.3
"""Seconds between two looks at the call; and for how long nothing is under way before a step without a time is taken."""

COMES_WITHIN, ENDS_WITHIN = 5.0, 60.0
"""Seconds in which a call hears of what a step brings about, and in which an action ends of which a step says how."""

TURN_WITHIN = 1.2
"""Seconds from the end of what a caller says until LiveKit asks the model for an answer."""

LEAVES_WITHIN = 3.0
"""Seconds in which a telephone leaves that was transferred."""

CLOSES_WITHIN = 120.0

Over = Callable[[], bool]


def play_in_rooms(scenario: Scenario) -> Result:
    """Plays one scenario with a real session in a simulated room, to its end or its first failure; skipped where it says what no room can do.

    In an event loop of its own, in virtual time: not to be called where one runs.
    """
    why = out_of_reach(scenario)
    if why is not None:
        return Result(scenario, None, skipped=why)
    with _surroundings(scenario), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_played(scenario))


async def _played(scenario: Scenario) -> Result:
    async with SimulatedServer(epoch=scenario.start) as server:
        try:
            return await _Player(scenario, server).play()
        finally:
            await _all_is_over()


async def _all_is_over() -> None:
    """What a call leaves behind: somebody to look out for who comes back, for instance."""
    for _ in range(3):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            return
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=CLOSES_WITHIN)


@contextlib.contextmanager
def _surroundings(scenario: Scenario) -> Iterator[None]:
    """The environment variables of the scenario, and no log: what is wrong with the call is in its steps."""
    others = {name: value for name, value in os.environ.items() if name not in scenario.flow.env}
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with patch.dict(os.environ, {**others, **scenario.env}, clear=True):
            yield
    finally:
        logging.disable(before)


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class _Player:
    def __init__(self, scenario: Scenario, server: SimulatedServer) -> None:
        self._scenario, self._flow = scenario, scenario.flow
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._later = StillToCome(scenario.steps)
        self._fates = Fates(scenario, self._later)
        self._telephones = Telephones(scenario.flow, self._fates, self._telephone, self._spawn)
        self._llm = DirectedLLM(self._fates, self._telephones.verdict)
        self._plays: list[tuple[float, float, str]] = []
        self._session = offline_session(llm=self._llm)
        acting = Acting(scenario.flow, self._fates, self._telephones, self._given, self._plays)
        self._stage = Stage(
            scenario.flow,
            server,
            phone=self._telephones.network,
            vars=scenario.vars,
            session=self._session,
            watch=self._watch,
            options={
                "telephony": acting.performing(),
                "actions": dict.fromkeys(scenario.flow.python, _stands_in),
                "agents": dict.fromkeys((*scenario.flow.agents, *scenario.flow.tasks), _agent),
            },
        )
        self._stage.telephones.answered = self._picked_up
        self._stage.telephones.greets = True
        self._happening = Happening(self._stage, self._far_end, self._comes_in)
        self._caller: Caller | None = None
        self._coming = False
        self._ears: list[tuple[str, Caller]] = []
        self._seen: SeenInARoom | None = None
        self._over: Over | None = None
        self._met = False
        self._trouble: Failure | Exception | None = None
        self._changed = asyncio.Event()
        self._quiet_since: float | None = None
        self._leaving = 0.0
        self._since = Since()
        self._playing: asyncio.Task[Any]
        self._calls = 0

    @property
    def seen(self) -> SeenInARoom:
        assert self._seen is not None  # noqa: S101 - the call has begun
        return self._seen

    # -- the whole of it

    async def play(self) -> Result:
        if not (self._scenario.waiting or self._flow.outbound):
            self._comes_in()
        self._playing = asyncio.ensure_future(self._stage.play())
        try:
            while self._seen is None and not self._playing.done():
                await asyncio.sleep(0.001)
            failure = self._cannot_start() if self._seen is None else await self._run()
        finally:
            await self._close()
        if self._seen is None:
            return Result(self._scenario, failure)
        record = self._stage.record or self.seen.record()
        return Result(self._scenario, failure, tuple(self.seen.taken), tuple(self.seen.heard), record)

    def _cannot_start(self) -> Failure:
        error = self._playing.exception()
        if isinstance(error, (StartError, BindError)):
            return Failure(self._scenario.position, f"the call cannot start: {error}")
        raise error if error is not None else RuntimeError("the job has ended before the call began")

    async def _close(self) -> None:
        """Whatever still goes on ends."""
        if self._seen is None or not self.seen.snapshot.ended:
            await self._stage.job.kill()
        await asyncio.wait({self._playing}, timeout=CLOSES_WITHIN)
        self._playing.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._playing, *self._tasks, return_exceptions=True)

    async def _run(self) -> Failure | None:
        position = self._scenario.position
        try:
            if not (self._scenario.waiting or self._flow.outbound):
                await self._until(lambda: self.seen.leg().status == "on_line", self._loop.time() + COMES_WITHIN)
            for number, step in enumerate(self._scenario.steps):
                position = step.position
                await self._take_step(number, step)
            if self._scenario.expect is not None:
                position = self._scenario.expect.position
                await self._to_the_end(self._scenario.expect)
        except (Impossible, Unending) as problem:
            return Failure(position, f"{problem} (at {time_shown(self.seen.elapsed)}, in {self.seen.where})")
        except _Failed as failed:
            return failed.failure
        return None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- who is there

    def _comes_in(self) -> None:
        """The far end is in the room, or rings there."""
        if self._coming or self._flow.outbound:
            return
        self._coming = True
        identity = self._scenario.call.get("identity")
        if identity is None:
            self._spawn(self._calls_in(str(self._scenario.call.get("number") or "+15550199")))
            return
        self._caller = Caller(self._stage.server, self._stage.room, str(identity))
        self._ears.append((MAIN_LEG, self._caller))
        self._caller.join()

    async def _calls_in(self, number: str) -> None:
        self._caller = await self._stage.telephones.call_in(self._stage.room, FarEnd(greeting=""), number=number)

    def _far_end(self) -> Caller | None:
        return self._caller if self._caller is not None else self._stage.telephones.legs.get(MAIN_LEG)

    def _telephone(self, leg: str) -> Telephone | None:
        party = self._far_end() if leg == MAIN_LEG else self._stage.telephones.legs.get(leg)
        return party if isinstance(party, Telephone) else None

    async def _picked_up(self, telephone: Telephone) -> None:
        self._ears.append((MAIN_LEG if telephone is self._caller else telephone.name, telephone))
        self._telephones.picked_up(telephone)

    def _parties(self) -> Iterator[tuple[str, Caller]]:
        yield from self._ears
        line = self._world.line if self._seen is not None and self._world is not None else None
        for identity, guest in self._happening.guests.items():
            leg = None if line is None else line.legs.get(identity)
            yield identity if leg is None else leg.name, guest

    _world: Given | None = None

    def _given(self, world: Given) -> None:
        self._world = self._telephones.world = world
        self._llm.speeches = world.speeches

    # -- what is seen

    def _watch(self, step: Step) -> None:
        """A step was taken."""
        try:
            if self._seen is None:
                self._seen = SeenInARoom(self._flow, step, self._stage.job.room, self._parties)
                self._seen.plays = self._plays
                self._telephones.seen = self._seen
            elif step.event is not None:
                self._seen.follow(step, step.event.time)
                self._note_who_leaves()
            self._look()
        except Unending as error:
            self._trouble = self._trouble or error
        self._changed.set()

    def _note_who_leaves(self) -> None:
        last = self.seen.taken[-1]
        end = last.step.event
        if isinstance(end, EffectEnded) and last.effect is not None:
            verb = verb_of(last.effect.verb)
            if verb.holds_hang_up and verb.result_event(end.result) in verb.success:
                self._leaving = self._loop.time() + LEAVES_WITHIN
        elif isinstance(end, Event) and end.name.endswith(".hangup"):
            self._leaving = 0.0

    def _look(self) -> None:
        seen = self.seen
        seen.look()
        never = self._scenario.never
        if never is not None and self._trouble is None and not unmet(never, seen, Since()):
            self._trouble = Failure(never.position, f"it happens, at {time_shown(seen.elapsed)}")
        if self._over is not None and not self._met and self._over():
            self._met = True
        if self._busy():
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = self._loop.time()

    def _busy(self) -> bool:
        """Whether something is under way that ends by itself."""
        seen, voice = self.seen, self._stage.job.room.voice
        if seen.snapshot.ended:
            return False
        if voice.speaking or self._loop.time() < self._leaving or not private.is_silent(self._session):
            return True
        if "detection" in seen.facts and DETECTION in self._fates.known and self._fates.known[DETECTION].ends_by_itself:
            return True
        effects = seen.snapshot.memory.effects
        return any(one not in self._fates.known or self._goes_on(self._fates.known[one]) for one in effects)

    def _goes_on(self, fate: Fate) -> bool:
        calls = verb_of(fate.start.verb).calls
        return fate.ends_by_itself and not (calls and self._telephones.waits(fate))

    # -- time

    async def _pass(self, seconds: float = POLL) -> None:
        """A moment passes, or a step is taken."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._look()
        self._raise_trouble()

    def _raise_trouble(self) -> None:
        if isinstance(self._trouble, Failure):
            raise _Failed(self._trouble)
        if self._trouble is not None:
            raise self._trouble
        if self._playing.done() and not self.seen.snapshot.ended:
            error = self._playing.exception()
            raise Impossible(f"the call broke off: {error}") from error

    async def _until(self, over: Over, end: float | None) -> bool:
        """Time passes until it is over, or the loop's clock shows `end`; without one until nothing is under way any more. Then false."""
        self._over, self._met, self._quiet_since = over, False, None
        self._look()
        try:
            while not self._met:
                now = self._loop.time()
                if end is None:
                    if self._quiet_since is not None and now - self._quiet_since >= QUIET:
                        return False
                elif now >= end:
                    return False
                await self._pass(POLL if end is None else min(POLL, end - now))
            return True
        finally:
            self._over = None

    async def _settle(self) -> None:
        await self._until(lambda: False, None)

    async def _advance(self, until: float) -> None:
        """Until the loop's clock shows this."""
        await self._until(lambda: False, until)

    def _at(self, elapsed: float) -> float:
        """The loop's time so many seconds after the start of the call."""
        return self._loop.time() + elapsed - (time.time() - self.seen.began)

    async def _to_the_end(self, wanted: Conditions) -> None:
        seen = self.seen
        while not seen.snapshot.ended:
            await self._pass()
            waits = self._quiet_since is None or self._loop.time() - self._quiet_since < LEAVES_WITHIN
            if not (waits or seen.snapshot.memory.timers):
                break
        await self._settle()  # what was said last is heard a moment later
        missing = unmet(wanted, seen, Since())
        if missing:
            told = "" if seen.snapshot.ended else f" (the call has not ended: it is in {seen.where})"
            raise _Failed(Failure(wanted.position, f"not as expected{told}", tuple(missing)))

    # -- steps

    async def _take_step(self, number: int, step: ScenarioStep) -> None:
        act, when = step.act, step.when
        self._later.next = number
        if isinstance(when, float):
            if when < self.seen.elapsed - self.seen.tolerance:
                raise Impossible(f"{time_shown(when)} is over: it is {time_shown(self.seen.elapsed)}")
            await self._advance(self._at(when))
        elif when == "settled" and not isinstance(act, (Waits, Expects, Never)):
            await self._settle()
        self._later.next = number + 1
        if isinstance(act, (Expects, Never)):
            await self._expect(act, step)
            return
        if isinstance(act, Waits):
            await self._advance(self._loop.time() + act.seconds)
            return
        before, self._since = self._since, Since(len(self.seen.taken), len(self.seen.heard))
        await self._act(number, step, before)

    async def _act(self, number: int, step: ScenarioStep, before: Since) -> None:
        act = step.act
        if isinstance(act, Occurs) and act.name.startswith("tool."):
            act = Calls(((act.name.removeprefix("tool."), act.data),))
        if isinstance(act, Occurs):
            await self._bring(act, before, settled=step.when == "settled")
        elif isinstance(act, Ends):
            await self._end(number, act, settled=step.when == "settled")
        elif isinstance(act, Fires):
            await self._fires(act)
        elif isinstance(act, Calls):
            await self._call_tools(act)
        elif isinstance(act, Speaks):
            await self._speaks(act.text)
        elif isinstance(act, Replies):
            await self._replies(act.text)
        elif isinstance(act, Presses):
            await self._presses(act)

    async def _comes(self, name: str, since: int, count: int = 1, within: float = COMES_WITHIN) -> bool:
        """Whether the call hears of this event, so often."""

        def come() -> bool:
            events = [one.step.event for one in self.seen.taken[since:]]
            return (
                self.seen.snapshot.ended or sum(isinstance(one, Event) and one.name == name for one in events) >= count
            )

        return await self._until(come, self._loop.time() + within)

    def _check(self, name: str, **data: Any) -> None:
        why = self.seen.refused(
            Event(name, {**usual(name), **data}, self.seen.now, offered_in=self.seen.snapshot.configuration)
        )
        if why is not None:
            raise Impossible(why)

    async def _bring(self, act: Occurs, before: Since, *, settled: bool) -> None:
        since = len(self.seen.taken)
        if settled and act.name.endswith(".answered"):
            await self._advance(self._natural(act.name))
        brought = self._happening.bring(act) if not self._is_to_come(act) else self._bring_checked(act)
        if brought is COMES:
            since = before.step
        if not await self._comes(act.name, since):
            raise Impossible(f"the call does not hear of {act.name}")

    def _is_to_come(self, act: Occurs) -> bool:
        return not act.name.endswith((".answered", ".offered", ".ringing")) and act.data.get("by") != "agent"

    def _bring_checked(self, act: Occurs) -> str | None:
        self._check(act.name, **act.data)
        return self._happening.bring(act)

    def _natural(self, name: str) -> float:
        """When a telephone would be picked up by itself."""
        leg = MAIN_LEG if name.startswith("call.") else name.split(".")[1]
        fates = (one for one in self._fates.known.values() if verb_of(one.start.verb).calls)
        began = [one.began for one in fates if (one.start.arguments.get("leg") or MAIN_LEG) == leg]
        return max(self._loop.time(), began[-1] + ANSWERS_AFTER if began else 0.0)

    async def _presses(self, act: Presses) -> None:
        for key in act.keys:
            word = f"dtmf.{KEYS.get(key, key.lower())}"
            name = word if act.leg == MAIN_LEG else f"leg.{act.leg}.{word}"
            self._check(name)
            since = len(self.seen.taken)
            self._happening.press(key, act.leg)
            if not await self._comes(name, since):
                raise Impossible(f"the call does not hear of {name}")
            if key is not act.keys[-1]:
                await self._advance(self._loop.time() + BETWEEN_KEYS)

    # -- what is said

    async def _speaks(self, text: str) -> None:
        caller, seen = self._far_end(), self.seen
        if seen.leg().status != "on_line" or caller is None:
            raise Impossible(f"the far end is {seen.leg().status}, and says nothing that is heard")
        since, turns = len(seen.taken), self._llm.turns
        await caller.say(text)

        def transcribed() -> bool:
            events = [one.step.event for one in seen.taken[since:]]
            return any(
                isinstance(one, Event) and one.name == _TRANSCRIBED and one.data.get("is_final") for one in events
            )

        if await self._until(transcribed, self._loop.time() + TURN_WITHIN):
            await self._until(lambda: self._llm.turns > turns, self._loop.time() + TURN_WITHIN)

    async def _replies(self, text: str) -> None:
        name = self._turn([text])
        await self._until(lambda: name not in self._llm.wanted, self._loop.time() + COMES_WITHIN)

    async def _call_tools(self, act: Calls) -> None:
        for name, arguments in act.tools:
            self._check(f"tool.{name}", **arguments)
        since, last = len(self.seen.taken), f"tool.{act.tools[-1][0]}"
        count = sum(name == act.tools[-1][0] for name, _ in act.tools)
        if private.is_silent(self._session) and private.is_running(self._session):
            self._turn([Tool(name, dict(arguments)) for name, arguments in act.tools])
            if await self._comes(last, since, count):
                return
        for name, arguments in act.tools:  # while it speaks
            self._calls += 1
            called = self._stage.call.tool_called(
                name, arguments, id=f"scenario_{self._calls}", offered_in=self.seen.snapshot.configuration
            )
            self._spawn(_told(called))
        if not await self._comes(last, since, count):
            raise Impossible(f"the call does not hear of {last}")

    def _turn(self, parts: list[Part]) -> str:
        """The model has a turn of its own accord; LiveKit's id of the speech."""
        try:
            handle = self._session.generate_reply()
        except RuntimeError as error:
            raise Impossible(f"the model has no turn any more: {error}") from error
        self._llm.wanted[handle.id] = parts
        return handle.id

    # -- effects and timers

    async def _end(self, number: int, act: Ends, *, settled: bool) -> None:
        running = self._running(number, act)
        if running is None:
            await self._verdict(act, settled=settled)
            return
        fate = self._fates.known[running.id]
        if settled and act.ending.status != "timed_out":
            await self._advance(fate.began + self._lasts(fate))
        self._telephones.release(fate, act.ending)
        gone = lambda: running.id not in self.seen.snapshot.memory.effects  # noqa: E731
        if not await self._until(gone, self._loop.time() + max(ENDS_WITHIN, fate.start.timeout or 0.0)):
            raise Impossible(f"{act.verb} does not end so")

    def _lasts(self, fate: Fate) -> float:
        """Seconds from its start to its end, where nobody says otherwise."""
        verb = fate.start.verb
        known = {"transfer": HANDS_OVER, "detect_machine": LOOKS_FOR}
        return ANSWERS_AFTER if verb_of(verb).calls else known.get(verb, LASTS.get(verb, 0.0))

    def _running(self, number: int, act: Ends) -> Running | None:
        effects = self.seen.snapshot.memory.effects
        wanted = self._later.claimed.get(number) if act.effect is None else act.effect
        if wanted is not None and wanted in effects:
            return effects[wanted]
        return None if act.effect is not None else oldest(effects, act.verb, act.leg, stopping=False)

    async def _verdict(self, act: Ends, *, settled: bool) -> None:
        """Who has answered, where that is looked for as part of a dial."""
        result, look = act.ending.result.get("result"), self._fates.known.get(DETECTION)
        if "detection" not in self.seen.facts or look is None or verb_of(act.verb).family != "amd" or result is None:
            runs = [one.verb for one in self.seen.snapshot.memory.effects.values() if not one.stopping]
            hint = "; the caller hangs up by `call.hangup`" if verb_of(act.verb).farewell else ""
            told = f"what runs is {', '.join(runs)}" if runs else "nothing runs"
            raise Impossible(f"no {act.verb} is running: {told}{hint}")
        since = len(self.seen.taken)
        if settled:
            await self._advance(self._telephones.looked_since + LOOKS_FOR)
        look.release(act.ending)
        if not await self._comes(f"amd.{result}", since, within=ENDS_WITHIN):
            raise Impossible(f"nobody tells amd.{result}")

    async def _fires(self, act: Fires) -> None:
        timers = self.seen.snapshot.memory.timers
        wanted = next((one for one in timers if act.name in ("", timer_name(self._flow, one))), None)
        if wanted is None:
            live = ", ".join(timer_name(self._flow, one) for one in timers) or "none"
            raise Impossible(f"no timer {act.name} is live; there are: {live}")
        since = len(self.seen.taken)
        while any(one.generation == wanted.generation for one in self.seen.snapshot.memory.timers):
            await self._pass()
        events = [one.step.event for one in self.seen.taken[since:]]
        if not any(isinstance(one, TimerFired) and one.generation == wanted.generation for one in events):
            raise Impossible(f"the timer {timer_name(self._flow, wanted)} did not come due: something else came before")

    # -- what is expected

    async def _expect(self, act: Expects | Never, step: ScenarioStep) -> None:
        seen = self.seen
        since = self._since if isinstance(act, Expects) else Since(len(seen.taken), len(seen.heard))
        slack = seen.tolerance if isinstance(act, Expects) else 0.0
        end = None if act.within is None else self._loop.time() + act.within + slack
        met = await self._until(lambda: not unmet(act.conditions, seen, since), end)
        if isinstance(act, Never):
            if met:
                told = f"what must not happen has happened, at {time_shown(seen.elapsed)}"
                raise _Failed(Failure(step.position, told))
        elif not met:
            missing = unmet(act.conditions, seen, since)
            raise _Failed(Failure(step.position, f"not as expected, at {time_shown(seen.elapsed)}", tuple(missing)))


_TRANSCRIBED = "session.user_input_transcribed"


def _stands_in(**_arguments: Any) -> None:
    """What the program supplies is asked of the scenario instead."""


def _agent() -> Agent:
    return Agent(instructions="")


async def _told(called: Awaitable[Any]) -> None:
    await called
