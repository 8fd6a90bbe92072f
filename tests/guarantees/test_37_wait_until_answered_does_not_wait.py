"""Row 37: `wait_until_answered` was broken by a release of the server (livekit/livekit#4269): the request returns while
it rings, or never.

A flow listens to the room as well: it is answered when `sip.callStatus` says so.
"""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from callflow.telephony.bridge import Bridge
from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import dials, outbound, story
from tests.support.rawphone import raw_phone


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.fixture(params=["returns at once", "never returns"])
def broken(request, monkeypatch):
    dial = Bridge.dial

    async def returns(self, asked):
        return await dial(self, evolve(asked, wait=False))

    async def never(self, asked):
        await dial(self, evolve(asked, wait=False))
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(Bridge, "dial", returns if request.param == "returns at once" else never)
    return request.param


async def test_by_itself_a_phone_that_rings_is_taken_for_an_answer(broken):
    async with raw_phone(FarEnd(8)) as phone:
        dialling = phone.dial()
        await asyncio.sleep(1)
        assert dialling.done() is (broken == "returns at once")
        assert phone.seen() == {"phone": "ringing"}
        await asyncio.sleep(9)
        assert phone.seen() == {"phone": "active"}
        assert dialling.done() is (broken == "returns at once")


async def test_a_flow_speaks_when_it_is_answered(server, broken):
    stage = outbound(server, FarEnd(8))
    await stage.play()
    assert story(stage) == ["call.ringing", "call.answered", "dial.answered"]
    [dial] = dials(stage)
    assert 8 < dial["elapsed"] < 8.1
    assert stage.heard == "Hello there."


@pytest.mark.parametrize(
    ("far", "result", "after"), [(FAR_ENDS["declines"], "declined", 3), (FAR_ENDS["no_answer"], "no_answer", 10)]
)
async def test_a_flow_that_is_not_answered_is_told_so(server, broken, far, result, after):
    stage = outbound(server, far)
    await stage.play()
    assert story(stage) == ["call.ringing", f"dial.{result}"]
    [dial] = dials(stage)
    assert after < dial["elapsed"] < after + 1.1
    assert server.rooms == {}
