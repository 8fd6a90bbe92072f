"""LiveKit's recorder on the simulated server: it starts, records, and ends; nothing is written.

A recording is `EGRESS_STARTING` for a second, then `EGRESS_ACTIVE` until it is stopped or its room ends, `EGRESS_ENDING`
for half a second, and `EGRESS_COMPLETE`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from attrs import define, field
from google.protobuf.message import Message
from livekit.protocol import egress as proto

from callflow.telephony.refusals import BridgeError
from callflow.testing.rooms import SimulatedRoomState

Service = Literal["works", "not_connected", "absent", "fails"]

STARTS, ENDS = 1.0, 0.5
"""Seconds until a recording runs, and until a stopped one is complete."""


class Recorded(Protocol):
    """A server whose rooms are recorded."""

    @property
    def rooms(self) -> Mapping[str, SimulatedRoomState]: ...

    @property
    def egress(self) -> Egress: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    def new_id(self, prefix: str) -> str: ...


@define(eq=False)
class Egress:
    """The recordings of a server. `service`: whether there is a recorder; `not_connected`: a server without redis;
    `absent`: nobody takes the request; `fails`: it begins and comes to nothing. `recordings` are all of them, in order."""

    service: Service = "works"
    recordings: list[proto.EgressInfo] = field(factory=list)

    def start(self, server: Recorded, request: proto.RoomCompositeEgressRequest) -> proto.EgressInfo:
        """Raises BridgeError."""
        self._look()
        state = server.rooms.get(request.room_name)
        if state is None:
            raise BridgeError("not_found", "requested room does not exist")
        info = proto.EgressInfo(
            egress_id=server.new_id("EG"),
            room_id=state.sid,
            room_name=state.name,
            status=proto.EgressStatus.EGRESS_STARTING,
            started_at=_nanoseconds(server),
            room_composite=request,
        )
        self.recordings.append(info)
        server.loop.call_later(STARTS, self._started, server, info)
        return info

    def stop(self, server: Recorded, egress_id: str) -> proto.EgressInfo:
        """Raises BridgeError."""
        self._look()
        info = next((one for one in self.recordings if one.egress_id == egress_id), None)
        if info is None:
            raise BridgeError("not_found", "egress does not exist")
        if not _runs(info):
            status = proto.EgressStatus.Name(info.status)
            raise BridgeError("failed_precondition", f"egress with status {status} cannot be stopped")
        self._end(server, info)
        return info

    def find(self, request: proto.ListEgressRequest) -> list[proto.EgressInfo]:
        """Raises BridgeError."""
        self._look()
        return [
            info
            for info in self.recordings
            if request.room_name in ("", info.room_name)
            and request.egress_id in ("", info.egress_id)
            and (_runs(info) or not request.active)
        ]

    def room_ended(self, server: Recorded, name: str) -> None:
        """What records this room ends."""
        for info in self.recordings:
            if info.room_name == name and _runs(info):
                self._end(server, info)

    def _look(self) -> None:
        if self.service == "not_connected":
            raise BridgeError("internal", "egress not connected (redis required)")
        if self.service == "absent":
            raise BridgeError("unavailable", "no response from servers")

    def _started(self, server: Recorded, info: proto.EgressInfo) -> None:
        if info.status != proto.EgressStatus.EGRESS_STARTING:
            return
        if self.service == "fails":
            info.status, info.error = proto.EgressStatus.EGRESS_FAILED, "start signal not received"
            info.ended_at = _nanoseconds(server)
        else:
            info.status = proto.EgressStatus.EGRESS_ACTIVE

    def _end(self, server: Recorded, info: proto.EgressInfo) -> None:
        info.status = proto.EgressStatus.EGRESS_ENDING
        server.loop.call_later(ENDS, self._ended, server, info)

    @staticmethod
    def _ended(server: Recorded, info: proto.EgressInfo) -> None:
        info.status, info.ended_at = proto.EgressStatus.EGRESS_COMPLETE, _nanoseconds(server)


def _runs(info: proto.EgressInfo) -> bool:
    return info.status in (proto.EgressStatus.EGRESS_STARTING, proto.EgressStatus.EGRESS_ACTIVE)


def _nanoseconds(server: Recorded) -> int:
    return round(server.loop.time() * 1e9)


def _start(server: Recorded, body: bytes) -> Message:
    return server.egress.start(server, proto.RoomCompositeEgressRequest.FromString(body))


def _stop(server: Recorded, body: bytes) -> Message:
    return server.egress.stop(server, proto.StopEgressRequest.FromString(body).egress_id)


def _list(server: Recorded, body: bytes) -> Message:
    return proto.ListEgressResponse(items=server.egress.find(proto.ListEgressRequest.FromString(body)))


METHODS: Mapping[str, Callable[[Recorded, bytes], Message]] = {
    "ListEgress": _list,
    "StartRoomCompositeEgress": _start,
    "StopEgress": _stop,
}
