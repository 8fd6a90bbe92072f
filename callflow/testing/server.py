"""A LiveKit server without a network: rooms, who is in them, what each of them learns and when, and the API.

It behaves as livekit-server 1.13.5 was measured to: who leaves is seen 20 ms later, who vanishes after 21 s; a second
participant of the same identity takes the first one's place; a deleted room makes everybody leave with ROOM_DELETED,
and whoever joins it afterwards makes it anew; a room ends 20 s after the last caller left.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self, cast

import aiohttp
from attrs import define, field, frozen
from livekit import rtc
from livekit.api import LiveKitAPI
from livekit.rtc._proto import room_pb2 as proto_events
from livekit.rtc._proto import track_pb2 as proto_track

from callflow.telephony.bridge import Bridge
from callflow.telephony.refusals import BridgeError
from callflow.testing import egress, room_api, sip
from callflow.testing.clock import wall_clock
from callflow.testing.emptied import Emptiness
from callflow.testing.outage import Outage, answers
from callflow.testing.rooms import Member, Reason, SimulatedRoomState
from callflow.testing.transport import Transport

__all__ = [
    "KEY",
    "NOTICED",
    "SECRET",
    "URL",
    "VANISHED",
    "Fault",
    "Member",
    "Reason",
    "SimulatedRoomState",
    "SimulatedServer",
]

SPEAKS_AFTER, QUIET_AFTER = 0.1, 0.5
"""Seconds after which the server says that somebody speaks, or does not any more."""
NOTICED = 0.02
"""Seconds until the others see that somebody came or left."""
VANISHED = 21.0
"""Seconds until the server gives somebody up who has vanished: CONNECTION_TIMEOUT."""
KEY, SECRET = "simulated", "a secret of the simulation, 32 characters long"
URL = "http://simulated.invalid"

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


@frozen
class Fault:
    """What one call of the API does instead of its work: waits `seconds` first, then fails with `status` (if any)."""

    status: int | None = None
    seconds: float = 0.0
    code: str = "internal"
    message: str = "simulated fault"
    works: bool = False  # it fails, and has done its work all the same


@define(eq=False)
class SimulatedServer:
    """Rooms on the running event loop's clock; `async with` makes `time.time()` follow that clock too.

    `api` is a real `LiveKitAPI` that talks to it.

    `room_first`: on `delete_room` agents see `room.disconnected` before the callers' `participant_disconnected` (a real
    server does it now this way, now that). `epoch` is what `time.time()` is at the start, now unless set. `faults` are
    used up by the calls of the API, by method: `{"DeleteRoom": [Fault(500)]}`. `requests` lists the API's calls: time
    and method. `bridges` are the SIP nodes, by the room that they serve; the one under "" serves every other room.
    `egress` is the recorder.
    """

    room_first: bool = False
    epoch: float | None = None
    faults: dict[str, list[Fault]] = field(factory=dict)
    rooms: dict[str, SimulatedRoomState] = field(factory=dict, init=False)
    requests: list[tuple[float, str]] = field(factory=list, init=False)
    bridges: dict[str, Bridge] = field(factory=dict, init=False)
    egress: egress.Egress = field(factory=egress.Egress, init=False)
    emptied: Emptiness = field(factory=Emptiness, init=False)
    _outage: Outage | None = field(default=None, init=False)
    api: LiveKitAPI = field(init=False)
    loop: asyncio.AbstractEventLoop = field(factory=asyncio.get_running_loop, init=False)
    _numbers: Iterator[int] = field(factory=lambda: itertools.count(1), init=False)
    _clock: ExitStack = field(factory=ExitStack, init=False)

    def __attrs_post_init__(self) -> None:
        self.api = self.client()

    async def __aenter__(self) -> Self:
        self._clock.enter_context(wall_clock(self.epoch))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for bridge in self.bridges.values():
            await bridge.close()
        self.stop()
        self._clock.close()

    def client(self) -> LiveKitAPI:
        """A client of this server's API, as `LiveKitAPI(url, key, secret)` is of a real one's."""
        transport = cast(aiohttp.ClientSession, Transport(self))
        return LiveKitAPI(URL, KEY, SECRET, session=transport)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):06}"

    # Who comes and goes.

    def room(self, name: str) -> SimulatedRoomState:
        """The room of this name; made when it is not there."""
        if name not in self.rooms:
            state = self.rooms[name] = SimulatedRoomState(name, self.new_id("RM"), self.loop.time())
            self._close_after(state, state.empty_timeout)
        return self.rooms[name]

    def join(self, name: str, member: Member) -> SimulatedRoomState:
        """`member` is in the room; the others see it a little later. One of the same identity is out."""
        state = self.room(name)
        before = state.members.pop(member.info.identity, None)
        if before is not None and before is not member:
            before.dropped(rtc.DisconnectReason.DUPLICATE_IDENTITY)
        if before is not None:
            self._tell(state, _left(member.info.identity, rtc.DisconnectReason.UNKNOWN_REASON), but=member)
        state.members[member.info.identity] = member
        self.emptied.counted(name)
        self.emptied.changed(name, member.info.identity)
        for (listener, _), changes in state.subscriptions.items():
            if listener == member.info.identity:  # who comes anew is subscribed to everything
                changes.append((self.loop.time(), True))
        if member.info.kind != AGENT:
            state.visited = True
            self._keep(state)
        arrival = proto_events.RoomEvent()
        arrival.participant_connected.info.info.CopyFrom(member.info)
        arrival.participant_connected.info.handle.id = 0
        active = proto_events.RoomEvent()
        active.participant_active.participant_identity = member.info.identity
        self._tell(state, arrival, but=member)
        self._tell(state, active, but=member)
        for publication in member.publications.values():
            self._announce(state, member, publication)
        return state

    def leave(self, state: SimulatedRoomState, member: Member, reason: Reason) -> None:
        """`member` is out of the room; the others see it a little later."""
        if state.members.get(member.info.identity) is not member:
            return
        del state.members[member.info.identity]
        self.emptied.counted(state.name)
        self._tell(state, _left(member.info.identity, reason))
        self._watch(state)

    def remove(self, name: str, identity: str) -> bool:
        """The server puts somebody out; False when there is no such participant."""
        state = self.rooms.get(name)
        member = state.members.get(identity) if state else None
        if state is None or member is None:
            return False
        reason = rtc.DisconnectReason.PARTICIPANT_REMOVED
        self.leave(state, member, reason)
        member.dropped(reason)
        return True

    def delete_room(self, name: str) -> bool:
        """Everybody is out, and the room is gone; False when there was none."""
        state = self.rooms.get(name)
        if state is None:
            return False
        self.close_room(state, rtc.DisconnectReason.ROOM_DELETED)
        return True

    def close_room(self, state: SimulatedRoomState, reason: Reason) -> None:
        """Callers are out at once; agents see them leave, and then (or before) that they are out themselves."""
        if self.rooms.get(state.name) is not state:
            return
        del self.rooms[state.name]
        self._keep(state)
        self.egress.room_ended(self, state.name)
        members, state.members = list(state.members.values()), {}
        agents = [member for member in members if member.info.kind == AGENT]
        self.emptied.over(state.name)
        away = self._outage.has if self._outage is not None else lambda _: False
        for member in members:
            if member.info.kind != AGENT and not away(member):
                member.dropped(reason)
        for agent in [agent for agent in agents if not away(agent)]:
            departures = [_left(m.info.identity, _departs(m, reason)) for m in members if m is not agent]
            steps = [partial(agent.receive, event) for event in departures]
            out = partial(agent.dropped, reason)
            for step in [out, *steps] if self.room_first else [*steps, out]:
                self.loop.call_later(NOTICED, step)

    def _watch(self, state: SimulatedRoomState) -> None:
        if self.rooms.get(state.name) is state and state.visited and not self._callers(state):
            self._close_after(state, state.departure_timeout)

    def wait_for_somebody(self, state: SimulatedRoomState) -> None:
        """An empty room ends after its `empty_timeout`."""
        self._close_after(state, state.empty_timeout)

    def _close_after(self, state: SimulatedRoomState, seconds: float) -> None:
        self._keep(state)
        state.closing = self.loop.call_later(seconds, self.close_room, state, rtc.DisconnectReason.ROOM_CLOSED)

    @staticmethod
    def _callers(state: SimulatedRoomState) -> list[Member]:
        return [member for member in state.members.values() if member.info.kind != AGENT]

    @staticmethod
    def _keep(state: SimulatedRoomState) -> None:
        if state.closing is not None:
            state.closing.cancel()
            state.closing = None

    def stop(self) -> None:
        """Forget every room, and the timers that would end them."""
        for state in self.rooms.values():
            self._keep(state)
        self.rooms.clear()

    # What becomes of the server.

    def go_away(
        self, seconds: float, *, callers: float = 4.0, agents: float | None = 5.0, forgets: bool = False
    ) -> None:
        """An outage: for so long the API refuses every connection, and everybody is cut off. Then callers (a SIP bridge's
        client for its telephone) are back after `callers` seconds, agents that have not given up by then after `agents`
        (None: never). `forgets`: as `forget`, too."""
        self._outage = Outage(self, seconds, callers, agents, forgets)
        self._outage.begin()

    def cut_off(self, identity: str, seconds: float) -> None:
        """One participant's connection breaks: it is told of nothing, and is back after so many seconds, if need be in a
        room that it makes anew; an agent's gives up after 20."""
        self._outage = Outage(self, 0.0, seconds, seconds, forgets=False)
        self._outage.begin(lambda member: member.info.identity == identity)

    def forget(self) -> None:
        """Its redis is empty: the API knows nothing of the rooms that are there, and everybody stays in them. What it learns
        anew: see `emptied`."""
        for name, state in self.rooms.items():
            self.emptied.begin(name, state.members.keys())

    def found(self, name: str, identity: str) -> tuple[SimulatedRoomState, Member] | None:
        """A participant, as the API finds it."""
        state = self.rooms.get(name)
        member = state.members.get(identity) if state is not None else None
        return None if state is None or member is None or not self.emptied.knows(name, identity) else (state, member)

    # What happens in a room.

    def publish(self, state: SimulatedRoomState, member: Member, publication: proto_track.TrackPublicationInfo) -> None:
        member.publications[publication.sid] = publication
        self.emptied.counted(state.name)
        self.emptied.changed(state.name, member.info.identity)
        self._announce(state, member, publication)

    def _announce(self, state: SimulatedRoomState, member: Member, info: proto_track.TrackPublicationInfo) -> None:
        published = proto_events.RoomEvent()
        published.track_published.participant_identity = member.info.identity
        published.track_published.publication.handle.id = 0
        published.track_published.publication.info.CopyFrom(info)
        self._tell(state, published, but=member)

    def mute(self, state: SimulatedRoomState, member: Member, sid: str, muted: bool) -> None:
        """A participant mutes a track of their own, or takes that back; everybody in the room is told."""
        if member.publications[sid].muted == muted:
            return
        member.publications[sid].muted = muted
        self.emptied.changed(state.name, member.info.identity)
        event = proto_events.RoomEvent()
        told = event.track_muted if muted else event.track_unmuted
        told.participant_identity, told.track_sid = member.info.identity, sid
        self._tell(state, event)

    def unpublish(self, state: SimulatedRoomState, member: Member, sid: str) -> None:
        if member.publications.pop(sid, None) is None:
            return
        event = proto_events.RoomEvent()
        event.track_unpublished.participant_identity = member.info.identity
        event.track_unpublished.publication_sid = sid
        self._tell(state, event, but=member)

    def subscribe(self, state: SimulatedRoomState, listener: Member, tracks: Iterable[str], subscribe: bool) -> None:
        """Lets a participant hear these tracks, or not; sids that nobody has published are ignored."""
        for member in state.others(listener):
            for sid in set(tracks) & member.publications.keys():
                if state.subscribed(listener.info.identity, sid) != subscribe:
                    changes = state.subscriptions.setdefault((listener.info.identity, sid), [])
                    changes.append((self.loop.time(), subscribe))
                    self.loop.call_later(NOTICED, listener.subscription_changed, member, sid, subscribe)

    def set_attributes(self, state: SimulatedRoomState, member: Member, attributes: dict[str, str]) -> None:
        """Changes a participant's attributes (an empty value takes one away); everybody in the room sees it."""
        changed = {key: value for key, value in attributes.items() if member.info.attributes.get(key, "") != value}
        if not changed:
            return
        self.emptied.changed(state.name, member.info.identity)
        for key, value in changed.items():
            if value:
                member.info.attributes[key] = value
            else:
                del member.info.attributes[key]
        event = proto_events.RoomEvent()
        event.participant_attributes_changed.participant_identity = member.info.identity
        for key, value in member.info.attributes.items():
            event.participant_attributes_changed.attributes.add(key=key, value=value)
        for key, value in changed.items():
            event.participant_attributes_changed.changed_attributes.add(key=key, value=value)
        self._tell(state, event)

    def speaks(self, state: SimulatedRoomState, member: Member, since: float, until: float) -> None:
        """Everybody in the room is told who speaks, as it begins, and half a second after it has ended."""
        for at, change in ((since + SPEAKS_AFTER, state.speakers.append), (until + QUIET_AFTER, state.speakers.remove)):
            self.loop.call_at(at, self._speakers_change, state, change, member.info.identity)

    def _speakers_change(self, state: SimulatedRoomState, change: Callable[[str], None], identity: str) -> None:
        before = set(state.speakers)
        change(identity)
        if before != set(state.speakers):
            event = proto_events.RoomEvent()
            there = [one for one in dict.fromkeys(state.speakers) if one in state.members]
            event.active_speakers_changed.participant_identities.extend(there)
            self._tell(state, event)

    def press(self, state: SimulatedRoomState, member: Member, digit: str, code: int) -> None:
        """A key of the telephone: every other participant gets it."""
        event = proto_events.RoomEvent()
        event.data_packet_received.kind = proto_events.DataPacketKind.KIND_RELIABLE
        event.data_packet_received.participant_identity = member.info.identity
        event.data_packet_received.sip_dtmf.code = code
        event.data_packet_received.sip_dtmf.digit = digit
        self._tell(state, event, but=member)

    def send_data(
        self, state: SimulatedRoomState, sender: Member | None, data: bytes, topic: str, to: list[str] | None = None
    ) -> None:
        """A data packet to everybody else, or to those named in `to`."""
        for member in list(state.members.values()):
            if member is not sender and (not to or member.info.identity in to):
                self.loop.call_later(NOTICED, member.receive_data, sender, data, topic)

    def _tell(self, state: SimulatedRoomState, event: proto_events.RoomEvent, *, but: Member | None = None) -> None:
        for member in list(state.members.values()):
            if member is not but:
                self.loop.call_later(NOTICED, self._deliver, state, member, event)

    @staticmethod
    def _deliver(state: SimulatedRoomState, member: Member, event: proto_events.RoomEvent) -> None:
        if state.members.get(member.info.identity) is member:
            member.receive(event)

    # The API.

    async def answer(self, method: str, body: bytes) -> tuple[int, bytes]:
        """One request of the API: its HTTP status and body."""
        self.requests.append((self.loop.time(), method))
        await answers(self._outage)
        waiting = self.faults.get(method)
        fault = waiting.pop(0) if waiting else Fault()
        await asyncio.sleep(fault.seconds or 0.002)
        if fault.status is not None and not fault.works:
            return room_api.error(fault.status, fault.code, fault.message)
        answer = await self._do(method, body)
        if fault.status is not None:
            return room_api.error(fault.status, fault.code, fault.message)
        if answer is None:
            return room_api.error(404, "not_found", f"the simulated server does not know {method}")
        return answer if isinstance(answer, tuple) else (200, answer.SerializeToString())

    async def _do(self, method: str, body: bytes) -> room_api.Answer | None:
        work = room_api.METHODS.get(method) or sip.METHODS.get(method) or egress.METHODS.get(method)
        if work is None:
            return None
        try:
            answer = work(self, body)
            return await answer if inspect.isawaitable(answer) else answer
        except BridgeError as error:
            return room_api.error(error.status, error.code, error.message, error.metadata)


def _departs(member: Member, reason: Reason) -> Reason:
    """Why it leaves a room that is closed: a telephone that has just hung up has left by itself."""
    hung_up = member.info.attributes.get("sip.callStatus") == "hangup"
    return rtc.DisconnectReason.CLIENT_INITIATED if hung_up else reason


def _left(identity: str, reason: Reason) -> proto_events.RoomEvent:
    event = proto_events.RoomEvent()
    event.participant_disconnected.participant_identity = identity
    event.participant_disconnected.disconnect_reason = reason
    return event
