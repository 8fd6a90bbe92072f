"""Row 9: the agent has given up, and the phone rings on (livekit/sip#106).

A flow that leaves the state in which it dials stops the ringing, and goes on when it has stopped.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import calls, outbound
from tests.support.rawphone import raw_phone

GIVES_UP = """
callflow: 1
name: gives-up
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 60s}}]
    on: {dial.*: ending}
    after: {8s: waiting}
  waiting: {entry: [{log: given up}], after: {20s: ending}}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_it_rings_on():
    async with raw_phone(FarEnd(40)) as raw:
        dialling = raw.dial()
        await asyncio.sleep(8)
        dialling.cancel()
        await asyncio.sleep(20)
        assert raw.calls[0].messages == ["INVITE", "> 100", "> 180"]
        assert raw.seen() == {"phone": "ringing"}


async def test_a_flow_stops_it_at_once(server):
    stage = outbound(server, FarEnd(40), GIVES_UP)
    server.loop.call_later(12, lambda: seen.extend(stage.job.room.remote_participants))
    seen: list[str] = []
    await stage.play()
    [call] = calls(stage)
    [invite], [cancel] = call.got("INVITE"), call.got("CANCEL")
    assert 7.9 < cancel.at - invite.at < 8.01
    assert seen == []
    assert stage.trace == ["dialing", "waiting", "ending", "closed"]


async def test_a_call_that_ends_while_it_rings_stops_it_too(server):
    stage = outbound(server, FarEnd(40), GIVES_UP)
    server.loop.call_later(5, stage.job.request_shutdown)
    await stage.play()
    [call] = calls(stage)
    assert 4.9 < call.got("CANCEL")[0].at - call.got("INVITE")[0].at < 5.5
