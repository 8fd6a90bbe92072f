"""LiveKit's SIP service in its own messages: what a bridge is asked for, and what it answers.

https://docs.livekit.io/reference/telephony/sip-api/; one reading of them for every server that has such a bridge.
"""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from livekit.protocol.sip import (
    CreateSIPParticipantRequest,
    SIPMediaEncryption,
    SIPParticipantInfo,
    TransferSIPParticipantRequest,
)

from callflow.telephony.requests import Dial, Dialled, Transfer


def dial_of(request: CreateSIPParticipantRequest) -> Dial:
    """What a CreateSIPParticipant asks for."""
    return Dial(
        to=request.sip_call_to,
        room=request.room_name,
        trunk=request.sip_trunk_id or request.trunk.hostname,
        identity=request.participant_identity,
        name=request.participant_name,
        metadata=request.participant_metadata,
        attributes=dict(request.participant_attributes),
        ringing_timeout=_seconds(request.ringing_timeout),
        max_call_duration=_seconds(request.max_call_duration),
        dtmf=request.dtmf,
        wait=request.wait_until_answered,
        headers=dict(request.headers),
        trunk_number=request.sip_number,
        display_name=request.display_name if request.HasField("display_name") else None,
        hide_phone_number=request.hide_phone_number,
        play_dialtone=request.play_dialtone,
        krisp=request.krisp_enabled,
        media_encryption=SIPMediaEncryption.Name(request.media_encryption),
    )


def info_of(dialled: Dialled) -> SIPParticipantInfo:
    """What a CreateSIPParticipant answers."""
    return SIPParticipantInfo(
        participant_id=dialled.participant_id,
        participant_identity=dialled.identity,
        room_name=dialled.room,
        sip_call_id=dialled.call_id,
    )


def transfer_of(request: TransferSIPParticipantRequest) -> Transfer:
    """What a TransferSIPParticipant asks for."""
    return Transfer(
        room=request.room_name,
        identity=request.participant_identity,
        to=request.transfer_to,
        ringing_timeout=_seconds(request.ringing_timeout),
        headers=dict(request.headers),
        play_dialtone=request.play_dialtone,
    )


def _seconds(duration: Duration) -> float | None:
    """None where it is not set, and where it is 0, which is the same to LiveKit."""
    return duration.ToTimedelta().total_seconds() or None
