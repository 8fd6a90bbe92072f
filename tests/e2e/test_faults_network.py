"""Networks that go away and come back, for the caller, for the agent, for both: the call goes on, or ends once.

The bounds come from the flow's `reconnect_grace`, 15 s, and from livekit-server, which gives a client that is silent up
for lost after 21 s.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from tests.e2e.aftermath import events, one_record
from tests.e2e.caller_process import remote_caller
from tests.e2e.places import place
from tests.e2e.test_calls import greeted, say_bye
from tests.e2e.worker import worker

pytestmark = pytest.mark.timeout(300)

NOTICED = 30

HEARD = 1.5
"""Seconds of the goodbye's 1.85: a WebRTC client that was cut off has to find its pace anew, and skips now and then."""

UNNOTICED = 15
"""Seconds that LiveKit's client hears nothing before it says that it reconnects: the longest, its ping's."""

RECONNECTING = 20
"""Seconds: `limits.reconnecting`."""

TRY = 5
"""Seconds for one try to delete a room; the one that the mend comes into may still be lost."""


@asynccontextmanager
async def far_caller(line, server):
    """A caller behind a network of their own, and the call's job: `(place, caller, job)`, when the agent was heard."""
    with place() as there:
        async with remote_caller(server.far_url, server.token(line.room, "caller"), prefix=there.prefix) as caller:
            job = await line.agent("faults:desk")
            await caller.greeted()
            yield there, caller, job


def heard_since(report, at):
    return sum(sound.seconds for sound in report.sounds if sound.began > at)


@pytest.mark.parametrize("seconds", [3, 10])
async def test_the_caller_is_away_for_a_while_and_the_call_goes_on(line, server, seconds):
    async with far_caller(line, server) as (there, caller, job):
        there.cut()
        await asyncio.sleep(seconds)
        mended = there.mend()
        await asyncio.sleep(15)  # its client tries again in pauses of up to ten seconds
        assert job.notes("record") == []
        bye = await caller.write("bye")
        report = await caller.dropped(within=20)
        assert bye > mended
        assert heard_since(report, bye) > HEARD
        record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"
    assert record["hung_up_by"] == "agent"
    assert "call.hangup" not in events(job)


async def test_the_caller_is_away_for_good(line, server):
    async with far_caller(line, server) as (there, _, job):
        there.cut()
        record = await one_record(line, job, within=NOTICED)
    assert_was_lost(record)


async def test_a_caller_who_comes_back_after_30_s_comes_to_an_empty_room(line, server):
    """The server has given up, and so has the flow. LiveKit's client makes the room anew; nobody speaks there, and the call
    that was has one record."""
    async with far_caller(line, server) as (there, _, job):
        cut = there.cut()
        record = await one_record(line, job, within=NOTICED)
        await asyncio.sleep(cut + 30 - time.monotonic())
        there.mend()
        await asyncio.sleep(30)
        assert set(await line.view.participants(line.room)) <= {"caller"}
        assert len(job.notes("record")) == 1
    assert_was_lost(record)


def assert_was_lost(record):
    assert record["outcome"] == "hung_up"
    assert record["cause"]["detail"]["disconnect_reason"] == "CONNECTION_TIMEOUT"
    assert record["hung_up_by"] == "network"


@asynccontextmanager
async def far_agent(line, server, tmp_path, scenario="faults:desk", *, guarded=False):
    """An agent behind a network of its own, and a caller who has been greeted: `(place, caller, job)`."""
    with place() as there:
        name = f"far-{line.room}"
        with worker(server.far_url, tmp_path, name=name, prefix=there.prefix, guarded=guarded) as far:
            caller, job = await greeted(line, scenario, by=far)
            yield there, caller, job


@pytest.mark.parametrize("seconds", [3, 8])
async def test_the_agent_is_away_for_a_while_and_the_call_goes_on(line, server, tmp_path, seconds):
    """Shorter than anybody's patience: LiveKit's client notices after 10 s at the earliest, the server after 21 s."""
    async with far_agent(line, server, tmp_path) as (there, caller, job):
        there.cut()
        await asyncio.sleep(seconds)
        there.mend()
        await asyncio.sleep(10)
        bye = await say_bye(caller)
        await caller.dropped(within=20)
        assert heard_by(caller, bye) > HEARD
        record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"


async def test_the_agent_is_away_for_15_s_and_nobody_is_left_in_silence(line, server, tmp_path):
    """So long that it is a race: LiveKit's client gives its transport up after 15 s, and the server gives the agent up
    after 21 s, and ends its job. The call goes on to its end, or ends there and then."""
    async with far_agent(line, server, tmp_path) as (there, caller, job):
        there.cut()
        await asyncio.sleep(15)
        mended = there.mend()
        while not (ended := job.notes("record")) and "room.reconnected" not in events(job):
            assert time.monotonic() < mended + RECONNECTING + 3
            await asyncio.sleep(0.1)
        if not ended:
            await asyncio.sleep(3)  # the sound finds its way again
            bye = await say_bye(caller)
        await caller.dropped(within=20)
        record = await one_record(line, job, within=15)
    if record["outcome"] == "completed":
        assert heard_by(caller, bye) > HEARD
    else:
        assert (record["outcome"], record["hung_up_by"]) in (("cancelled", "worker"), ("line_lost", "system"))


async def test_an_agent_that_is_away_for_40_s_has_lost_its_call(line, server, tmp_path):
    """LiveKit's client comes back 14 s after its network, or never: the call does not wait for it. The line drops with the
    first try that gets through."""
    async with far_agent(line, server, tmp_path) as (there, caller, job):
        cut = there.cut()
        await asyncio.sleep(40)
        mended = there.mend()
        assert events(job).count("room.disconnected") == 1
        dropped = await caller.dropped(within=10)
        assert dropped.at - mended < TRY + 3
        record = await one_record(line, job, within=20)
    assert (record["outcome"], record["hung_up_by"]) == ("line_lost", "system")
    assert (record["cause"]["event"], record["cause"]["detail"]) == ("room.disconnected", {"reason": "OUT_OF_REACH"})
    assert record["cause"]["time"] - epoch(cut) < UNNOTICED + RECONNECTING + 1
    assert record["line_dropped"] > epoch(mended) - 0.5


async def test_a_line_that_outlasts_its_call_is_dropped_by_the_worker_after_the_mend(line, server, tmp_path):
    """The call tries to drop it for as long as it may, and is over; its guarded worker goes on."""
    async with far_agent(line, server, tmp_path, "faults:short_patience", guarded=True) as (there, caller, job):
        there.cut()
        [record] = [await job.note("record", within=90)]
        assert (record["outcome"], record["forced"], record["line_dropped"]) == ("line_lost", ["line"], None)
        await job.note("session_end_done", within=20)
        assert caller.events("disconnected") == []
        mended = there.mend()
        assert (await caller.dropped(within=30)).reason == "ROOM_DELETED"
        await line.view.wait_until_gone(line.room, within=3)
        [path] = (tmp_path / "journal").glob("*.json")
        until = time.monotonic() + 45  # nobody has come back for 30 s
        while (written := json.loads(path.read_text()))["line_dropped"] is None:
            assert time.monotonic() < until
            await asyncio.sleep(0.1)
    assert written["line_dropped"] > epoch(mended) - 0.5
    assert written["line"] == "dropped"
    assert any("the line was dropped" in note for note in written["notes"])


def epoch(monotonic):
    return time.time() - time.monotonic() + monotonic


def heard_by(caller, at):
    """An agent that was given up comes back as somebody else."""
    return sum(hearing.seconds_since(at) for identity, hearing in caller.heard.items() if identity.startswith("agent-"))
