"""Row 50: a transfer is refused, 603 say, and the caller stands there with nobody to talk to (livekit/sip#234).

A refused transfer is an edge of the flow, back to a live conversation: the caller is where they were.
"""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.telephony.network import FarEnd, PhoneNetwork, Refer
from callflow.testing import Tool
from callflow.testing.play import Stage
from tests.guarantees.conftest import ROOT
from tests.support.rawphone import raw_phone, transferred

FLOW = ROOT / "flows" / "cold-transfer.yaml"
DESK = "+15550100100"


async def test_by_itself_it_is_an_exception_and_silence():
    async with raw_phone(FarEnd(2, refer=Refer(status=603))) as raw:
        await raw.dial()
        assert (await transferred(raw)).sip_status_code == 603
        await asyncio.sleep(60)
        assert raw.seen() == {"phone": "active"}


@pytest.mark.parametrize("refer", [Refer(status=603), Refer(status=405), Refer(notify=480), Refer(notify=486)])
async def test_a_flow_goes_on_talking(server, monkeypatch, refer):
    monkeypatch.setenv("DESK_NUMBER", DESK)

    async def caller(telephone):
        await telephone.hear()
        await telephone.say("a person please")
        while "Shall we call you back?" not in telephone.heard_text:
            await telephone.hear()
        await telephone.say("please call me back")

    stage = Stage(
        callflow.load(FLOW),
        server,
        phone=PhoneNetwork({DESK: FarEnd(rings=3.0)}),
        calls_in=FarEnd(refer=refer),
        caller=caller,
        model=["Hello.", Tool("speak_to_person"), "Shall we call you back?", Tool("call_back")],
    )
    server.loop.call_later(1.0, lambda: asyncio.ensure_future(caller(stage.far_end)))
    record = await stage.play()
    words = stage.far_end.heard_text.splitlines()
    assert words[0] == "Hello."
    assert words[1] == "One moment, I am putting you through."
    assert words[2] in ("Nobody is free just now.", "They are on the phone just now.")
    assert words[3:] == ["Shall we call you back?", "We will call you back. Goodbye."]
    assert (record.outcome, record.notes) == ("call_back", ())
