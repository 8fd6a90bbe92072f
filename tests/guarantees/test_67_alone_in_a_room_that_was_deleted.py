"""Row 67: the agent waits alone in a room that was deleted before it came: connecting makes the room anew.

Every wait of a flow is bounded: nobody comes within `limits: {answer: …}`, and the call ends, its room deleted.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing import Caller, SimulatedJob
from callflow.testing.play import offline_session
from tests.guarantees.conftest import FRONT_DESK, GREETING
from tests.support import raw


async def test_by_itself_the_agent_stays_there(server):
    session = offline_session([GREETING])

    async def entrypoint(ctx):
        await ctx.connect()
        await session.start(raw.Agent(instructions="x"), room=ctx.room)

    job, caller = SimulatedJob(server, entrypoint, room="call"), Caller(server, "call")
    caller.join()
    server.delete_room("call")
    job.start()
    await asyncio.sleep(250)  # the room itself ends after 300 s
    assert list(server.rooms) == ["call"]
    assert job.over is None
    await session.aclose()
    server.delete_room("call")
    await job.ended()


@pytest.mark.parametrize(("flow", "most"), [(FRONT_DESK, 65), (FRONT_DESK + "limits: {answer: 5s}\n", 10)])
async def test_a_flow_leaves_and_takes_the_room_with_it(stage, server, ended, flow, most):
    caller = Caller(server, "call")
    caller.join()
    server.delete_room("call")
    call = stage(flow, model=[GREETING])
    record = await call.play()
    assert call.trace == ["ending", "closed"]
    assert (record.outcome, record.answered) == ("no_answer", None)
    assert record.seconds < most
    assert [method for _, method in server.requests] == ["DeleteRoom"]
    ended(call)


async def test_a_caller_who_comes_to_the_new_room_is_served(stage, server, ended):
    first = Caller(server, "call")
    first.join()
    server.delete_room("call")
    server.loop.call_later(10, first.join)
    server.loop.call_later(20, first.hang_up)
    call = stage(model=[GREETING])
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, first.heard_text) == ("hung_up", GREETING)
    ended(call)
