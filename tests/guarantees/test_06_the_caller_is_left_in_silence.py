"""Row 6: the caller is left in silence: `ctx.shutdown()` takes only the agent away.

The end of a flow drops the line, whatever its last state does, unless the flow says that it must not.
"""

from __future__ import annotations

import pytest

import callflow
from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GREETING
from tests.support import raw

BARE = """
callflow: 1
name: bare
initial: talking
tools: {{end_call: {{description: The caller is done.}}}}
states:
  talking:
    entry: [generate_reply]
    tools: [end_call]
    on:
      tool.end_call: {{target: over, do: [{{outcome: completed}}]}}
  over: {{final: true{entry}}}
"""


async def test_by_itself_a_shutdown_leaves_the_caller_alone():
    async def shut_down(ctx, session):
        ctx.shutdown("done")

    async with raw.raw_call(raw.Agent(instructions="x"), after_start=shut_down) as call:
        await call.job.ended()
        await raw.asyncio.sleep(600)
        assert call.caller.on_line
        assert call.caller.agents == []


@pytest.mark.parametrize("entry", ["", ", entry: [shutdown]", ", entry: [drain, aclose, shutdown]"])
async def test_the_end_of_a_flow_drops_the_line(stage, ended, entry):
    flow = callflow.loads(BARE.format(entry=entry), check=False)  # the checker says that `shutdown` drops nobody
    call = stage(flow, model=[GREETING, Tool("end_call")], caller=talks("bye"))
    record = await call.play()
    assert call.trace == ["talking", "over"]
    assert record.outcome == "completed"
    assert "line" in record.forced
    assert call.far_end.dead_air < 5.0
    ended(call)


async def test_an_agent_may_leave_where_the_flow_says_so(stage, server):
    entry = ", entry: [{hang_up: {for: agent}}]"
    call = stage(BARE.format(entry=entry), model=[GREETING, Tool("end_call")], caller=talks("bye"))
    record = await call.play()
    assert record.forced == ()
    assert call.far_end.on_line
    assert call.far_end.agents == []
