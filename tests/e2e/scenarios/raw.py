"""Agents written by hand, without callflow: what the tests' own tools are tested with, and what goes wrong today."""

from __future__ import annotations

from livekit.agents import Agent, AgentSession

from callflow.testing.models import ScriptedLLM, ToneTTS
from tests.e2e.agent import Job


async def goodbye(job: Job) -> None:
    """Says `text` and deletes the room when it has been played."""
    session = AgentSession(llm=ScriptedLLM(), tts=ToneTTS(440), vad=None)
    session.on("close", lambda event: job.notes.write("close", reason=event.reason))
    await session.start(Agent(instructions="says goodbye"), room=job.ctx.room)
    await job.ctx.wait_for_participant()
    await session.say(job.arguments["text"]).wait_for_playout()
    job.notes.write("said")
    await job.ctx.delete_room()
    job.notes.write("deleted")
