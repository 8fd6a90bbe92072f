"""Handing a telephone over (REFER): judged at the telephone."""

from __future__ import annotations

import pytest

from callflow.telephony.network import Refer
from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import picks_up

SPOKEN = len("One moment.Nobody is there.") * 0.05


async def test_the_telephone_is_handed_over(line, network):
    out = await calls(line, network, picks_up(refer=Refer(202, 200)), flow="hands_over")
    call = await out.call()
    refer = await call.wait_for("REFER", within=40)
    record = await out.record(within=20)
    assert refer.about == "tel:+15550111"
    assert record["outcome"] == "transferred"
    assert "transfer.completed" in out.events()
    assert call.heard.seconds_at(440) == pytest.approx(len("One moment.") * 0.05, abs=0.3)
    assert call.heard.seconds_since(refer.at) == 0
    assert len(call.got("REFER")) == 1


@pytest.mark.parametrize(
    "refer", [Refer(603), Refer(202, 486), Refer(None), Refer(202, None)], ids=["603", "486", "silence", "no-notify"]
)
async def test_a_transfer_that_fails_leads_back_to_the_conversation(line, network, refer):
    out = await calls(line, network, picks_up(refer=refer), flow="hands_over")
    call = await out.call()
    await call.wait_for("REFER", within=40)
    await call.over(within=20)
    record = await out.record(within=10)
    assert record["outcome"] == "completed"
    assert out.events()[:4] == ["call.ringing", "call.answered", "dial.answered", "transfer.failed"]
    assert call.heard.seconds_at(440) == pytest.approx(SPOKEN, abs=0.4)
    assert len(call.got("BYE")) == 1


@pytest.mark.parametrize("status", [None, 202])
async def test_the_telephone_hangs_up_during_the_transfer(line, network, status):
    out = await calls(line, network, picks_up(refer=Refer(status, None, bye_after=0.5)), flow="hands_over")
    call = await out.call()
    await call.wait_for("REFER", within=40)
    await call.over(within=10)
    record = await out.record(within=20)
    assert record["outcome"] == "hung_up"
    assert "transfer.completed" not in out.events()
    assert len(call.sent("BYE")) == 1
