"""Agents written by hand, without callflow: what the tests' own tools are tested with, and what goes wrong today.

Each says "Hello." when somebody is there (0.3 s of 440 Hz). A line of chat is a turn of the caller's.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from livekit import api
from livekit.agents import Agent, AgentSession, RunContext, function_tool
from livekit.agents.beta.tools import EndCallTool

from callflow.testing.models import ScriptedLLM, ToneTTS, Tool
from tests.e2e.agent import Job

HELLO = "Hello."


async def _answer(job: Job, agent: Agent, *, turns: list[Any] = [], tools: list[Any] = []) -> AgentSession:  # noqa: B006
    session = AgentSession(llm=ScriptedLLM(turns), tts=ToneTTS(440), vad=None, tools=tools)
    session.on("close", lambda event: job.notes.write("close", reason=event.reason))
    await session.start(agent, room=job.ctx.room)
    await job.ctx.wait_for_participant()
    return session


async def goodbye(job: Job) -> None:
    """Says `text` and deletes the room when it has been played."""
    session = await _answer(job, Agent(instructions=""))
    await session.say(job.arguments["text"]).wait_for_playout()
    job.notes.write("said")
    await job.ctx.delete_room()
    job.notes.write("deleted")


class _Closer(Agent):
    """Its tool does `how`, and notes what came of it."""

    def __init__(self, job: Job, how: str) -> None:
        super().__init__(instructions="")
        self._job = job
        self._how = how

    async def on_enter(self) -> None:
        self.session.say(HELLO)

    @function_tool
    async def end_call(self, context: RunContext) -> str:
        """Ends the call."""
        self._job.notes.write("tool")
        try:
            if self._how == "drain":
                await context.session.drain()
            elif self._how == "aclose":
                await context.session.aclose()
            elif self._how == "speech":
                await context.speech_handle
            elif self._how == "slow":
                await asyncio.sleep(6)
        except RuntimeError as error:
            self._job.notes.write("tool_raised", error=str(error))
        self._job.notes.write("tool_done")
        return "done"


async def close_in_a_tool(job: Job) -> None:
    """On the caller's first line the model says goodbye and calls a tool that does `how`."""
    await _answer(job, _Closer(job, job.arguments["how"]), turns=[["Goodbye.", Tool("end_call")], "", "", ""])


async def end_call_tool(job: Job) -> None:
    """LiveKit's own EndCallTool, with an `on_session_end` that takes two seconds."""

    async def summarise(_: Any) -> None:
        await asyncio.sleep(2)

    job.on_session_end.append(summarise)
    turns = [[Tool("end_call")], job.arguments["text"]]
    session = await _answer(job, Agent(instructions=""), turns=turns, tools=[EndCallTool()])
    await session.say(HELLO).wait_for_playout()


async def shutdown(job: Job) -> None:
    """Starts a goodbye, and ends the job at once."""
    session = await _answer(job, Agent(instructions=""), turns=[job.arguments["text"]])
    await session.say(HELLO).wait_for_playout()
    session.generate_reply()
    job.ctx.shutdown("the conversation is over")


async def delete_while_speaking(job: Job) -> None:
    """Starts a goodbye, and deletes the room at once."""
    session = await _answer(job, Agent(instructions=""))
    await session.say(HELLO).wait_for_playout()
    session.say(job.arguments["text"])
    await asyncio.sleep(0.5)
    await job.ctx.delete_room()


async def delete_unawaited(job: Job) -> None:
    """Starts to delete the room, and shuts down without waiting for it."""
    session = await _answer(job, Agent(instructions=""))
    await session.say(HELLO).wait_for_playout()

    async def delete() -> None:
        try:
            await job.ctx.api.room.delete_room(api.DeleteRoomRequest(room=job.ctx.room.name))
        except (asyncio.CancelledError, aiohttp.ClientError) as error:  # the job's end closes the API client under it
            job.notes.write("delete_lost", error=repr(error))

    task = asyncio.create_task(delete())
    job.ctx.shutdown("done")
    job.notes.write("shut_down", deleting=not task.done())


class _Broken(Agent):
    async def on_enter(self) -> None:
        raise ValueError("no such customer")


async def broken_on_enter(job: Job) -> None:
    """The agent's `on_enter` raises."""
    await _answer(job, _Broken(instructions=""))
    job.notes.write("started")


async def nobody(job: Job) -> None:
    """Waits for a caller."""
    session = AgentSession(llm=ScriptedLLM(), tts=ToneTTS(440), vad=None)
    await session.start(Agent(instructions=""), room=job.ctx.room)
    job.notes.write("waiting")
    await job.ctx.wait_for_participant()
    job.notes.write("somebody")
