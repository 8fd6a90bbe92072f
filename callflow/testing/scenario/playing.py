"""A scenario is played in a simulated room: each of its steps in turn, in virtual time, and between them whatever goes on there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Any

from livekit.agents import llm

from callflow.core.actions import verb_of
from callflow.core.events import KEYS, MAIN_LEG, NO_DATA, Event, TimerFired
from callflow.core.snapshot import Running
from callflow.core.speaking import REPLY, seconds
from callflow.livekit_bindings import livekit_internals
from callflow.scenario.call import Impossible, Unending
from callflow.scenario.expectations import time_shown, unmet
from callflow.scenario.model import (
    Act,
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
from callflow.scenario.playing import BETWEEN_KEYS, NOT_GIVEN_UP, NOT_JUDGED, UNPLAYED, Failure, Result
from callflow.scenario.running import is_given_up, oldest, timer_name, usual
from callflow.scenario.telephones import ANSWERS_AFTER, DETECTION, HANDS_OVER, LOOKS_FOR
from callflow.scenario.watching import Since, watch
from callflow.scenario.world import LASTS
from callflow.testing.environment import environment
from callflow.testing.models import Tool
from callflow.testing.play import Script
from callflow.testing.scenario.beforehand import before_each, come_about
from callflow.testing.scenario.fates import Fate
from callflow.testing.scenario.happening import ALREADY, COMES
from callflow.testing.scenario.staging import CLOSES_WITHIN, LEAVES_WITHIN, Failed, Staged
from callflow.testing.scenario.within_reach import out_of_reach
from callflow.testing.server import SimulatedServer
from callflow.testing.virtual_time import VirtualTimeLoop

COMES_WITHIN, ENDS_WITHIN = 5.0, 60.0
"""Seconds in which a call hears of what a step brings about, and in which an action ends of which a step says how."""

TURN_WITHIN = 1.2
"""Seconds from the end of what a caller says until LiveKit asks the model for an answer."""


def play_in_rooms(scenario: Scenario, *, model: llm.LLM[Any] | None = None, script: Script | None = None) -> Result:
    """Plays one scenario with a real session in a simulated room, to its end or its first failure; skipped where it says what no
    room can do.

    `model` and `script` stand for the scenario's own model and its steps: what a real model says, and what the far end does from the
    moment at which it is on the line. In an event loop of its own, in virtual time: not to be called where one runs.
    """
    by_its_steps = scenario.persona is not None and script is None
    why = UNPLAYED if by_its_steps and not scenario.steps else out_of_reach(scenario)
    if why is not None:
        return Result(scenario, None, skipped=why)
    with _surroundings(scenario), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(_played(scenario, model, script))
    return result._replace(notes=(NOT_JUDGED,)) if by_its_steps else result


async def _played(scenario: Scenario, model: llm.LLM[Any] | None, script: Script | None) -> Result:
    async with SimulatedServer(epoch=scenario.start) as server:
        call = Staged(scenario, server, model=model, script=script)
        try:
            failure = await call.begin()
            if failure is not None:
                return Result(scenario, failure)
            failure = await _Player(call).run(steps=() if script is not None else scenario.steps)
            taken, heard = tuple(call.seen.taken), tuple(call.seen.heard)
            return Result(scenario, failure, taken, heard, await call.record())
        finally:
            await call.close()
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
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with environment(scenario.env, without=scenario.flow.env):
            yield
    finally:
        logging.disable(before)


class _Player:
    def __init__(self, call: Staged) -> None:
        self._call, self._seen = call, call.seen
        self._since = Since()
        self._calls = 0
        self._beforehand = before_each(call.scenario)

    async def run(self, steps: Sequence[Step]) -> Failure | None:
        position = self._call.scenario.position
        try:
            for number, step in enumerate(steps):
                position = step.position
                await self._take_step(number, step)
            if self._call.scenario.expect is not None:
                position = self._call.scenario.expect.position
                await self._to_the_end(self._call.scenario.expect)
        except (Impossible, Unending) as problem:
            return Failure(position, f"{problem} (at {time_shown(self._seen.elapsed)}, in {self._seen.where})")
        except Failed as failed:
            return failed.failure
        return None

    async def _to_the_end(self, wanted: Conditions) -> None:
        seen = self._seen
        while not seen.snapshot.ended:
            await self._call.pass_()
            if self._call.quiet_for >= LEAVES_WITHIN and not seen.snapshot.memory.timers:
                break
        await self._call.settle()  # what was said last is heard a moment later
        missing = unmet(wanted, seen, Since())
        if missing:
            told = "" if seen.snapshot.ended else f" (the call has not ended: it is in {seen.where})"
            raise Failed(Failure(wanted.position, f"not as expected{told}", tuple(missing)))

    # -- steps

    async def _take_step(self, number: int, step: Step) -> None:
        act, when = step.act, step.when
        self._call.later.next = number
        if isinstance(when, float):
            if when < self._seen.elapsed - self._seen.tolerance:
                raise Impossible(f"{time_shown(when)} is over: it is {time_shown(self._seen.elapsed)}")
            await self._call.advance(self._call.at(when))
        elif when == "settled" and not isinstance(act, (Waits, Expects, Never)):
            await self._call.settle()
        if isinstance(act, (Expects, Never, Waits)):
            self._call.later.next = number + 1
            await self._waits(act, step)
            return
        before, self._since = self._since, Since(len(self._seen.taken), len(self._seen.heard))
        end = self._call.loop.time() + self._seen.tolerance
        await self._call.until(lambda: self._has_caught_up(number), end)
        if step.when != "settled":
            await self._call.until(lambda: self._can(number, act), end)
        self._call.later.next = number + 1
        await self._act(number, step, before)

    def _has_caught_up(self, number: int) -> bool:
        """Whether all has come about here that had on the pure core."""
        seen = self._seen
        if number >= len(self._beforehand) or seen.snapshot.ended:
            return True
        return self._beforehand[number] <= come_about(seen, seen.taken, seen.heard)

    def _can(self, number: int, act: Act) -> bool:
        """Whether this can happen now. What cannot yet at the time of its step is waited for: a room's times are not those of the pure core."""
        if isinstance(act, Occurs):
            by_itself = act.name.endswith(_OF_CALLS) or is_given_up(act) or act.data.get("by") == "agent"
            return by_itself or (
                self._refused(act.name, act.data) is None and self._call.happening.can_be_told(act.name)
            )
        if isinstance(act, Calls):
            return all(self._refused(f"tool.{name}", arguments) is None for name, arguments in act.tools)
        if isinstance(act, Presses):
            return self._refused(_key_event(act.keys[0], act.leg), NO_DATA) is None
        if isinstance(act, Speaks):
            return self._seen.leg().status == "on_line" and self._call.far_end() is not None
        if isinstance(act, Replies):
            return self._call.can_turn
        return not isinstance(act, Ends) or self._running(number, act) is not None or "detection" in self._seen.facts

    async def _act(self, number: int, step: Step, before: Since) -> None:
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
            events = [one.step.event for one in self._seen.taken[since:]]
            return (
                self._seen.snapshot.ended or sum(isinstance(one, Event) and one.name == name for one in events) >= count
            )

        return await self._call.until(come, self._call.loop.time() + within)

    def _refused(self, name: str, data: Mapping[str, Any]) -> str | None:
        offered_in = self._seen.snapshot.configuration
        return self._seen.refused(Event(name, {**usual(name), **data}, self._seen.now, offered_in=offered_in))

    def _check(self, name: str, data: Mapping[str, Any] = NO_DATA) -> None:
        why = self._refused(name, data)
        if why is not None:
            raise Impossible(why)

    async def _bring(self, act: Occurs, before: Since, *, settled: bool) -> None:
        since = len(self._seen.taken)
        if is_given_up(act):
            within = (self._call.flow.limits.reconnecting or 0.0) + self._seen.tolerance
            if not await self._call.until(lambda: self._seen.given_up, self._call.loop.time() + within):
                raise Impossible(NOT_GIVEN_UP)
            return
        if act.name.endswith(_OF_CALLS) or act.data.get("by") == "agent":
            if settled and act.name.endswith(".answered"):
                await self._call.advance(self._natural(act.name))
        elif (why := self._refused(act.name, act.data)) is not None:
            if self._has_come(act.name, before.step):
                return  # the step before has brought it about
            raise Impossible(why)
        brought = self._call.happening.bring(act)
        if brought is ALREADY:
            return
        if not await self._comes(act.name, before.step if brought is COMES else since):
            raise Impossible(f"the call does not hear of {act.name}")

    def _has_come(self, name: str, since: int) -> bool:
        events = (one.step.event for one in self._seen.taken[since:])
        return any(isinstance(one, Event) and one.name == name for one in events)

    def _natural(self, name: str) -> float:
        """When a telephone would be picked up by itself."""
        leg = MAIN_LEG if name.startswith("call.") else name.split(".")[1]
        fates = (one for one in self._call.fates.known.values() if verb_of(one.start.verb).calls)
        began = [one.began for one in fates if (one.start.arguments.get("leg") or MAIN_LEG) == leg]
        return max(self._call.loop.time(), began[-1] + ANSWERS_AFTER if began else 0.0)

    async def _presses(self, act: Presses) -> None:
        for key in act.keys:
            name = _key_event(key, act.leg)
            self._check(name)
            since = len(self._seen.taken)
            self._call.happening.press(key, act.leg)
            if not await self._comes(name, since):
                raise Impossible(f"the call does not hear of {name}")
            if key is not act.keys[-1]:
                await self._call.advance(self._call.loop.time() + BETWEEN_KEYS)

    # -- what is said

    async def _speaks(self, text: str) -> None:
        caller, seen = self._call.far_end(), self._seen
        if seen.leg().status != "on_line" or caller is None:
            raise Impossible(f"the far end is {seen.leg().status}, and says nothing that is heard")
        since, turns = len(seen.taken), self._call.model.turns
        await caller.say(text)

        def transcribed() -> bool:
            events = [one.step.event for one in seen.taken[since:]]
            return any(
                isinstance(one, Event) and one.name == _TRANSCRIBED and one.data.get("is_final") for one in events
            )

        if await self._call.until(transcribed, self._call.loop.time() + TURN_WITHIN):
            await self._call.until(lambda: self._call.model.turns > turns, self._call.loop.time() + TURN_WITHIN)

    async def _replies(self, text: str) -> None:
        if self._seen.mute is not None:
            raise Impossible(f"the model has no turn: {self._seen.mute}")
        try:
            name = self._call.turn([text])
        except RuntimeError as error:
            raise Impossible(f"the model has no turn any more: {error}") from error
        await self._call.until(lambda: name not in self._call.model.wanted, self._call.loop.time() + COMES_WITHIN)

    async def _call_tools(self, act: Calls) -> None:
        for name, arguments in act.tools:
            self._check(f"tool.{name}", arguments)
        since, last = len(self._seen.taken), f"tool.{act.tools[-1][0]}"
        count = sum(name == act.tools[-1][0] for name, _ in act.tools)
        if livekit_internals.is_silent(self._call.session) and livekit_internals.is_running(self._call.session):
            with contextlib.suppress(RuntimeError):  # the agent who has a model has not taken over
                self._call.turn([Tool(name, dict(arguments)) for name, arguments in act.tools])
                if await self._comes(last, since, count):
                    return
        for name, arguments in act.tools:  # while it speaks
            self._calls += 1
            called = self._call.stage.call.tool_called(
                name, arguments, id=f"scenario_{self._calls}", offered_in=self._seen.snapshot.configuration
            )
            self._call.spawn(_told(called))
        if not await self._comes(last, since, count):
            raise Impossible(f"the call does not hear of {last}")

    # -- effects and timers

    async def _end(self, number: int, act: Ends, *, settled: bool) -> None:
        running = self._running(number, act)
        if running is None:
            await self._verdict(act, settled=settled)
            return
        fate = self._call.fates.known[running.id]
        if settled and act.ending.status != "timed_out":
            await self._call.advance(fate.began + self._lasts(fate))
        self._call.telephones.release(fate, act.ending)
        gone = lambda: running.id not in self._seen.snapshot.memory.effects  # noqa: E731
        if not await self._call.until(gone, self._call.loop.time() + max(ENDS_WITHIN, fate.start.timeout or 0.0)):
            raise Impossible(f"{act.verb} does not end so")

    def _lasts(self, fate: Fate) -> float:
        """Seconds from its start to its end, where nobody says otherwise."""
        verb, arguments = fate.start.verb, fate.start.arguments
        if verb_of(verb).takes_keys:
            return seconds(str(arguments.get("prompt") or ""))
        if verb_of(verb).speech:
            return seconds(str(arguments["text"])) if "text" in arguments else REPLY
        known = {"transfer": HANDS_OVER, "detect_machine": LOOKS_FOR}
        return ANSWERS_AFTER if verb_of(verb).calls else known.get(verb, LASTS.get(verb, 0.0))

    def _running(self, number: int, act: Ends) -> Running | None:
        effects = self._seen.snapshot.memory.effects
        wanted = self._call.later.claimed.get(number) if act.effect is None else act.effect
        if wanted is not None and wanted in effects:
            return effects[wanted]
        return None if act.effect is not None else oldest(effects, act.verb, act.leg, stopping=False)

    async def _verdict(self, act: Ends, *, settled: bool) -> None:
        """Who has answered, where that is looked for as part of a dial."""
        result, look = act.ending.result.get("result"), self._call.fates.known.get(DETECTION)
        if "detection" not in self._seen.facts or look is None or verb_of(act.verb).family != "amd" or result is None:
            runs = [one.verb for one in self._seen.snapshot.memory.effects.values() if not one.stopping]
            hint = "; the caller hangs up by `call.hangup`" if verb_of(act.verb).farewell else ""
            told = f"what runs is {', '.join(runs)}" if runs else "nothing runs"
            raise Impossible(f"no {act.verb} is running: {told}{hint}")
        since = len(self._seen.taken)
        if settled:
            await self._call.advance(self._call.telephones.looked_since + LOOKS_FOR)
        look.release(act.ending)
        if not await self._comes(f"amd.{result}", since, within=ENDS_WITHIN):
            raise Impossible(f"nobody tells amd.{result}")

    async def _fires(self, act: Fires) -> None:
        timers = self._seen.snapshot.memory.timers
        wanted = next((one for one in timers if act.name in ("", timer_name(self._call.flow, one))), None)
        if wanted is None:
            live = ", ".join(timer_name(self._call.flow, one) for one in timers) or "none"
            raise Impossible(f"no timer {act.name} is live; there are: {live}")
        since = len(self._seen.taken)
        while any(one.generation == wanted.generation for one in self._seen.snapshot.memory.timers):
            await self._call.pass_()
        events = [one.step.event for one in self._seen.taken[since:]]
        if not any(isinstance(one, TimerFired) and one.generation == wanted.generation for one in events):
            raise Impossible(
                f"the timer {timer_name(self._call.flow, wanted)} did not come due: something else came before"
            )

    # -- what is expected

    async def _waits(self, act: Expects | Never | Waits, step: Step) -> None:
        if isinstance(act, Waits):
            await self._call.advance(self._call.loop.time() + act.seconds)
        else:
            await self._expect(act, step)

    async def _expect(self, act: Expects | Never, step: Step) -> None:
        seen = self._seen
        since = self._since if isinstance(act, Expects) else Since(len(seen.taken), len(seen.heard))
        slack = seen.tolerance if isinstance(act, Expects) else 0.0
        end = None if act.within is None else self._call.loop.time() + act.within + slack
        met = await self._call.until(watch(act.conditions, seen, since), end)
        if isinstance(act, Never):
            if met:
                told = f"what must not happen has happened, at {time_shown(seen.elapsed)}"
                raise Failed(Failure(step.position, told))
        elif not met:
            missing = unmet(act.conditions, seen, since)
            raise Failed(Failure(step.position, f"not as expected, at {time_shown(seen.elapsed)}", tuple(missing)))


_OF_CALLS = (".answered", ".offered", ".ringing")
"""What a telephone does that is called, or calls: where it does so by itself it is waited for."""

_TRANSCRIBED = "session.user_input_transcribed"


def _key_event(key: str, leg: str) -> str:
    word = f"dtmf.{KEYS.get(key, key.lower())}"
    return word if leg == MAIN_LEG else f"leg.{leg}.{word}"


async def _told(called: Awaitable[Any]) -> None:
    await called
