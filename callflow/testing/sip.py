"""LiveKit's SIP API on the simulated server: requests and answers of a `callflow.simulate.bridge.Bridge`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from livekit.protocol import sip as proto

from callflow.simulate.bridge import Bridge, Dial, Transfer
from callflow.simulate.refusals import BridgeError


class Bridged(Protocol):
    """A server with SIP nodes, by the room that they serve."""

    @property
    def bridges(self) -> Mapping[str, Bridge]: ...


async def _create_participant(server: Bridged, body: bytes) -> Message:
    request = proto.CreateSIPParticipantRequest.FromString(body)
    dial = Dial(
        to=request.sip_call_to,
        room=request.room_name,
        trunk=request.sip_trunk_id or request.trunk.hostname,
        identity=request.participant_identity,
        name=request.participant_name,
        metadata=request.participant_metadata,
        attributes=dict(request.participant_attributes),
        ringing_timeout=_seconds(request, "ringing_timeout"),
        max_call_duration=_seconds(request, "max_call_duration"),
        dtmf=request.dtmf,
        wait=request.wait_until_answered,
        headers=dict(request.headers),
        trunk_number=request.sip_number,
        display_name=request.display_name if request.HasField("display_name") else None,
        hide_phone_number=request.hide_phone_number,
        play_dialtone=request.play_dialtone,
        krisp=request.krisp_enabled,
        media_encryption=proto.SIPMediaEncryption.Name(request.media_encryption),
    )
    dialled = await _bridge(server, request.room_name).dial(dial)
    return proto.SIPParticipantInfo(
        participant_id=dialled.participant_id,
        participant_identity=dialled.identity,
        room_name=dialled.room,
        sip_call_id=dialled.call_id,
    )


async def _transfer_participant(server: Bridged, body: bytes) -> Message:
    request = proto.TransferSIPParticipantRequest.FromString(body)
    await _bridge(server, request.room_name).transfer(
        Transfer(
            room=request.room_name,
            identity=request.participant_identity,
            to=request.transfer_to,
            ringing_timeout=_seconds(request, "ringing_timeout"),
            headers=dict(request.headers),
            play_dialtone=request.play_dialtone,
        )
    )
    return Empty()  # as measured: neither a status nor an id


async def _list_outbound_trunks(server: Bridged, body: bytes) -> Message:
    asked = proto.ListSIPOutboundTrunkRequest.FromString(body).trunk_ids
    names = {name for bridge in server.bridges.values() for name in bridge.network.trunks or ()}
    items = [proto.SIPOutboundTrunkInfo(sip_trunk_id=name) for name in sorted(names) if not asked or name in asked]
    return proto.ListSIPOutboundTrunkResponse(items=items)


async def _list_inbound_trunks(_server: Bridged, _body: bytes) -> Message:
    return proto.ListSIPInboundTrunkResponse()


async def _list_dispatch_rules(_server: Bridged, _body: bytes) -> Message:
    return proto.ListSIPDispatchRuleResponse()


METHODS: Mapping[str, Callable[[Bridged, bytes], Awaitable[Message]]] = {
    "CreateSIPParticipant": _create_participant,
    "ListSIPDispatchRule": _list_dispatch_rules,
    "ListSIPInboundTrunk": _list_inbound_trunks,
    "ListSIPOutboundTrunk": _list_outbound_trunks,
    "TransferSIPParticipant": _transfer_participant,
}


def _bridge(server: Bridged, room: str) -> Bridge:
    bridge = server.bridges.get(room) or server.bridges.get("")
    if bridge is None:
        raise BridgeError("internal", "sip not connected (redis required)")
    return bridge


def _seconds(request: Any, name: str) -> float | None:
    """A duration of the request's, None where it is not set."""
    duration: Duration = getattr(request, name)
    return (
        duration.seconds + duration.nanos / 1e9
        if request.HasField(name) and (duration.seconds or duration.nanos)
        else None
    )
