"""Row 25: `sip.callStatus` never says that a dial has failed: who waits for it waits for ever.

In a flow the reason for which the leg leaves is heard, too, also where the request that dialled it says nothing.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import calls, dials, outbound
from tests.support.rawphone import raw_phone


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_the_status_stops_at_ringing():
    async with raw_phone(FAR_ENDS["declines"]) as raw:
        statuses = []
        raw.job.room.on(
            "participant_attributes_changed", lambda changed, _: statuses.append(changed.get("sip.callStatus"))
        )
        raw.dial(wait_until_answered=False)
        await asyncio.sleep(60)
        assert [status for status in statuses if status] == ["ringing"]
        assert raw.seen() == {}


@pytest.mark.parametrize(
    ("far", "result"), [(FAR_ENDS["declines"], "declined"), (FarEnd(3, 404), "no_answer"), (FarEnd(3, 503), "failed")]
)
async def test_a_flow_hears_it_from_the_room_where_the_request_hangs(server, monkeypatch, far, result):
    answer = server.answer

    async def hangs(method, body):
        told = await answer(method, body) if method != "CreateSIPParticipant" else None
        if told is None:
            dialling = asyncio.ensure_future(answer(method, body))
            try:
                await asyncio.sleep(3600)
            finally:
                dialling.cancel()
        return told

    monkeypatch.setattr(SimulatedServer, "answer", lambda _, method, body: hangs(method, body))
    stage = outbound(server, far)
    await stage.play()
    [dial] = dials(stage)
    assert dial["result"] == result
    assert 3 < dial["elapsed"] < 4.1
    assert len(calls(stage)) == 1
