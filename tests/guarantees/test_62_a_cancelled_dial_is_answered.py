"""Row 62: a dial that was cancelled rings on, and is answered into a live call in which nobody is: the end of the task
sends no CANCEL.

A flow removes the leg, and goes on when the server says that it is not there.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd
from callflow.testing import Fault, SimulatedServer
from tests.guarantees.test_09_the_phone_rings_on import GIVES_UP
from tests.support.phone import calls, outbound, rings_on
from tests.support.rawphone import raw_phone


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_somebody_is_on_the_line_whom_nobody_expects():
    async with raw_phone(FarEnd(20)) as raw:
        dialling = raw.dial()
        await asyncio.sleep(8)
        dialling.cancel()
        await asyncio.sleep(60)
        assert raw.seen() == {"phone": "active"}
        assert rings_on(raw.calls[0])


@pytest.mark.parametrize(
    "far", [FarEnd(20), FarEnd(8.005), FarEnd(40, on_cancel=200), FarEnd(40, on_cancel=None, late=7)]
)
async def test_a_flow_leaves_nobody_there(server, far):
    here = []
    stage = outbound(server, far, GIVES_UP)
    server.loop.call_later(15, lambda: here.extend(stage.job.room.remote_participants))
    await stage.play()
    assert stage.trace == ["dialing", "waiting", "ending", "closed"]
    assert here == []
    assert not rings_on(calls(stage)[0])


@pytest.mark.parametrize("faults", [[Fault(500)] * 2, [Fault(503, works=True)], [Fault(seconds=1.5)]])
async def test_a_flow_asks_until_the_server_says_that_it_is_gone(server, faults):
    server.faults["RemoveParticipant"] = faults
    stage = outbound(server, FarEnd(20), GIVES_UP)
    record = await stage.play()
    [call] = calls(stage)
    assert call.got("CANCEL")[0].at - call.got("INVITE")[0].at < 10
    assert record.notes == ()


async def test_a_flow_that_cannot_stop_it_says_so(server):
    server.faults["RemoveParticipant"] = [Fault(500)] * 1000
    server.faults["DeleteRoom"] = [Fault(500)] * 1000
    stage = outbound(server, FarEnd(20), GIVES_UP)
    record = await stage.play()
    assert any("may ring on" in note for note in record.notes)
    assert stage.job.over is not None
