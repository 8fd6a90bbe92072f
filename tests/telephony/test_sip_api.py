"""What a bridge is asked for is read from LiveKit's messages whole, by every server alike."""

from __future__ import annotations

import attrs
from google.protobuf.duration_pb2 import Duration
from livekit.protocol.sip import (
    CreateSIPParticipantRequest,
    SIPMediaEncryption,
    TransferSIPParticipantRequest,
)

from callflow.telephony.requests import Dial, Dialled, Transfer
from callflow.telephony.sip_api import dial_of, info_of, transfer_of


def test_a_dial_loses_nothing():
    asked = CreateSIPParticipantRequest(
        sip_trunk_id="ST_1", sip_call_to="+15550100101", sip_number="+15550100100", room_name="room",
        participant_identity="callee", participant_name="The callee", participant_metadata="{}",
        participant_attributes={"a": "b"}, dtmf="12w3", play_dialtone=True, hide_phone_number=True,
        headers={"X-Order": "7"}, ringing_timeout=Duration(seconds=30, nanos=500_000_000),
        max_call_duration=Duration(seconds=600), krisp_enabled=True, wait_until_answered=True, display_name="",
        media_encryption=SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE,
    )  # fmt: skip
    read = dial_of(asked)
    assert read == Dial(
        to="+15550100101", room="room", trunk="ST_1", identity="callee", name="The callee", metadata="{}",
        attributes={"a": "b"}, ringing_timeout=30.5, max_call_duration=600.0, dtmf="12w3", wait=True,
        headers={"X-Order": "7"}, trunk_number="+15550100100", display_name="", hide_phone_number=True,
        play_dialtone=True, krisp=True, media_encryption="SIP_MEDIA_ENCRYPT_REQUIRE",
    )  # fmt: skip
    unset = dial_of(CreateSIPParticipantRequest())
    same = [one.name for one in attrs.fields(Dial) if getattr(read, one.name) == getattr(unset, one.name)]
    assert same == [], "each field is set above, and is another one where nothing is said"


def test_what_is_not_said_of_a_dial_is_not_made_up():
    read = dial_of(CreateSIPParticipantRequest(ringing_timeout=Duration()))
    assert (read.ringing_timeout, read.max_call_duration, read.display_name) == (None, None, None)


def test_a_trunk_may_be_described_in_place_of_its_id():
    asked = CreateSIPParticipantRequest()
    asked.trunk.hostname = "sip.example.com"
    assert dial_of(asked).trunk == "sip.example.com"


def test_a_transfer_loses_nothing():
    asked = TransferSIPParticipantRequest(
        participant_identity="caller", room_name="room", transfer_to="tel:+15550100102", play_dialtone=True,
        headers={"X-Why": "sales"}, ringing_timeout=Duration(seconds=20),
    )  # fmt: skip
    read = transfer_of(asked)
    assert read == Transfer("room", "caller", "tel:+15550100102", 20.0, {"X-Why": "sales"}, True)
    unset = transfer_of(TransferSIPParticipantRequest())
    assert [one.name for one in attrs.fields(Transfer) if getattr(read, one.name) == getattr(unset, one.name)] == []


def test_what_is_answered_to_a_dial():
    told = info_of(Dialled(participant_id="PA_1", identity="callee", room="room", call_id="SCL_1"))
    assert (told.participant_id, told.participant_identity, told.room_name, told.sip_call_id) == (
        "PA_1", "callee", "room", "SCL_1",
    )  # fmt: skip
