"""The calls of `callflow demo`: real sessions with scripted models, in a simulated room, on a paced virtual clock."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from livekit.agents import Agent, JobContext, function_tool, get_job_context
from livekit.agents.voice.io import PlaybackFinishedEvent

from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.telephony.network import FAR_ENDS, FarEnd, PhoneNetwork
from callflow.testing import Caller, Pause, SimulatedJob, SimulatedServer, Tool
from callflow.testing.audio import join
from callflow.testing.models import Turn
from callflow.testing.play import Script, Stage, hangs_up, offline_session, silent
from callflow.testing.virtual_time import VirtualTimeLoop

WATCHED = 60.0
"""Seconds for which the call that hangs is watched."""

EVENING = 1_795_287_600.0
"""Saturday, 21 November 2026, 20:00 in Berlin: the front desk is closed."""

NUMBER, DESK = "+15550123456", "+15550100100"

Say = Callable[[str, str], None]
"""Somebody (caller, agent, telephone …) has done or said something."""


class PacedLoop(VirtualTimeLoop):
    """Virtual time that can be watched: `speed` times as fast as the clock on the wall, and no jump longer than
    `longest` seconds of it."""

    def __init__(self, speed: float, longest: float) -> None:
        super().__init__()
        self._speed, self._longest = speed, longest

    def advance(self, seconds: float) -> None:
        if self._speed < math.inf:
            time.sleep(min(seconds / self._speed, self._longest))
        super().advance(seconds)


# -- the same call twice


class ByHand(Agent):
    """What people write, and what hangs."""

    @function_tool
    async def end_call(self) -> None:
        """The caller is done and wants to hang up."""
        await self.session.drain()  # let the goodbye play out
        await get_job_context().delete_room()  # drop the line


GREETING = "Mulberry Dental, good day. What can I do for you?"
GOODBYE = "Goodbye."


@define(eq=False)
class Side:
    """One of the two calls: what happens in it goes to `says` with its time, what the clock shows to `silence`."""

    says: Callable[[float, str, str], None]
    silence: Callable[[float], None]
    caller: Caller = field(init=False)
    dropped_after: float | None = field(default=None, init=False)


async def both(flow: Flow, by_hand: Side, as_flow: Side) -> None:
    """Both calls at once, in two rooms of one server."""
    before = asyncio.all_tasks()
    async with SimulatedServer() as server:
        session = offline_session([GREETING, [GOODBYE, Tool("end_call")]])
        session.on("tool_execution_updated", lambda event: _tool_started(event, by_hand, server))
        room = "by-hand"

        async def entrypoint(ctx: JobContext) -> None:
            await session.start(ByHand(instructions="Help the caller."), room=ctx.room)
            session.generate_reply()

        job = SimulatedJob(server, entrypoint, room=room)
        by_hand.caller = Caller(server, room)
        by_hand.caller.join()
        job.start()
        stage = Stage(flow, server, [GREETING, Tool("end_call")], _polite(as_flow, server), room="as-flow")
        stage.watch = lambda step: _tool_seen(step, as_flow, server)
        heard = [_listen(job, by_hand, server), _listen(stage.job, as_flow, server)]
        manual = asyncio.ensure_future(_polite(by_hand, server)(by_hand.caller))
        playing = asyncio.ensure_future(stage.play())
        asked: float | None = None
        while asked is None or server.loop.time() - asked < WATCHED:
            await asyncio.sleep(1 if asked else 0.1)
            for side in (by_hand, as_flow):
                _look(side, server)
            if manual.done() and asked is None:
                asked = server.loop.time()
        await playing
        del heard
        left = asyncio.all_tasks() - before
        for task in left:  # what hangs would never end by itself
            task.cancel()
        await asyncio.wait(left)


def _polite(side: Side, server: SimulatedServer) -> Script:
    async def script(caller: Caller) -> None:
        side.caller = caller
        side.says(server.loop.time(), "caller", "is on the line")
        await caller.hear()
        side.says(server.loop.time(), "caller", "“That is all, thank you.”")
        await caller.say("That is all, thank you.")

    return script


def _look(side: Side, server: SimulatedServer) -> None:
    if side.caller.on_line:
        side.silence(side.caller.dead_air)
    elif side.dropped_after is None:
        side.dropped_after = side.caller.dead_air
        left = side.caller.left or server.loop.time()
        side.says(left, "line", f"drops, {side.dropped_after:.1f} s after the last sound")


def _listen(job: SimulatedJob, side: Side, server: SimulatedServer) -> Callable[..., None]:
    def spoken(*_: Any) -> None:
        sounds = side.caller.heard
        if sounds:
            side.says(sounds[-1].start, "agent", f"“{sounds[-1].text}”")

    # The last letters are still on their way to the ear when the playout ends.
    def later(*_: Any) -> None:
        server.loop.call_later(0.06, spoken)

    job.room.voice.on("playback_finished", later)
    return later


def _tool_started(event: Any, side: Side, server: SimulatedServer) -> None:
    if event.update.type == "tool_call_started":
        side.says(server.loop.time(), "model", "calls end_call")


def _tool_seen(step: Step, side: Side, server: SimulatedServer) -> None:
    if getattr(step.event, "name", "") == "tool.end_call":
        side.says(server.loop.time(), "model", "calls end_call")


# -- the flows to copy

OUTBOUND_TURNS: tuple[Turn, ...] = (
    "Hello Ada, this is Mulberry Dental. Your appointment is tomorrow at ten. Can you come?",
    [Pause(0.4), "Wonderful. Is there anything else?"],
    Tool("end_call"),
)
INBOUND_TURNS: tuple[Turn, ...] = (
    "What can I do for you?",
    Tool("speak_to_person"),
    [Pause(0.4), "Who may I say called, and what is it about?"],
    Tool("message_is_complete", {"caller": "Ada Byron", "text": "Her loom needs a repair."}),
    Tool("message_is_right"),
)


def _says(says: Say, *turns: str) -> Script:
    async def script(caller: Caller) -> None:
        for turn in turns:
            await caller.hear()
            if not caller.on_line:
                return
            says("caller", f"“{turn}”")
            await caller.say(turn)

    return script


def _leaves(says: Say, after: float) -> Script:
    async def script(caller: Caller) -> None:
        await asyncio.sleep(after)
        says("caller", "hangs up")
        await hangs_up(after=0)(caller)

    return script


def _picks_up(says: Say, far: FarEnd, script: Script) -> Script:
    """Its greeting is the telephone's own; here it is shown."""

    async def greets() -> None:
        await asyncio.sleep(far.greets_after)
        says("", f"“{far.first_words}”")

    async def both(telephone: Caller) -> None:
        await asyncio.gather(greets(), script(telephone))

    return both if far.first_words and far.hangs_up is None else script


def outbound(kind: str, says: Say) -> tuple[Script, PhoneNetwork]:
    """Who is called, for `--caller kind`."""

    def tells(_: str, what: str) -> None:
        says("callee", what)

    scripts: Mapping[str, Script] = {
        "talks": _says(tells, "Yes, I will be there.", "No, that is all. Bye!"),
        "hangs_up_while_spoken_to": _leaves(tells, 4.0),
    }
    far = FAR_ENDS.get(kind, FAR_ENDS["answers"])
    return _picks_up(tells, far, scripts.get(kind, silent)), PhoneNetwork({NUMBER: far})


def inbound(kind: str, says: Say) -> Script:
    """Who calls, for `--caller kind`; what only a telephone that is dialled can do is a caller who talks."""
    if kind == "says_nothing":
        return silent
    if kind == "hangs_up_while_spoken_to":
        return _leaves(says, 4.0)
    wants = "I would like to speak to a person, please."
    return _says(says, wants, "Ada Byron. My loom needs a repair.", "Yes, that is right.")


@define(eq=False)
class Shown:
    """One call of a shipped flow: `says` gets what people do, `watch` each step, with the call's own time."""

    says: Callable[[float, str, str], None]
    watch: Callable[[float, Step], None]
    stage: Stage = field(init=False)
    server: SimulatedServer = field(init=False)

    def now(self) -> float:
        return self.server.loop.time()

    async def play(self, flow: Flow, kind: str, folder: Path) -> Stage:
        """The call, from the job's start to its end."""
        os.environ.setdefault("SIP_OUTBOUND_TRUNK_ID", "ST_simulated")
        os.environ.setdefault("FRONT_DESK_NUMBER", DESK)
        async with SimulatedServer(epoch=EVENING) as self.server:
            tell: Say = lambda who, what: self.says(self.now(), who, what)  # noqa: E731
            if flow.outbound:
                script, network = outbound(kind, tell)
                facts = {"phone_number": NUMBER, "customer_name": "Ada"}
                self.stage = Stage(flow, self.server, OUTBOUND_TURNS, script, phone=network, vars=facts)
            else:
                facts = {"business": "Mulberry Dental"}
                self.stage = Stage(flow, self.server, INBOUND_TURNS, inbound(kind, tell), vars=facts)
            self.stage.journal = folder
            self.stage.watch = lambda step: self.watch(self.now(), step)
            self.stage.job.room.voice.on("playback_finished", self._spoken)
            await asyncio.wait_for(self.stage.play(), 3600)
            return self.stage

    def _spoken(self, event: PlaybackFinishedEvent) -> None:
        sound = join(list(self.stage.job.room.voice.speeches)[-1])
        if sound is not None:
            cut = " (cut)" if event.interrupted else ""
            self.says(sound.start, "agent", f"“{sound.text}”{cut}")


def play(work: Coroutine[Any, Any, Any], *, speed: float) -> Any:
    """Runs one call on a loop of its own."""
    with asyncio.Runner(loop_factory=lambda: PacedLoop(speed, 0.25)) as runner:
        return runner.run(work)
