"""Row 64: the second try is taken for the first one, which has just failed: a leg that was refused at once is seen for
2.4 s more.

A flow tells legs by what it has dialled, and the dead leg is nobody.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api

from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import calls, dials, outbound, story, told
from tests.support.rawphone import raw_phone

AT_ONCE = FarEnd(0.01, 486, reached=0.01)

AGAIN = """
callflow: 1
name: again
initial: first
states:
  first:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: second}
  second:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: ending, call.hangup: ending}
  talking:
    entry: [{say: Hello there.}]
    after: {20s: ending}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_the_dead_leg_is_the_first_that_is_seen():
    async with raw_phone([AT_ONCE, FarEnd(4)]) as raw:
        with pytest.raises(api.SipCallError):
            await raw.dial(participant_identity="first")
        raw.dial(participant_identity="second")
        await asyncio.sleep(0.5)
        found = await raw.job.ctx.wait_for_participant()
        assert found.identity == "first"
        await asyncio.sleep(3)
        assert raw.seen() == {"second": "ringing"}


async def test_a_flow_is_with_the_second(server):
    stage = outbound(server, [AT_ONCE, FarEnd(4)], AGAIN)
    record = await stage.play()
    assert stage.trace == ["first", "second", "talking", "ending", "closed"]
    assert story(stage) == ["dial.busy", "call.ringing", "call.answered", "dial.answered"]
    [answered] = told(stage, "call.answered")
    assert answered["identity"] == calls(stage)[1].request.identity == record.participant
    assert dials(stage)[1]["elapsed"] > 4
    assert stage.heard == "Hello there."
