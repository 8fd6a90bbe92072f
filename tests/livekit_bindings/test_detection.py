"""Who has answered: livekit-agents' own answering machine detection, run by a flow, on virtual time."""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.testing import ScriptedLLM, SimulatedServer
from callflow.testing.play import Stage, offline_session

ASKS = """
callflow: 1
name: who
initial: screening
outcomes: [person, unknown]
states:
  screening:
    entry: [{detect_machine: {timeout: 12s}}]
    on:
      amd.human: {target: ending, do: [{say: "Hello, this is Ann."}, {outcome: person}]}
      amd.machine-*: {target: ending, do: [{say: "Please call Ann back."}, {outcome: machine}]}
      amd.*: {target: ending, do: [{outcome: unknown}]}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def stage(server, flow=ASKS, *, who="human", model=(), caller=None, **parts):
    session = offline_session(llm=ScriptedLLM(model, who=who))
    return Stage(callflow.loads(flow), server, session=session, caller=caller, options={"telephony": {}}, **parts)


def events(call, prefix):
    return [
        step.event
        for step in call.steps
        if step.event is not None and getattr(step.event, "name", "").startswith(prefix)
    ]


def says(*sentences, pause=0.4):
    async def script(caller):
        await asyncio.sleep(0.5)
        for sentence in sentences:
            await caller.say(sentence)
            await asyncio.sleep(pause)
        await caller.hear()

    return script


async def test_a_person(server):
    call = stage(server, who="human", caller=says("Hello?"))
    record = await call.play()
    assert record.outcome == "person"
    assert call.heard == "Hello, this is Ann."
