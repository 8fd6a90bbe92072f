"""LiveKit's RoomService, as a simulated server answers it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from google.protobuf.message import Message
from livekit.protocol import room as proto_room

from callflow.testing.emptied import Emptiness
from callflow.testing.rooms import Member, SimulatedRoomState, participant_info, room_info


class Served(Protocol):
    """What is asked of the server."""

    @property
    def rooms(self) -> Mapping[str, SimulatedRoomState]: ...

    @property
    def emptied(self) -> Emptiness: ...

    def room(self, name: str) -> SimulatedRoomState: ...

    def found(self, name: str, identity: str) -> tuple[SimulatedRoomState, Member] | None: ...

    def remove(self, name: str, identity: str) -> bool: ...

    def delete_room(self, name: str) -> bool: ...

    def wait_for_somebody(self, state: SimulatedRoomState) -> None: ...

    def mute(self, state: SimulatedRoomState, member: Member, sid: str, muted: bool) -> None: ...

    def subscribe(
        self, state: SimulatedRoomState, listener: Member, tracks: Iterable[str], subscribe: bool
    ) -> None: ...

    def set_attributes(self, state: SimulatedRoomState, member: Member, attributes: dict[str, str]) -> None: ...

    def send_data(
        self, state: SimulatedRoomState, sender: Member | None, data: bytes, topic: str, to: list[str] | None = None
    ) -> None: ...


Answer = Message | tuple[int, bytes]


def _delete_room(server: Served, body: bytes) -> Answer:
    name = proto_room.DeleteRoomRequest.FromString(body).room
    if not server.emptied.lists(name):
        return error(404, "not_found", "requested room does not exist")
    if not server.emptied.places(name):
        return error(500, "unknown", "could not find object")
    gone = server.delete_room(name)
    return proto_room.DeleteRoomResponse() if gone else error(404, "not_found", "requested room does not exist")


def _remove_participant(server: Served, body: bytes) -> Answer:
    request = proto_room.RoomParticipantIdentity.FromString(body)
    gone = server.found(request.room, request.identity) and server.remove(request.room, request.identity)
    return proto_room.RemoveParticipantResponse() if gone else error(404, "not_found", "participant does not exist")


def _create_room(server: Served, body: bytes) -> Answer:
    request = proto_room.CreateRoomRequest.FromString(body)
    server.emptied.placed(request.name)
    state = server.room(request.name)
    state.metadata = request.metadata or state.metadata
    state.empty_timeout = request.empty_timeout or state.empty_timeout
    state.departure_timeout = request.departure_timeout or state.departure_timeout
    if not state.members:
        server.wait_for_somebody(state)
    return room_info(state)


def _list_rooms(server: Served, body: bytes) -> Answer:
    names = list(proto_room.ListRoomsRequest.FromString(body).names)
    known = [state for name, state in server.rooms.items() if server.emptied.lists(name)]
    states = [state for state in known if not names or state.name in names]
    return proto_room.ListRoomsResponse(rooms=[room_info(state) for state in states])


def _list_participants(server: Served, body: bytes) -> Answer:
    name = proto_room.ListParticipantsRequest.FromString(body).room
    state = server.rooms.get(name)
    members = state.members.values() if state is not None else ()  # a room that is not there has nobody in it
    known = [member for member in members if server.emptied.knows(name, member.info.identity)]
    return proto_room.ListParticipantsResponse(participants=[participant_info(member) for member in known])


def _get_participant(server: Served, body: bytes) -> Answer:
    request = proto_room.RoomParticipantIdentity.FromString(body)
    found = server.found(request.room, request.identity)
    return participant_info(found[1]) if found else error(404, "not_found", "participant does not exist")


def _mute_published_track(server: Served, body: bytes) -> Answer:
    request = proto_room.MuteRoomTrackRequest.FromString(body)
    state = server.rooms.get(request.room)
    member = state.members.get(request.identity) if state is not None else None
    if state is None or member is None or request.track_sid not in member.publications:
        return error(404, "not_found", "participant does not exist")
    server.mute(state, member, request.track_sid, request.muted)
    return proto_room.MuteRoomTrackResponse()


def _send_data(server: Served, body: bytes) -> Answer:
    request = proto_room.SendDataRequest.FromString(body)
    state = server.rooms.get(request.room)
    if state is None:
        return error(404, "not_found", "requested room does not exist")
    server.send_data(state, None, request.data, request.topic, list(request.destination_identities))
    return proto_room.SendDataResponse()


def _update_participant(server: Served, body: bytes) -> Answer:
    request = proto_room.UpdateParticipantRequest.FromString(body)
    found = server.found(request.room, request.identity)
    if found is None:
        return error(404, "not_found", "participant does not exist")
    server.set_attributes(*found, dict(request.attributes))
    return participant_info(found[1])


def _update_subscriptions(server: Served, body: bytes) -> Answer:
    request = proto_room.UpdateSubscriptionsRequest.FromString(body)
    state = server.rooms.get(request.room)
    listener = state.members.get(request.identity) if state else None
    if state is None or listener is None:
        return error(404, "not_found", "participant does not exist")
    named = [sid for one in request.participant_tracks for sid in one.track_sids]
    server.subscribe(state, listener, [*request.track_sids, *named], request.subscribe)
    return proto_room.UpdateSubscriptionsResponse()


METHODS: dict[str, Callable[[Served, bytes], Answer]] = {
    "CreateRoom": _create_room,
    "DeleteRoom": _delete_room,
    "GetParticipant": _get_participant,
    "ListParticipants": _list_participants,
    "ListRooms": _list_rooms,
    "MutePublishedTrack": _mute_published_track,
    "RemoveParticipant": _remove_participant,
    "SendData": _send_data,
    "UpdateParticipant": _update_participant,
    "UpdateSubscriptions": _update_subscriptions,
}


def error(status: int, code: str, message: str, meta: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    told = {"code": code, "msg": message} | ({"meta": dict(meta)} if meta else {})
    return status, json.dumps(told).encode()
