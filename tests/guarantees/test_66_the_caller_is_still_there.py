"""Row 66: the call is ended although the caller is still there: `participant_disconnected`, without a reason, is also
said of a client that another one of the same identity replaces, of a reconnect of the agent, and of a server's restart.

A flow takes it for a `call.dropped`, waits `reconnect_grace` for whoever comes back, and goes on with them.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc

from callflow.testing import Caller, Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING
from tests.support import raw


async def test_by_itself_who_hangs_up_on_a_disconnect_hangs_up_on_a_caller():
    hung_up = []

    async def hangs_up_on_disconnect(ctx, session):
        def gone(participant):
            request = api.DeleteRoomRequest(room=ctx.room.name)
            hung_up.append(asyncio.ensure_future(ctx.api.room.delete_room(request)))

        ctx.room.on("participant_disconnected", gone)

    async with raw.raw_call(raw.Agent(instructions="x"), after_start=hangs_up_on_disconnect) as call:
        second = Caller(call.server, "room", "caller")
        second.join()
        await asyncio.sleep(2)
        await asyncio.gather(*hung_up, return_exceptions=True)
        assert hung_up
        assert not second.on_line


async def test_a_flow_goes_on_with_the_client_that_took_over(stage, server, ended):
    second = Caller(server, "call", "caller")

    async def caller(who):
        await who.hear()
        second.join()
        assert who.reason == rtc.DisconnectReason.DUPLICATE_IDENTITY
        await asyncio.sleep(1)
        await talks()(second)
        await second.say("here I am")
        await second.hear()
        await second.say("that is all")

    call = stage(model=[GREETING, "Welcome back.", Tool("end_call")], caller=caller)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by) == ("completed", "agent")
    assert call.heard == GREETING
    assert second.heard_text == f"Welcome back.\n{GOODBYE}"
    names = [getattr(step.event, "name", "") for step in call.steps]
    assert [name for name in names if name.startswith("call.")] == ["call.answered", "call.dropped", "call.restored"]
    assert not second.on_line
    ended(call)


@pytest.mark.parametrize("away", [0.05, 9.8])
async def test_a_flow_goes_on_after_a_restart_of_the_server(stage, server, ended, away):
    flow = FRONT_DESK.replace("    on:\n", "    on:\n      call.dropped: {do: [{log: dropped}]}\n")

    async def caller(who):
        await who.hear()
        call.job.room.lose_network()  # both sides lose it
        who.leave(rtc.DisconnectReason.UNKNOWN_REASON)
        await asyncio.sleep(away)
        call.job.room.find_network()
        who.join()
        await asyncio.sleep(1)
        await who.say("hello?")
        await talks("that is all")(who)

    call = stage(flow, model=[GREETING, "I am here.", Tool("end_call")], caller=caller)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "completed"
    assert call.heard == f"{GREETING}\nI am here.\n{GOODBYE}"
    ended(call)
