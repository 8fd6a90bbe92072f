"""Rooms of a simulated server, and who is in them."""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import Any, Protocol, TypeAlias, cast

from attrs import define, field
from livekit.protocol import models
from livekit.rtc._proto import participant_pb2 as proto_participant
from livekit.rtc._proto import room_pb2 as proto_events
from livekit.rtc._proto import track_pb2 as proto_track

Reason: TypeAlias = proto_participant.DisconnectReason.ValueType

DEPARTURE_TIMEOUT = 20.0
"""Seconds that a room lasts after the last caller has left it."""
EMPTY_TIMEOUT = 300.0
"""Seconds that a room lasts in which nobody but agents has ever been."""


class Member(Protocol):
    """One participant's connection, as the server sees it: an agent's room, a caller's client."""

    info: proto_participant.ParticipantInfo
    publications: dict[str, proto_track.TrackPublicationInfo]

    def receive(self, event: proto_events.RoomEvent) -> None:
        """Something happened in the room."""

    def dropped(self, reason: Reason) -> None:
        """The connection is over, by the server's will."""

    def receive_data(self, sender: Member | None, data: bytes, topic: str) -> None:
        """A data packet."""

    def subscription_changed(self, publisher: Member, sid: str, subscribed: bool) -> None:
        """The server has subscribed it to a track, or has taken it away."""

    def lose_connection(self) -> None:
        """Its connection has broken: it is told of nothing until it comes back."""

    def come_back(self, room: str) -> None:
        """It has its connection anew, and is in this room, which it makes if it is not there; not if it has left meanwhile."""

    def see(self, event: proto_events.RoomEvent) -> None:
        """What its client tells by itself while the connection is gone."""


@define(eq=False)
class SimulatedRoomState:
    """One room on the server."""

    name: str
    sid: str
    created: float
    metadata: str = ""
    empty_timeout: float = EMPTY_TIMEOUT
    departure_timeout: float = DEPARTURE_TIMEOUT
    members: dict[str, Member] = field(factory=dict)
    closing: asyncio.TimerHandle | None = None
    visited: bool = False
    speakers: list[str] = field(factory=list)  # by identity, once for each speech
    subscriptions: dict[tuple[str, str], list[tuple[float, bool]]] = field(factory=dict)
    """By listener's identity and track's sid: from when on it is subscribed, or is not. At first everybody is."""

    def others(self, member: Member) -> list[Member]:
        return [other for other in self.members.values() if other is not member]

    def subscribed(self, listener: str, track: str) -> bool:
        """Whether this identity gets this track (a sid) now."""
        changes = self.subscriptions.get((listener, track))
        return changes[-1][1] if changes else True

    def subscribed_during(self, listener: str, track: str) -> list[tuple[float, float]]:
        """From when to when it got, and gets, it."""
        changes = [(-math.inf, True), *self.subscriptions.get((listener, track), ()), (math.inf, False)]
        return [(since, until) for (since, on), (until, _) in itertools.pairwise(changes) if on]


def room_info(state: SimulatedRoomState) -> models.Room:
    """A room as the API tells of it."""
    return models.Room(
        sid=state.sid,
        name=state.name,
        metadata=state.metadata,
        num_participants=len(state.members),
        departure_timeout=int(state.departure_timeout),
        empty_timeout=int(state.empty_timeout),
    )


def participant_info(member: Member) -> models.ParticipantInfo:
    """A participant as the API tells of them."""
    return models.ParticipantInfo(
        sid=member.info.sid,
        identity=member.info.identity,
        name=member.info.name,
        state=models.ParticipantInfo.State.ACTIVE,
        attributes=dict(member.info.attributes),
        kind=cast(Any, int(member.info.kind)),
        metadata=member.info.metadata,
        tracks=[models.TrackInfo(sid=one.sid, name=one.name) for one in member.publications.values()],
    )
