"""Calls in which something goes wrong: the scenarios of `tests/e2e/test_faults_*.py`.

Each writes its journal beside the notes, in the folder `journal`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from livekit.agents import Agent, AgentSession, APIConnectionError, JobContext, function_tool
from livekit.agents.voice.room_io import RoomOptions

from callflow.testing.models import Samples, ToneTTS, Tool, tone
from tests.e2e.agent import Job
from tests.e2e.scenarios.calls import run_call

DESK = "hasty_desk.yaml"


async def _call(job: Job, turns: list[Any], **options: Any) -> None:
    await run_call(job, DESK, turns, journal=job.notes.path.parent / "journal", **options)


async def desk(job: Job) -> None:
    """Ends the call at the caller's first line."""
    await _call(job, [Tool("end_call")])


async def short_patience(job: Job) -> None:
    """Gives its own connection up as soon as LiveKit's client says that it is gone."""
    await run_call(job, "short_patience.yaml", [Tool("end_call")], journal=job.notes.path.parent / "journal")


async def connects_late(job: Job) -> None:
    """Joins the room only after `delay` seconds; with `patient` it waits there for as long as a flow does by itself."""
    await asyncio.sleep(job.arguments["delay"])
    if job.arguments.get("patient"):
        await run_call(job, "desk.yaml", [Tool("end_call")], journal=job.notes.path.parent / "journal")
    else:
        await _call(job, [Tool("end_call")])


class Marked(ToneTTS):
    """The last 100 ms of a longer text are higher than the rest, so that one can hear whether they are there."""

    def tone(self, text: str) -> Samples:
        sound = super().tone(text)
        if len(text) > 20:
            mark = tone(1200, 0.1, rate=self.SAMPLE_RATE)
            sound[-len(mark) :] = mark
        return sound


async def marked_goodbye(job: Job) -> None:
    """Ends the call at the caller's first line, with a goodbye whose end can be told from the rest."""
    await _call(job, [Tool("end_call")], agent=Agent(instructions="You are at the front desk.", tts=Marked(440)))


async def bare_goodbye(job: Job) -> None:
    """The same without a flow: the room is deleted as soon as the goodbye has been played."""
    said = asyncio.Event()
    session = AgentSession(tts=Marked(440), vad=None)
    await session.start(Agent(instructions=""), room=job.ctx.room, room_options=RoomOptions(text_input=False))
    job.ctx.room.register_text_stream_handler("lk.chat", lambda *_: said.set())
    await job.ctx.wait_for_participant()
    await session.say("Hello.").wait_for_playout()
    await said.wait()
    await session.say("Goodbye, and thank you for your call.").wait_for_playout()
    await job.ctx.delete_room()


class Looking(Agent):
    """Has a tool that takes 20 s; one that is `stubborn` goes on when it is cancelled."""

    def __init__(self, job: Job, *, stubborn: bool) -> None:
        super().__init__(instructions="You are at the front desk.")
        self._job, self._stubborn = job, stubborn

    @function_tool
    async def look_up(self) -> str:
        """The caller asks for something that takes long."""
        self._job.notes.write("looking")
        until = time.monotonic() + 20
        while (left := until - time.monotonic()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                self._job.notes.write("look_up_cancelled")
                if not self._stubborn:
                    raise
        self._job.notes.write("looked")
        return "Found."


async def slow_tool(job: Job) -> None:
    await _call(job, [Tool("look_up")], agent=Looking(job, stubborn=False))


async def stubborn_tool(job: Job) -> None:
    await _call(job, [Tool("look_up")], agent=Looking(job, stubborn=True))


async def failing_model(job: Job) -> None:
    """Every request to the model fails, each of the session's tries too."""
    await _call(job, [APIConnectionError("the model is down") for _ in range(100)])


class Broken(Agent):
    async def on_enter(self) -> None:
        raise RuntimeError("the database is away")


async def broken_on_enter(job: Job) -> None:
    await _call(job, [Tool("end_call")], agent=Broken(instructions="You are at the front desk."))


async def hanging_hook(job: Job) -> None:
    """Ends the call at the caller's first line; its `on_session_end` never returns."""

    async def hang(_: JobContext) -> None:
        await asyncio.Event().wait()

    job.on_session_end.append(hang)
    await _call(job, [Tool("end_call")])
