"""Row 70: what a telephone says of a transfer that was given up fails the next one, or completes it.

One transfer at a time runs on a leg, the leg is watched, and the next one waits until the last is settled.
"""

from __future__ import annotations

import pytest

from callflow.telephony.network import FarEnd, Refer
from tests.livekit_bindings.test_transferring import AGAIN, FLOW, cold, refers, results
from tests.support.rawphone import raw_phone, transferred

LATE = Refer(notify=486, after=15.0)


async def test_by_itself_the_next_one_gets_the_answer_to_the_last():
    async with raw_phone(FarEnd(2, refer=LATE)) as raw:
        await raw.dial()
        assert (await transferred(raw, ringing=10)).code == "deadline_exceeded"
        began = raw.server.loop.time()
        assert (await transferred(raw, ringing=30)).sip_status_code == 486
        assert raw.server.loop.time() - began == pytest.approx(5, abs=0.5)  # its own would take 15 s


async def test_in_a_flow_the_next_one_waits_and_gets_its_own(server):
    stage = cold(server, LATE, flow=AGAIN.replace("ringing_timeout: 30s", "ringing_timeout: 50s"))
    await stage.play()
    first, second = results(stage)
    assert (first["cause"], second["cause"]) == ("ringing_timeout", "busy_here")
    one, two = refers(stage)
    assert two.at - one.at >= 36
    assert second["elapsed"] == pytest.approx(two.at - one.at - first["elapsed"] + 15, abs=1)


async def test_in_a_flow_one_that_was_given_up_by_leaving_its_state_holds_up_the_next(server):
    flow = AGAIN.replace("      transfer.failed: again", "      transfer.failed: again\n    after: {4s: again}", 1)
    stage = cold(server, Refer(notify=486, after=8.0), flow=flow)
    await stage.play()
    [end] = results(stage)
    one, two = refers(stage)
    assert two.at - one.at == pytest.approx(8, abs=0.5)  # the first one's answer is an answer: it is settled
    assert end["cause"] == "busy_here"


async def test_in_a_flow_a_late_success_is_no_success_of_the_next(server):
    stage = cold(
        server, Refer(notify=200, after=6.0), flow=FLOW.replace("    on:\n", "    after: {4s: back}\n    on:\n", 1)
    )
    record = await stage.play()
    assert results(stage) == []
    assert record.notes == ("the transfer of far_end that was given up was carried out after all",)
