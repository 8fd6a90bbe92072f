"""Agents that are flows: the scenarios of `tests/e2e/test_calls.py`.

The caller writes a line of chat, and the model's script says what comes of it; the agent's voice is a tone of 440 Hz.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from livekit.agents import Agent, AgentSession, AgentTask, function_tool

import callflow
from callflow.testing.models import ScriptedLLM, ToneSTT, ToneTTS, Tool
from tests.e2e.agent import Job

FLOWS = Path(__file__).with_name("flows")


async def run_call(
    job: Job, flow: str, turns: list[Any], *, agent: Agent | None = None, who: Any = "human", **options: Any
) -> None:
    """One call, to its record. The session is one that a user would build; tones near 600 Hz are heard as "yes". `who`
    has answered, as the model says when it is asked."""
    session = AgentSession(
        llm=ScriptedLLM(turns, who=who),
        tts=ToneTTS(440),
        stt=ToneSTT({600: "yes"}),
        vad=None,
        turn_handling={"turn_detection": "stt"},
        aec_warmup_duration=None,
    )
    session.on("close", lambda event: job.notes.write("close", reason=event.reason))
    agent = agent or Agent(instructions="You are at the front desk.")
    record = await callflow.run(callflow.load(FLOWS / flow), job.ctx, session, agent=agent, **options)
    job.notes.write("record", **record.to_json())


async def desk(job: Job) -> None:
    """Answers once, then ends the call."""
    await run_call(job, "desk.yaml", ["All right.", Tool("end_call")])


async def ends_the_call(job: Job) -> None:
    """Ends the call at the caller's first line."""
    await run_call(job, "desk.yaml", [Tool("end_call")])


async def wraps_up(job: Job) -> None:
    """Ends the call at the caller's first line, with two seconds of work in either hook."""

    async def slow_hook(_: Any) -> None:
        await asyncio.sleep(2)

    async def summarise() -> dict[str, int]:
        job.notes.write("summarising")
        await asyncio.sleep(2)
        job.notes.write("summarised")
        return {"words": 17}

    job.on_session_end.append(slow_hook)
    await run_call(job, "wrapped_up.yaml", [Tool("end_call")], actions={"summarise": summarise})


async def leaves_them_talking(job: Job) -> None:
    await run_call(job, "leaves_them_talking.yaml", [Tool("leave")])


class Billing(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are in billing.", tts=ToneTTS(660))

    async def on_enter(self) -> None:
        self.session.say("Billing.")

    @function_tool
    async def take_address(self) -> str:
        """The caller has moved."""
        return "Asking."


class FrontDesk(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are at the front desk.")

    @function_tool
    async def transfer_to_billing(self) -> Agent:
        """The caller asks about a bill."""
        return Billing()


class AskAddress(AgentTask[str]):
    def __init__(self) -> None:
        super().__init__(instructions="Ask for the address.", tts=ToneTTS(880))

    async def on_enter(self) -> None:
        self.session.say("Where do you live?")

    @function_tool
    async def take_down(self, address: str) -> None:
        """The caller has said where they live."""
        self.complete(address)


async def takes_an_address(job: Job) -> None:
    turns = [
        Tool("transfer_to_billing"),
        Tool("take_address"),
        Tool("take_down", {"address": "12 Elm Street"}),
        Tool("end_call"),
    ]
    await run_call(job, "takes_an_address.yaml", turns, agent=FrontDesk(), agents={"address": AskAddress})


def models() -> AgentSession[None]:
    """What `callflow run --agent` is given: a session whose model ends the call at the caller's first line."""
    return AgentSession(llm=ScriptedLLM([Tool("end_call")]), tts=ToneTTS(440), vad=None, aec_warmup_duration=None)
