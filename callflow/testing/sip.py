"""LiveKit's SIP API on the simulated server: requests and answers of a `callflow.telephony.bridge.Bridge`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from livekit.protocol import sip as proto

from callflow.telephony.bridge import Bridge
from callflow.telephony.refusals import BridgeError
from callflow.telephony.sip_api import dial_of, info_of, transfer_of


class Bridged(Protocol):
    """A server with SIP nodes, by the room that they serve."""

    @property
    def bridges(self) -> Mapping[str, Bridge]: ...


async def _create_participant(server: Bridged, body: bytes) -> Message:
    request = proto.CreateSIPParticipantRequest.FromString(body)
    return info_of(await _bridge(server, request.room_name).dial(dial_of(request)))


async def _transfer_participant(server: Bridged, body: bytes) -> Message:
    request = proto.TransferSIPParticipantRequest.FromString(body)
    await _bridge(server, request.room_name).transfer(transfer_of(request))
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
