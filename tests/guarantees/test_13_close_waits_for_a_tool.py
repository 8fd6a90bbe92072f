"""Row 13: closing the session waits for a tool that runs: 20 s for a tool of 20 s.

In a flow a tool that still runs when the call ends is cancelled, and nothing waits longer than its own time limit.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, function_tool

from callflow.testing import Tool
from tests.guarantees.conftest import GREETING
from tests.support import raw

PLAIN = """
callflow: 1
name: front-desk
initial: talking
states: {talking: {entry: [generate_reply]}}
"""


class Slow(Agent):
    def __init__(self, *, stubborn: bool) -> None:
        super().__init__(instructions="Look things up.")
        self._stubborn = stubborn
        self.began = asyncio.Event()
        self.ended = None

    @function_tool
    async def look_up(self) -> str:
        """Looks something up."""
        self.began.set()
        until = asyncio.get_running_loop().time() + 600
        while (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                self.ended = "cancelled"
                if not self._stubborn:
                    raise
        return "found"


async def test_by_itself_the_close_takes_as_long_as_the_tool():
    assert await raw.close_waits_for_a_tool(20) > 19
    assert await raw.close_waits_for_a_tool(100) > 99


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_flow_does_not_wait_for_it(stage, server, stubborn, ended):
    agent = Slow(stubborn=stubborn)

    async def caller(who):
        await who.hear()
        await who.say("look it up")
        await agent.began.wait()
        await asyncio.sleep(1)
        who.hang_up()

    call = stage(PLAIN, model=[GREETING, Tool("look_up")], caller=caller, agent=agent)
    began = server.loop.time()
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event) == ("hung_up", "call.hangup")
    assert agent.ended == "cancelled"
    assert server.loop.time() - began < 30
    assert record.ended - call.far_end.left - record.started < 15
    ended(call)
    await asyncio.sleep(600)  # the stubborn one comes to its end at last
