"""Callers who vanish, come twice, or never come: each call ends once, with the true cause, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import time

import pytest
from livekit import api

from tests.e2e.aftermath import events, one_record
from tests.e2e.caller_process import remote_caller
from tests.e2e.test_calls import assert_goodbye_was_heard_whole, say_bye

NOTICED = 30
"""Seconds: livekit-server gives a client that is silent up for lost after 21."""


async def test_a_caller_who_is_killed_is_noticed(line, server):
    async with remote_caller(server.url, server.token(line.room, "caller")) as caller:
        job = await line.agent("faults:desk")
        await caller.greeted()
        caller.kill()
        killed = time.monotonic()
        record = await one_record(line, job, within=NOTICED)
    assert time.monotonic() - killed < NOTICED + 15
    assert record["outcome"] == "hung_up"
    assert record["cause"]["event"] == "call.hangup"
    assert record["cause"]["detail"]["disconnect_reason"] == "CONNECTION_TIMEOUT"
    assert record["hung_up_by"] == "network"


async def test_a_second_client_takes_the_call_over(line):
    first = await line.caller()
    job = await line.agent("faults:desk")
    await first.wait_for_sounds(1, within=20)
    second = await line.caller()
    assert (await first.dropped(within=5)).reason == "DUPLICATE_IDENTITY"
    await asyncio.sleep(1)
    assert job.notes("record") == []
    bye = await say_bye(second)
    await second.dropped(within=20)
    assert_goodbye_was_heard_whole(second, bye)
    record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"
    told = events(job)
    assert told.index("call.dropped") < told.index("call.restored")
    assert "call.hangup" not in told


async def test_a_room_that_is_deleted_before_the_agent_connects(line):
    caller = await line.caller()
    job = await line.agent("faults:connects_late", delay=1.5)
    await job.note("job", within=20)
    await line.lk.room.delete_room(api.DeleteRoomRequest(room=line.room))
    await caller.dropped(within=5)
    record = await one_record(line, job, within=15)  # limits.answer is 6 s; the agent's joining has made the room anew
    assert (record["outcome"], record["cause"]["event"]) == ("no_answer", "nobody_came")
    assert record["answered"] is None
    assert record["transcript"] == []


async def test_a_caller_who_has_left_before_the_agent_connects(line):
    """livekit-server ends the room 20 s after its last caller. No line was lost: there was none."""
    caller = await line.caller()
    job = await line.agent("faults:connects_late", delay=1.5, patient=True)
    await job.note("job", within=20)
    await caller.leave()
    record = await one_record(line, job, within=40)
    assert (record["outcome"], record["answered"]) == ("no_answer", None)
    assert (record["cause"]["event"], record["hung_up_by"]) == ("nobody_came", "system")
    assert record["seconds"] < 30


async def test_a_caller_who_never_comes(line):
    job = await line.agent("faults:desk")
    await job.note("job", within=20)
    record = await one_record(line, job, within=12)  # limits.answer is 6 s
    assert record["outcome"] == "no_answer"
    assert record["answered"] is record["fault"] is None
    assert (record["cause"]["event"], record["hung_up_by"]) == ("nobody_came", "system")
    assert record["seconds"] == pytest.approx(6, abs=2)
    assert record["transcript"] == []
