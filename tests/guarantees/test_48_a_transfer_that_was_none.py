"""Row 48: a transfer "has succeeded", and the far end has only hung up: after its 202 to a REFER a BYE, and our own deletion of
the room, are a success to LiveKit, too.

A flow's transfer is completed when nothing failed and the leg left because of it.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd, Refer
from tests.livekit_bindings.test_transferring import cold, results
from tests.support.phone import told
from tests.support.rawphone import raw_phone, transferred

HANGS_UP = Refer(notify=None, bye_after=3.0)


async def test_by_itself_a_hang_up_is_a_success():
    async with raw_phone(FarEnd(2, refer=HANGS_UP)) as raw:
        await raw.dial()
        assert await transferred(raw) is None


async def test_by_itself_our_own_deletion_is_a_success():
    async with raw_phone(FarEnd(2, refer=Refer(notify=None))) as raw:
        await raw.dial()
        transferring = asyncio.ensure_future(transferred(raw))
        await asyncio.sleep(2)
        raw.server.delete_room("room")
        assert await transferring is None


async def test_a_flow_hears_of_a_hang_up(server):
    stage = cold(server, HANGS_UP)
    record = await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"]) == ("failed", "hung_up")
    assert [data["cause"] for data in told(stage, "call.hangup")] == ["hung_up"]
    assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")


@pytest.mark.parametrize(
    "refer", [Refer(), Refer(notify=200, after=2.0, bye_after=2.5)], ids=["livekits-bye", "its-own-bye"]
)
async def test_a_transfer_is_one_whoever_hangs_up_after_it(server, refer):
    stage = cold(server, refer)
    record = await stage.play()
    assert [end["result"] for end in results(stage)] == ["completed"]
    assert record.outcome == "transferred"
