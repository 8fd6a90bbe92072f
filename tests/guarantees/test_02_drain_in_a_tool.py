"""Row 2: a tool awaits `session.drain()`, which waits for that very tool: it hangs for ever.

A flow drains in the call's own task; a tool that still drains has only told the flow that the session is to end.
"""

from __future__ import annotations

from livekit.agents import Agent, RunContext, function_tool, get_job_context

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GOODBYE, GREETING
from tests.guarantees.test_01_aclose_in_a_tool import CLOSES
from tests.support import raw


class DrainsTheSession(Agent):
    @function_tool
    async def end_call(self, context: RunContext) -> None:
        """The caller is done."""
        await context.session.drain()
        await get_job_context().delete_room()


async def test_by_itself_the_goodbye_is_followed_by_silence():
    seen = await raw.tool_awaits_drain(60)
    assert seen.heard.endswith(raw.GOODBYE)
    assert seen.on_line
    assert not seen.closed
    assert not seen.tool_returned


async def test_a_flow_drains_and_goes_on(stage, ended):
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("that is all, bye"))
    record = await call.play()
    drain = next(effect for effect in record.effects if effect.verb == "drain")
    assert (drain.status, drain.seconds < 0.5) == ("ok", True)
    assert [effect.verb for effect in record.effects][-4:] == ["drain", "delete_room", "aclose", "shutdown"]
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)


async def test_an_agents_own_tool_that_drains_ends_the_call_too(stage, ended):
    agent = DrainsTheSession(instructions="Help.")
    call = stage(CLOSES, model=[GREETING, [GOODBYE, Tool("end_call")]], caller=talks("that is all"), agent=agent)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.cause.event == "session.close"
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)
