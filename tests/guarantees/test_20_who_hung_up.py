"""Row 20: the wrong party is blamed for the hang-up: reasons overwrite each other, and those of a deleted room are a race.

The first cause wins and is kept; what the flow did itself comes before what LiveKit reports of it.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing import Tool
from callflow.testing.play import hangs_up, offline_session, silent, talks
from tests.guarantees.conftest import FRONT_DESK, GREETING


@pytest.fixture(params=[False, True], ids=["participant first", "room first"])
def order(server, request):
    server.room_first = request.param


async def blame(call):
    record = await call.play()
    return record.hung_up_by, record.cause.event, record.outcome


@pytest.mark.usefixtures("order")
async def test_the_agent(stage, ended):
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"))
    assert await blame(call) == ("agent", "delete_room", "completed")
    ended(call)


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("after", [0.5, 4.0])
async def test_the_caller(stage, ended, after):
    call = stage(model=[GREETING], caller=hangs_up(after=after))
    assert await blame(call) == ("caller", "call.hangup", "hung_up")
    ended(call)


@pytest.mark.usefixtures("order")
async def test_the_caller_while_the_agent_says_goodbye(stage, ended):
    async def caller(who):
        await talks("bye")(who)
        await asyncio.sleep(2.5)
        who.hang_up()

    goodbye = "Thank you, and goodbye from all of us here at the front desk, it was nice to hear from you."
    flow = FRONT_DESK.replace("Thank you for calling, goodbye.", goodbye)
    call = stage(flow, model=[GREETING, Tool("end_call")], caller=caller)
    assert await blame(call) == ("caller", "call.hangup", "completed")
    ended(call)


@pytest.mark.usefixtures("order")
async def test_somebody_who_deletes_the_room(stage, server, ended):
    async def caller(who):
        await asyncio.sleep(4)
        server.delete_room("call")

    call = stage(model=[GREETING], caller=caller)
    assert await blame(call) == ("system", "room.disconnected", "line_lost"), "in whatever order LiveKit tells it"
    ended(call)


async def test_somebody_who_removes_the_caller(stage, server, ended):
    async def caller(who):
        await asyncio.sleep(4)
        server.remove("call", who.identity)

    call = stage(model=[GREETING], caller=caller)
    assert await blame(call) == ("operator", "call.hangup", "hung_up")
    ended(call)


async def test_the_worker(stage, ended):
    async def caller(who):
        await asyncio.sleep(4)
        call.job.request_shutdown()

    call = stage(model=[GREETING], caller=caller)
    assert await blame(call) == ("worker", "job.shutdown", "cancelled")
    ended(call)


async def test_the_program(stage, ended):
    async def caller(who):
        await asyncio.sleep(4)
        await call.call.hang_up("We are closing now.")

    call = stage(model=[GREETING], caller=caller)
    assert await blame(call) == ("program", "job.shutdown", "cancelled")
    assert call.heard == f"{GREETING}\nWe are closing now."
    ended(call)


@pytest.mark.parametrize("how", ["shutdown", "aclose", "drain"])
async def test_the_program_that_closes_the_session(stage, ended, how):
    session = offline_session([GREETING])

    async def caller(who):
        await asyncio.sleep(4)
        closing = getattr(session, how)()
        if closing is not None:
            await closing

    call = stage(session=session, caller=caller)
    assert await blame(call) == ("program", "session.close", "failed")
    ended(call)


async def test_a_network_that_is_gone(stage, ended):
    async def caller(who):
        await asyncio.sleep(4)
        who.vanish()

    call = stage(model=[GREETING], caller=caller)
    assert await blame(call) == ("network", "call.hangup", "hung_up")
    ended(call)


async def test_nobody_who_says_nothing(stage, ended):
    call = stage(model=[GREETING], caller=silent)
    assert await blame(call) == ("agent", "delete_room", "timed_out")
    ended(call)
