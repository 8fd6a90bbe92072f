"""Row 33: `wait_for_participant` has no time limit: an agent waits alone for a caller who never comes.

Every wait of a flow is bounded: for the far end too.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from callflow.testing import Caller
from tests.guarantees.conftest import FRONT_DESK, GREETING
from tests.support import raw


async def test_by_itself_the_wait_lasts_as_long_as_the_room():
    waited = []

    async def wait(ctx, session):
        waited.append("begun")
        await ctx.wait_for_participant(identity="somebody-else")
        waited.append("over")

    async with raw.raw_call(raw.Agent(instructions="x"), after_start=wait):
        await asyncio.sleep(3600)
        assert waited == ["begun"]


async def test_a_flow_waits_for_a_minute(stage, server, ended):
    call = stage(model=[GREETING], caller=None)
    record = await call.play()
    assert record.answered is record.fault is None
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("no_answer", "nobody_came", "system")
    assert record.seconds == pytest.approx(60, abs=5)
    assert not [effect for effect in record.effects if effect.verb in ("say", "generate_reply")]
    assert call.trace[-2:] == ["ending", "closed"]
    ended(call)


async def test_or_for_as_long_as_it_says(stage, ended):
    call = stage(FRONT_DESK + "limits: {answer: 5s}\n", model=[GREETING], caller=None)
    record = await call.play()
    assert record.seconds == pytest.approx(5, abs=3)
    ended(call)


@pytest.mark.parametrize("room_first", [False, True])
async def test_a_caller_who_has_left_before_the_agent_is_there(stage, server, ended, room_first):
    """LiveKit ends the room 20 s after its last caller. No line was lost: there was none."""
    server.room_first = room_first
    impatient = Caller(server, "call")
    impatient.join()
    impatient.hang_up()
    call = stage(model=[GREETING], caller=None)
    record = await call.play()
    assert record.answered is record.fault is None
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("no_answer", "nobody_came", "system")
    assert record.cause.detail == {"reason": "ROOM_CLOSED"}
    assert record.seconds == pytest.approx(20, abs=3)
    assert call.trace == ["ending", "closed"]
    ended(call)


async def test_a_room_that_is_deleted_while_the_agent_waits(stage, server, ended):
    server.loop.call_later(5, server.delete_room, "call")
    call = stage(model=[GREETING], caller=None)
    record = await call.play()
    assert (record.outcome, record.cause.event) == ("no_answer", "nobody_came")
    assert record.cause.detail == {"reason": "ROOM_DELETED"}
    ended(call)


async def test_an_agent_who_is_thrown_out_while_it_waits_has_lost_its_line(stage, server, ended):
    """Whether somebody would have come, nobody can say."""
    call = stage(model=[GREETING], caller=None)
    server.loop.call_later(5, lambda: call.job.room.dropped(rtc.DisconnectReason.PARTICIPANT_REMOVED))
    record = await call.play()
    assert (record.outcome, record.cause.event) == ("line_lost", "room.disconnected")
    ended(call)
