"""Networks that go away and come back, for the caller, for the agent, for both: the call goes on, or ends once.

The bounds come from the flow's `reconnect_grace`, 15 s, and from livekit-server, which gives a client that is silent up
for lost after 21 s.
"""

from __future__ import annotations

import asyncio
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
        assert heard_since(report, bye) > 1.7  # the goodbye is 1.85 s
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


@pytest.mark.parametrize("seconds", [3, 15, 40])
async def test_the_agent_is_away_for_a_while(line, server, tmp_path, seconds):
    with place() as there, worker(server.far_url, tmp_path, name=f"far-{line.room}", prefix=there.prefix) as far:
        caller, job = await greeted(line, "faults:desk", by=far)
        there.cut()
        await asyncio.sleep(seconds)
        there.mend()
        await asyncio.sleep(20)
        bye = await say_bye(caller)
        await caller.dropped(within=20)
        assert heard_by(caller, bye) > 1.7
        record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"


def heard_by(caller, at):
    """An agent that was given up comes back as somebody else."""
    return sum(hearing.seconds_since(at) for identity, hearing in caller.heard.items() if identity.startswith("agent-"))
