"""Row 1: a tool awaits `session.aclose()`, and the session never closes: the close waits for the tool.

A flow's tools only emit events; whoever still closes the session in a tool has only told the flow so.
"""

from __future__ import annotations

from livekit.agents import Agent, RunContext, function_tool

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GOODBYE, GREETING
from tests.support import raw


class ClosesTheSession(Agent):
    @function_tool
    async def end_call(self, context: RunContext) -> str:
        """The caller is done."""
        await context.session.aclose()
        return "ended"


CLOSES = """
callflow: 1
name: front-desk
initial: talking
states:
  talking:
    entry: [generate_reply]
"""


async def test_by_itself_the_caller_waits_in_silence():
    seen = await raw.tool_awaits_aclose(60)
    assert seen.on_line
    assert not seen.closed
    assert not seen.tool_returned
    assert raw.GOODBYE not in seen.heard


async def test_a_flows_tool_ends_the_call(stage, ended):
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("that is all, bye"))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.forced, record.fault, record.error) == ("completed", (), None, None)
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.far_end.dead_air < 0.4
    ended(call)


async def test_an_agents_own_tool_that_closes_the_session_ends_the_call_too(stage, ended):
    agent = ClosesTheSession(instructions="Help.")
    call = stage(CLOSES, model=[GREETING, [GOODBYE, Tool("end_call")]], caller=talks("that is all"), agent=agent)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event) == ("failed", "session.close")
    ended(call)
