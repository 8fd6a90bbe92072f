"""Agents that call, and are called: the scenarios of `tests/e2e/phone`. The order names the flow and its variables."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import Agent

from callflow.testing.models import Tool
from tests.e2e.agent import Job
from tests.e2e.scenarios.calls import run_call


async def call(job: Job) -> None:
    """`flow`: its file; `vars`: its variables; `turns`: what the model says, `!name` for a tool; `who`: whom it takes the
    far end for; `hook`: how many seconds `on_session_end` takes."""
    arguments = job.arguments

    async def slow_hook(_: Any) -> None:
        await asyncio.sleep(arguments["hook"])

    if "hook" in arguments:
        job.on_session_end.append(slow_hook)
    turns = [Tool(turn[1:]) if turn.startswith("!") else turn for turn in arguments.get("turns", [])]
    await run_call(
        job,
        arguments["flow"],
        turns,
        agent=Agent(instructions="You call people."),
        who=arguments.get("who", "human"),
        vars=arguments["vars"],
        journal=job.notes.path.parent / "journal",
    )
