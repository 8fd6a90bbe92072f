"""One file for each row of what goes wrong in calls: first, where it was reproduced, what LiveKit does by itself, then a
flow that does not meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

import callflow
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage

ROOT = Path(__file__).parents[2]

FRONT_DESK = """
callflow: 1
name: front-desk
initial: talking
tools:
  end_call: {description: The caller is done and wants to hang up.}
states:
  talking:
    entry: [{generate_reply: {instructions: Greet the caller and help.}}]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: "Thank you for calling, goodbye."}, {outcome: completed}]}
"""

GREETING = "Good morning, what can I do for you?"
GOODBYE = "Thank you for calling, goodbye."


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.fixture
def stage(server):
    """A call of this flow (text, or loaded), to be played: `await stage(FLOW, model=[…], caller=…).play()`."""

    def make(flow: str | callflow.Flow = FRONT_DESK, **parts) -> Stage:
        return Stage(callflow.loads(flow) if isinstance(flow, str) else flow, server, **parts)

    return make


@pytest.fixture
def ended(server):
    """What holds after every call, however it ended: one record, no room, nobody on the line, the job over."""

    def check(stage: Stage) -> None:
        assert stage.record is not None
        assert stage.call.over
        assert stage.job.over is not None
        assert server.rooms == {}
        assert stage.far_end is None or not stage.far_end.on_line

    return check
