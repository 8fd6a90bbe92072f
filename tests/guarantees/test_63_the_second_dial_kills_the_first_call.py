"""Row 63: a second dial of the same identity ends the first call, without a word; one of the agent's identity throws the
agent out.

In a flow every leg has an identity of its own.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import NUMBER, calls, outbound, story
from tests.support.rawphone import raw_phone

HUMAN = "+15550123457"
BOTH = {NUMBER: FarEnd(2), HUMAN: FarEnd(3)}

TWO = """
callflow: 1
name: two
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: fetching, dial.*: ending}
  fetching:
    entry: [{dial: {to: "+15550123457", trunk: ST_1, leg: human}}]
    on: {dial.answered: together, dial.*: ending, leg.human.hangup: ending}
  together:
    after: {20s: ending}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_the_first_call_is_gone():
    async with raw_phone(BOTH) as raw:
        await raw.dial(NUMBER)
        await raw.dial(HUMAN)
        await asyncio.sleep(1)
        assert raw.calls[0].got("BYE")
        assert raw.seen() == {"phone": "active"}


async def test_in_a_flow_both_are_on_the_line(server):
    here = []
    stage = outbound(server, BOTH, TWO)
    server.loop.call_later(15, lambda: here.extend(stage.job.room.remote_participants))
    await stage.play()
    assert len(set(here)) == 2
    assert story(stage) == [
        "call.ringing", "call.answered", "dial.answered", "leg.human.ringing", "leg.human.answered", "dial.answered",
    ]  # fmt: skip
    assert all(call.got("BYE")[0].at - call.sent("200")[0].at > 19 for call in calls(stage))


async def test_the_same_number_twice_is_two_legs(server):
    stage = outbound(server, FarEnd(2), TWO.replace("+15550123457", NUMBER))
    await stage.play()
    first, second = calls(stage)
    assert first.request.identity != second.request.identity
    assert first.got("BYE")[0].at == pytest.approx(second.got("BYE")[0].at, abs=0.01)
