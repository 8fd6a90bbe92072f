"""Row 52: a warm transfer fails on a server of one's own: moving a participant to another room is LiveKit Cloud's alone.

`consult` needs one room and calls that every LiveKit server answers.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api

import callflow
from callflow.telephony.network import FarEnd, HangUp, Hear, PhoneNetwork, Press, Say, Wait
from callflow.testing import Tool
from callflow.testing.play import Stage
from tests.guarantees.conftest import ROOT
from tests.support.rawphone import raw_phone

FLOW = ROOT / "flows" / "warm-transfer.yaml"
HUMAN = "+15550100100"
ANY_SERVER = {
    "CreateSIPParticipant", "DeleteRoom", "ListParticipants", "ListRooms", "ListSIPOutboundTrunk", "RemoveParticipant",
    "UpdateSubscriptions",
}  # fmt: skip


async def test_by_itself_moving_somebody_fails():
    async with raw_phone(FarEnd(2)) as raw:
        await raw.dial()
        request = api.MoveParticipantRequest(room="room", identity="phone", destination_room="other")
        with pytest.raises(api.TwirpError):
            await raw.job.ctx.api.room.move_participant(request)


async def test_whoever_waits_for_a_slow_colleague_hears_that_they_are_not_forgotten(server, monkeypatch):
    monkeypatch.setenv("SIP_OUTBOUND_TRUNK_ID", "ST_1")
    monkeypatch.setenv("COLLEAGUE_NUMBER", HUMAN)
    acts = (Hear(), Wait(20.0), Press("1"), Wait(10.0), HangUp())
    stage = Stage(
        callflow.load(FLOW),
        server,
        phone=PhoneNetwork({HUMAN: FarEnd(rings=16.0, acts=acts)}),  # so that the first word is due in the briefing
        calls_in=FarEnd(),
        model=["Hello.", Tool("speak_to_person", {"caller": "Ann", "reason": "A refund."})],
    )
    server.loop.call_later(3.0, lambda: asyncio.ensure_future(stage.far_end.say("a person please")))
    record = await stage.play()
    assert (record.outcome, record.notes) == ("transferred", ())
    assert stage.far_end.heard_text.splitlines() == [
        "Hello.", "One moment, I am asking a colleague.", "I am still trying to reach a colleague.",
        "I am still trying to reach a colleague.", "You are connected now.",
    ]  # fmt: skip
    assert stage.telephones.legs["human"].heard_text.splitlines() == [
        "Ann is on the line. A refund. To take the call press one, to decline press two.",
        "You are connected now.",
    ]


async def test_a_flow_does_without(server, monkeypatch):
    monkeypatch.setenv("SIP_OUTBOUND_TRUNK_ID", "ST_1")
    monkeypatch.setenv("COLLEAGUE_NUMBER", HUMAN)

    async def caller(telephone):
        await asyncio.sleep(2)
        await telephone.say("a person please")
        await asyncio.sleep(25)
        await telephone.say("hello it is me")

    acts = (Hear(), Press("1"), Wait(3.0), Say("hello I take it"), Wait(20.0), HangUp())
    stage = Stage(
        callflow.load(FLOW),
        server,
        phone=PhoneNetwork({HUMAN: FarEnd(rings=3.0, acts=acts)}),
        calls_in=FarEnd(),
        model=["Hello.", Tool("speak_to_person", {"caller": "Ann", "reason": "A refund."})],
    )
    server.loop.call_later(1.0, lambda: asyncio.ensure_future(caller(stage.far_end)))
    record = await stage.play()
    human = stage.telephones.legs["human"]
    assert (record.outcome, record.notes) == ("transferred", ())
    assert stage.far_end.heard_text.splitlines() == [
        "Hello.", "One moment, I am asking a colleague.", "You are connected now.",
    ]  # fmt: skip
    assert human.heard_text.splitlines() == [
        "Ann is on the line. A refund. To take the call press one, to decline press two.",
        "You are connected now.",
    ]
    assert [sound.text for sound in stage.far_end.heard_from(human)] == ["hello I take it"]
    assert [sound.text for sound in human.heard_from(stage.far_end)] == ["hello it is me"]
    assert {method for _, method in server.requests} <= ANY_SERVER
    assert server.rooms == {}
