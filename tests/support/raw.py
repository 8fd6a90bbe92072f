"""What LiveKit does by itself, without a flow: the symptoms, each with a real AgentSession in a simulated room.

Each function plays one call, bounded in virtual time, and says what was seen. Whatever hangs in it is cancelled at the
end, as the end of a process would.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from attrs import define
from livekit import api
from livekit.agents import Agent, AgentSession, RunContext, function_tool

from callflow.testing import Caller, Fault, ScriptedLLM, SimulatedJob, SimulatedServer, SpelledSTT, SpelledTTS, Tool

GOODBYE = "Thank you for calling, goodbye."

SPEECH = {"vad": None, "turn_handling": {"turn_detection": "stt"}, "aec_warmup_duration": None}
"""What a session needs to hear and speak offline."""


@define
class RawCall:
    """One call: the server, the job in it, the caller, the session; `closed` lists the `close` events with their times."""

    server: SimulatedServer
    job: SimulatedJob
    caller: Caller
    session: AgentSession
    closed: list[tuple[float, str]]

    @property
    def now(self) -> float:
        return self.server.loop.time()


@asynccontextmanager
async def raw_call(
    agent: Agent, turns=(), *, after_start: Callable[..., Any] | None = None, on_session_end=None, faults=()
) -> AsyncIterator[RawCall]:
    """A call as people write it: start a session, greet, and let the model's tools do the rest."""
    before = asyncio.all_tasks()
    async with SimulatedServer() as server:
        server.faults["DeleteRoom"] = list(faults)
        session = AgentSession(llm=ScriptedLLM(turns), stt=SpelledSTT(), tts=SpelledTTS(), **SPEECH)
        closed: list[tuple[float, str]] = []
        session.on("close", lambda event: closed.append((server.loop.time(), event.reason.value)))

        async def entrypoint(ctx):
            await session.start(agent, room=ctx.room)
            if after_start is not None:
                await after_start(ctx, session)

        job, caller = SimulatedJob(server, entrypoint, on_session_end=on_session_end), Caller(server, "room")
        caller.join()
        job.start()
        await asyncio.sleep(1)
        try:
            yield RawCall(server, job, caller, session, closed)
        finally:
            left = asyncio.all_tasks() - before
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)


class Silence(NamedTuple):
    """What a caller met who waited for `waited` seconds after asking to hang up."""

    heard: str
    on_line: bool
    closed: bool
    tool_returned: bool
    waited: float


class _Ending(Agent):
    """An agent whose end_call awaits something of the session."""

    def __init__(self, wait: Callable[[RunContext], Coroutine[Any, Any, Any]]) -> None:
        super().__init__(instructions="Help, and say goodbye.")
        self._wait = wait
        self.returned = False
        self.released = asyncio.Event()

    @function_tool
    async def end_call(self, context: RunContext) -> str:
        """The caller is done."""
        waiting = asyncio.ensure_future(self._wait(context))
        # Nothing but the test's end releases it: a circle of tasks that await each other cannot even be cancelled.
        release = asyncio.ensure_future(self.released.wait())
        await asyncio.wait([waiting, release], return_when=asyncio.FIRST_COMPLETED)
        release.cancel()
        self.returned = waiting.done()
        return "ended"


async def _asked_to_hang_up(wait, seconds: float) -> Silence:
    agent = _Ending(wait)
    async with raw_call(agent, [[GOODBYE, Tool("end_call")]]) as call:
        await call.caller.say("that is all, bye")
        asked = call.now
        await asyncio.sleep(seconds)
        seen = Silence(call.caller.heard_text, call.caller.on_line, bool(call.closed), agent.returned, call.now - asked)
        agent.released.set()
        await asyncio.sleep(1)
        return seen


async def tool_awaits_aclose(seconds: float = 60.0) -> Silence:
    """Row 1: `await session.aclose()` in a tool; the close waits for the tool, the tool for the close."""
    return await _asked_to_hang_up(lambda context: context.session.aclose(), seconds)


async def tool_awaits_drain(seconds: float = 60.0) -> Silence:
    """Row 2: `await session.drain()` in a tool."""
    return await _asked_to_hang_up(lambda context: context.session.drain(), seconds)


class Deletion(NamedTuple):
    """What `await ctx.delete_room()` made of a server that answers with an error, or not at all."""

    raised: BaseException | None
    returned_after: float | None
    on_line: bool


async def delete_room_meets(fault: Fault, seconds: float = 60.0) -> Deletion:
    """Row 10: the helper swallows every failure, and has no time limit of its own."""
    async with raw_call(Agent(instructions="x")) as call:
        call.server.faults["DeleteRoom"] = [fault]
        began, raised, after = call.now, None, None
        deletion = asyncio.ensure_future(call.job.ctx.delete_room())
        done, _ = await asyncio.wait([deletion], timeout=seconds)
        if done:
            raised, after = deletion.exception(), call.now - began
        return Deletion(raised, after, call.caller.on_line)


async def api_delete_room_hangs(seconds: float = 3600.0) -> bool:
    """Row 10: LiveKit's own API client sets no time limit where it shares the job's HTTP session."""
    async with raw_call(Agent(instructions="x")) as call:
        call.server.faults["DeleteRoom"] = [Fault(seconds=10 * seconds)]
        request = asyncio.ensure_future(call.job.ctx.api.room.delete_room(api.DeleteRoomRequest(room="room")))
        done, _ = await asyncio.wait([request], timeout=seconds)
        return not done


async def close_waits_for_a_tool(tool_seconds: float = 20.0) -> float:
    """Row 13: how long `session.aclose()` takes while a tool runs that takes `tool_seconds`."""

    class Slow(Agent):
        @function_tool
        async def look_up(self) -> str:
            """Looks something up."""
            await asyncio.sleep(tool_seconds)
            return "found"

    async with raw_call(Slow(instructions="x"), [Tool("look_up")]) as call:
        await call.caller.say("look it up")
        await asyncio.sleep(2)  # the turn has ended, the tool runs
        began = call.now
        await asyncio.wait_for(call.session.aclose(), 10 * tool_seconds)
        return call.now - began


async def speech_after_the_close() -> BaseException | None:
    """Row 16: a timer that fires after the session was closed, and speaks."""
    failure: list[BaseException] = []

    async with raw_call(Agent(instructions="x")) as call:

        def late() -> None:
            try:
                call.session.say("Are you still there?")
            except RuntimeError as error:
                failure.append(error)

        call.server.loop.call_later(5, late)
        await call.session.aclose()
        await asyncio.sleep(10)
    return failure[0] if failure else None


class BadHandler(NamedTuple):
    raised: BaseException | None
    later_handler_ran: bool


async def a_close_handler_raises() -> BadHandler:
    """Row 17: one handler of `close` that raises a TypeError, registered before another one."""
    ran: list[bool] = []
    raised: BaseException | None = None
    async with raw_call(Agent(instructions="x")) as call:

        def bad(event) -> None:
            raise TypeError("an author's mistake")

        call.session.on("close", bad)
        call.session.on("close", lambda event: ran.append(True))
        try:
            await call.session.aclose()
        except TypeError as error:
            raised = error
        await asyncio.sleep(1)
    return BadHandler(raised, bool(ran))


def log_nothing_late() -> None:
    """LiveKit does not await the task of an `on_enter`, so asyncio logs its exception when the garbage collector finds
    it: anywhere, also inside an `ast.parse`, of which Python 3.11 bears no second one (the log's traceback has one)."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)


class MuteCall(NamedTuple):
    heard: str
    on_line: bool
    session_closed: bool
    job_over: bool


async def on_enter_raises(seconds: float = 120.0) -> MuteCall:
    """Row 18: `on_enter` fails before it has greeted; nobody hears of it."""

    class Broken(Agent):
        async def on_enter(self) -> None:
            raise ValueError("no such customer")
            self.session.generate_reply()

    log_nothing_late()
    async with raw_call(Broken(instructions="x"), ["Hello."]) as call:
        await asyncio.sleep(seconds)
        return MuteCall(call.caller.heard_text, call.caller.on_line, bool(call.closed), call.job.over is not None)


async def a_partial_as_shutdown_callback() -> BaseException | None:
    """Row 57: `ctx.add_shutdown_callback(functools.partial(…))`."""

    async def clean_up(what: str, reason: str) -> None:
        raise AssertionError("nobody gets here")

    async with raw_call(Agent(instructions="x")) as call:
        try:
            call.job.ctx.add_shutdown_callback(functools.partial(clean_up, "everything"))
        except AttributeError as error:
            return error
    return None
