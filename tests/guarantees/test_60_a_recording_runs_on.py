"""Row 60: stopping a recording raises where it has ended by itself, and one that nobody stops runs on
(livekit/agents#3771).

A recording is the call's: what has ended is fine, and what runs is stopped when the call is over.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api
from livekit.agents import Agent
from livekit.protocol.egress import EgressStatus

from callflow.testing.play import hangs_up, silent
from tests.support import raw

RECORDS = """
callflow: 1
name: records
initial: talking
states:
  talking:
    entry: [{start_recording: calls/one.ogg}]
    after: {8s: leaving}
  leaving:
    entry: [{outcome: completed}, {LEAVES}]
    on: {done: over}
  over: {final: true}
"""
LEAVES = {
    "the room stays": "hang_up: {for: agent}",
    "all drops": "hang_up: Goodbye.",
    "the flow stops it": "stop_recording: {}",
}


def states(server):
    return [EgressStatus.Name(one.status) for one in server.egress.recordings]


async def test_by_itself_stopping_raises_and_nobody_stops_it():
    async with raw.raw_call(Agent(instructions="x")) as call:
        request = api.RoomCompositeEgressRequest(room_name="room", audio_only=True)
        first = await call.job.ctx.api.egress.start_room_composite_egress(request)
        stop = api.StopEgressRequest(egress_id=first.egress_id)
        await call.job.ctx.api.egress.stop_egress(stop)
        await asyncio.sleep(5)
        with pytest.raises(api.ServerError, match="cannot be stopped"):
            await call.job.ctx.api.egress.stop_egress(stop)
        await call.job.ctx.api.egress.start_room_composite_egress(request)
        call.job.ctx.shutdown()
        await asyncio.sleep(30)
        assert states(call.server) == ["EGRESS_COMPLETE", "EGRESS_ACTIVE"]


@pytest.mark.parametrize("leaves", LEAVES.values(), ids=LEAVES)
async def test_a_flow_leaves_no_recording_behind(stage, server, leaves):
    call = stage(RECORDS.replace("LEAVES", leaves), caller=silent)
    record = await call.play()
    await asyncio.sleep(1)
    assert (record.outcome, record.notes) == ("completed", ())
    assert states(server) == ["EGRESS_COMPLETE"]


async def test_a_caller_who_hangs_up_ends_it_too(stage, server, ended):
    call = stage(RECORDS.replace("LEAVES", "hang_up: Goodbye."), caller=hangs_up(after=2))
    record = await call.play()
    await asyncio.sleep(1)
    assert record.outcome == "hung_up"
    assert states(server) == ["EGRESS_COMPLETE"]
    ended(call)


async def test_a_recorder_that_has_given_up_is_no_failure(stage, server, ended):
    server.egress.service = "fails"
    call = stage(RECORDS.replace("LEAVES", "stop_recording: {}"), caller=silent)
    record = await call.play()
    assert record.outcome == "completed"
    assert "EGRESS_FAILED" in record.notes[0]
    ended(call)
