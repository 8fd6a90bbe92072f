"""Row 49: a transfer rings for a time that nobody has chosen (livekit/agents#3187, livekit/livekit#4017).

A flow's transfer has a deadline of its own, `ringing_timeout`, which LiveKit gets, too; and it holds where LiveKit does
not answer at all.
"""

from __future__ import annotations

import pytest

from callflow.telephony.network import FarEnd, Refer
from callflow.testing.server import Fault
from tests.livekit_bindings.test_transferring import FLOW, cold, results
from tests.support.rawphone import raw_phone, transferred

RINGS = Refer(notify=None)


async def test_by_itself_it_is_half_a_minute():
    async with raw_phone(FarEnd(2, refer=RINGS)) as raw:
        await raw.dial()
        began = raw.server.loop.time()
        assert (await transferred(raw)).code == "deadline_exceeded"
        assert raw.server.loop.time() - began == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("seconds", [5, 20, 45])
async def test_a_flow_says_how_long(server, seconds):
    stage = cold(server, RINGS, flow=FLOW.replace("ringing_timeout: 10s", f"ringing_timeout: {seconds}s"))
    await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"]) == ("failed", "ringing_timeout")
    assert end["elapsed"] == pytest.approx(seconds, abs=0.5)
    assert stage.far_end.heard_text == "One moment please.\nNobody is there."


async def test_a_flow_waits_no_longer_where_livekit_does_not_answer(server):
    server.faults["TransferSIPParticipant"] = [Fault(seconds=300)]
    stage = cold(server, RINGS)
    await stage.play()
    [end] = results(stage)
    assert end["result"] == "failed"
    assert end["elapsed"] < 14
