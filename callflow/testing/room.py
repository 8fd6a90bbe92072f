"""A room without a network: LiveKit's own `rtc.Room`, whose events come from a `SimulatedServer`.

What `rtc.Room` does with an event (participants, publications, what it emits and when) is its own code. What would
cross the network is answered here: joining, leaving, publishing, data, text, attributes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from livekit import rtc
from livekit.agents import AgentSession
from livekit.rtc._ffi_client import FfiHandle
from livekit.rtc._proto import participant_pb2 as proto_participant
from livekit.rtc._proto import room_pb2 as proto_events
from livekit.rtc._proto import stats_pb2 as proto_stats
from livekit.rtc._proto import track_pb2 as proto_track
from livekit.rtc._utils import BroadcastQueue
from livekit.rtc.data_stream import TextStreamInfo

from callflow.testing.audio import Ear, Voice
from callflow.testing.server import NOTICED, Member, Reason, SimulatedRoomState, SimulatedServer
from callflow.testing.tracks import PlayedTrack

CLIENT_PROTOCOL = 3  # reads transcriptions as text streams, as LiveKit's current clients do


def participant_info(
    identity: str,
    sid: str,
    kind: rtc.ParticipantKind.ValueType,
    *,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
) -> proto_participant.ParticipantInfo:
    """A participant, as LiveKit's client describes one."""
    return proto_participant.ParticipantInfo(
        sid=sid,
        name=name,
        identity=identity,
        state=proto_participant.PARTICIPANT_STATE_ACTIVE,
        metadata="",
        attributes=dict(attributes or {}),
        kind=kind,
        disconnect_reason=rtc.DisconnectReason.UNKNOWN_REASON,
        joined_at=0,
        client_protocol=CLIENT_PROTOCOL,
    )


def microphone(sid: str, name: str = "microphone") -> proto_track.TrackPublicationInfo:
    """An audio track, as LiveKit's client describes one."""
    return proto_track.TrackPublicationInfo(
        sid=sid,
        name=name,
        kind=rtc.TrackKind.KIND_AUDIO,
        source=rtc.TrackSource.SOURCE_MICROPHONE,
        simulcasted=False,
        width=0,
        height=0,
        mime_type="audio/opus",
        muted=False,
        remote=True,
        encryption_type=rtc.EncryptionType.NONE,
    )


class SimulatedRoom(rtc.Room):
    """One agent's room. `voice` and `ear` are its audio; the room keeps when it was connected (`stays`).

    `lose_network()` and `find_network()` are an outage on the agent's own side.
    """

    def __init__(self, server: SimulatedServer, name: str, identity: str) -> None:
        super().__init__()
        self._server = server
        self._info.name = name
        self._state: SimulatedRoomState | None = None
        self._offline: list[proto_events.RoomEvent] | None = None
        self.voice = Voice()
        self.ear = Ear()
        self.info = participant_info(identity, "", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
        self.publications: dict[str, proto_track.TrackPublicationInfo] = {}
        self.carries = True
        self.stays: list[tuple[float, float | None]] = []
        self.tracks: dict[str, PlayedTrack] = {}
        self.voice_sid: str | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._session: AgentSession[Any] | None = None
        self._made: dict[str, PlayedTrack] = {}

    def new_audio_track(self, name: str, rate: int) -> tuple[PlayedTrack, rtc.LocalAudioTrack]:
        """A track of the agent's beside its voice, and where its sound goes in; once it is published it is in `tracks`."""
        source = self._made[name] = PlayedTrack(name, rate)
        return source, self._local_track(name)

    def _local_track(self, name: str) -> rtc.LocalAudioTrack:
        info = proto_track.TrackInfo(
            sid=self._server.new_id("TR"),
            name=name,
            kind=rtc.TrackKind.KIND_AUDIO,
            stream_state=rtc.StreamState.STATE_ACTIVE,
            muted=False,
            remote=False,
        )
        return rtc.LocalAudioTrack(proto_track.OwnedTrack(handle={"id": 0}, info=info))  # type: ignore[arg-type]

    def lend(self, session: AgentSession[Any]) -> None:
        """This session speaks and hears in this room: its voice is published, as LiveKit's RoomIO does."""
        self._session = session
        if self.isconnected():
            self._publish_voice()

    def _publish_voice(self) -> None:
        if self._session is not None and self._publishing is None and self._session.output.audio is self.voice:
            self._publishing = self._server.loop.create_task(self._publish())

    async def _publish(self) -> None:
        """By the participant's own method: whoever holds that back holds back the voice, as with LiveKit's RoomIO."""
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await self.local_participant.publish_track(self._local_track("roomio_audio"), options)
        self.voice_sid = publication.sid

    def hears(self, identity: str) -> bool:
        """Whether the session hears this participant: LiveKit's hear one at a time."""
        if self._session is None:
            return True
        try:
            linked = self._session.room_io.linked_participant
        except RuntimeError:  # a session that was started without a room
            return True
        return linked is not None and linked.identity == identity

    # What rtc.Room does over the network.

    def isconnected(self) -> bool:
        return self._state is not None and self._connection_state != rtc.ConnectionState.CONN_DISCONNECTED

    async def connect(self, url: str, token: str, options: rtc.RoomOptions = rtc.RoomOptions()) -> None:  # noqa: B008
        await asyncio.sleep(NOTICED)
        self._server_url, self._token = url, token
        self.info.sid = self._server.new_id("PA")
        self._state = state = self._server.join(self.name, self)
        self._info = proto_events.RoomInfo(
            sid=state.sid,
            name=state.name,
            metadata=state.metadata,
            lossy_dc_buffered_amount_low_threshold=0,
            reliable_dc_buffered_amount_low_threshold=0,
            empty_timeout=300,
            departure_timeout=20,
            max_participants=0,
            creation_time=0,
            num_participants=len(state.members),
            num_publishers=0,
            active_recording=False,
        )
        self._resolve_first_sid(state.sid)
        self._connection_state = rtc.ConnectionState.CONN_CONNECTED
        self._local_participant = SimulatedLocalParticipant(self._server, self, _owned(self.info))
        there: list[tuple[str, proto_track.TrackPublicationInfo]] = []
        for other in state.others(self):
            self._create_remote_participant(_owned(other.info))
            there += [(other.info.identity, publication) for publication in other.publications.values()]
        self.stays.append((self._server.loop.time(), None))
        self._server.loop.call_soon(self._find_tracks, there)
        # A RoomIO that was there before the connection links its participant on this event.
        self._server.loop.call_soon(self.emit, "connection_state_changed", self._connection_state)
        self._publish_voice()
        self._listen()

    async def disconnect(self, *, reason: Reason = rtc.DisconnectReason.CLIENT_INITIATED) -> None:
        state = self._state
        if state is None or not self.isconnected():
            return
        self._server.leave(state, self, reason)
        await asyncio.sleep(NOTICED)
        self.dropped(reason)

    async def get_rtc_stats(self) -> rtc.RtcStats:
        transport = proto_stats.RtcStats()
        state = proto_stats.ICE_TRANSPORT_CONNECTED if self.carries else proto_stats.ICE_TRANSPORT_FAILED
        transport.transport.transport.ice_state = state
        return rtc.RtcStats(publisher_stats=[transport], subscriber_stats=[])

    # What the server says.

    def receive(self, event: proto_events.RoomEvent) -> None:
        if self._offline is not None:
            self._offline.append(event)
        elif self.isconnected():
            self._on_room_event(event)
            kind = event.WhichOneof("message")
            if kind == "participant_connected":
                self._listen()
            elif kind == "track_published":
                self._server.loop.call_later(NOTICED, self._subscribe, event.track_published)

    def receive_data(self, sender: Member | None, data: bytes, topic: str) -> None:
        if not self.isconnected():
            return
        participant = self.remote_participants.get(sender.info.identity) if sender else None
        kind = proto_events.DataPacketKind.KIND_RELIABLE
        self.emit("data_received", rtc.DataPacket(data=data, kind=kind, participant=participant, topic=topic))

    def subscription_changed(self, publisher: Member, sid: str, subscribed: bool) -> None:
        if subscribed and sid in publisher.publications:
            self._subscribe_to(publisher.info.identity, publisher.publications[sid])
        elif not subscribed:
            event = proto_events.RoomEvent()
            event.track_unsubscribed.participant_identity = publisher.info.identity
            event.track_unsubscribed.track_sid = sid
            self.receive(event)

    def receive_text(self, text: str, *, sender: str, topic: str) -> None:
        """A text stream (`lk.chat`), all at once."""
        handler = self._text_stream_handlers.get(topic)
        if handler is not None and self.isconnected():
            handler(cast(rtc.TextStreamReader, SimulatedTextReader(text, topic)), sender)

    def dropped(self, reason: Reason) -> None:
        if not self.isconnected():
            return
        self._state = None
        if self._publishing is not None:
            self._publishing.cancel()
        self.stays[-1] = (self.stays[-1][0], self._server.loop.time())
        self.info.disconnect_reason = reason
        for kind in ("connection_state_changed", "disconnected"):
            event = proto_events.RoomEvent()
            if kind == "connection_state_changed":
                event.connection_state_changed.state = rtc.ConnectionState.CONN_DISCONNECTED
            else:
                event.disconnected.reason = reason
            self._on_room_event(event)

    def lose_network(self) -> None:
        """The agent's network is gone: it hears and is heard no more, and tries to come back."""
        self._offline = []
        self.carries = False
        self._change_state(rtc.ConnectionState.CONN_RECONNECTING)
        self.emit("reconnecting")
        self.stays[-1] = (self.stays[-1][0], self._server.loop.time())

    def find_network(self, *, carries: bool = True) -> None:
        """The network is back: what the server had to say in the meantime comes at once. Not `carries`: in name only,
        since nothing that the agent publishes reaches the server."""
        self.carries = carries
        missed, self._offline = self._offline or [], None
        self._change_state(rtc.ConnectionState.CONN_CONNECTED)
        self.emit("reconnected")
        self.stays.append((self._server.loop.time(), None))
        for event in missed:
            self.receive(event)

    def lose_connection(self) -> None:
        self.lose_network()

    def see(self, event: proto_events.RoomEvent) -> None:
        if self.isconnected():
            self._on_room_event(event)

    def come_back(self, room: str) -> None:
        """As LiveKit's client does after a full reconnect: everybody who is there is seen to join, and whoever was, and is not
        any more, to leave."""
        if not self.isconnected():
            return
        self._state = state = self._server.join(room, self)
        self._offline, self.carries = None, True
        self._change_state(rtc.ConnectionState.CONN_CONNECTED)
        self.emit("reconnected")
        self.stays.append((self._server.loop.time(), None))
        for identity in [*self.remote_participants.keys() - state.members.keys()]:
            departure = proto_events.RoomEvent()
            departure.participant_disconnected.participant_identity = identity
            departure.participant_disconnected.disconnect_reason = rtc.DisconnectReason.UNKNOWN_REASON
            self.receive(departure)
        for other in state.others(self):
            if other.info.identity not in self.remote_participants:
                arrival = proto_events.RoomEvent()
                arrival.participant_connected.info.info.CopyFrom(other.info)
                arrival.participant_connected.info.handle.id = 0
                self.receive(arrival)
        self._find_tracks(
            [(other.info.identity, one) for other in state.others(self) for one in other.publications.values()]
        )

    def _change_state(self, state: rtc.ConnectionState.ValueType) -> None:
        self._connection_state = state
        self.emit("connection_state_changed", state)

    def published(self, info: proto_track.TrackPublicationInfo) -> None:
        """A track of the agent's own has got its sid."""
        if info.name in self._made:
            self.tracks[info.sid] = self._made[info.name]

    @property
    def simulated_participant(self) -> SimulatedLocalParticipant:
        """The agent itself, as it stands in the room."""
        return cast(SimulatedLocalParticipant, self.local_participant)

    @property
    def state(self) -> SimulatedRoomState | None:
        """The room on the server, None while the agent is not in it."""
        return self._state

    def _find_tracks(self, there: list[tuple[str, proto_track.TrackPublicationInfo]]) -> None:
        """Those that were published before this room was joined."""
        for identity, publication in there:
            event = proto_events.RoomEvent()
            event.track_published.participant_identity = identity
            event.track_published.publication.handle.id = 0
            event.track_published.publication.info.CopyFrom(publication)
            self.receive(event)

    def _subscribe(self, published: proto_events.TrackPublished) -> None:
        self._subscribe_to(published.participant_identity, published.publication.info)

    def _subscribe_to(self, identity: str, info: proto_track.TrackPublicationInfo) -> None:
        if self._state is not None and not self._state.subscribed(self.info.identity, info.sid):
            return
        event = proto_events.RoomEvent()
        event.track_subscribed.participant_identity = identity
        event.track_subscribed.track.handle.id = 0
        event.track_subscribed.track.info.CopyFrom(
            proto_track.TrackInfo(
                sid=info.sid,
                name=info.name,
                kind=info.kind,
                stream_state=rtc.StreamState.STATE_ACTIVE,
                muted=False,
                remote=True,
            )
        )
        self.receive(event)

    def _listen(self) -> None:
        """Somebody is there to hear the agent: from now on its speech is played."""
        if self.remote_participants and not self.voice.listened.is_set():
            self.voice.listened.set()


class SimulatedLocalParticipant(rtc.LocalParticipant):
    """The agent itself. What it sends goes to the simulated server."""

    def __init__(self, server: SimulatedServer, room: SimulatedRoom, owned: proto_participant.OwnedParticipant) -> None:
        super().__init__(BroadcastQueue[Any](), owned)
        self._server = server
        self._room = room
        self._info = room.info

    @property
    def _state(self) -> SimulatedRoomState:
        if self._room.state is None:
            raise RuntimeError("the simulated room is not connected")
        return self._room.state

    async def publish_track(
        self,
        track: rtc.LocalTrack,
        options: rtc.TrackPublishOptions = rtc.TrackPublishOptions(),  # noqa: B008
    ) -> rtc.LocalTrackPublication:
        publication = self.publish(track.name, options.source)
        publication._track = track  # noqa: SLF001  # what LiveKit's own publish_track does
        return publication

    def publish(self, name: str, source: rtc.TrackSource.ValueType) -> rtc.LocalTrackPublication:
        """Everybody is told of a track of this name."""
        info = microphone(self._server.new_id("TR"), name)
        info.source = source
        owned = proto_track.OwnedTrackPublication(handle={"id": 0}, info=info)  # type: ignore[arg-type]
        publication = rtc.LocalTrackPublication(owned)
        publication._first_subscription.set_result(None)  # noqa: SLF001
        self._track_publications[publication.sid] = publication
        self._room.published(info)
        self._server.publish(self._state, self._room, info)
        return publication

    async def unpublish_track(self, track_sid: str) -> None:
        self._track_publications.pop(track_sid, None)
        self._server.unpublish(self._state, self._room, track_sid)

    async def publish_data(
        self,
        payload: bytes | str,
        *,
        reliable: bool = True,
        destination_identities: list[str] = [],  # noqa: B006
        topic: str = "",
    ) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        self._server.send_data(self._state, self._room, data, topic, destination_identities)

    async def publish_dtmf(self, *, code: int, digit: str) -> None:
        self._server.press(self._state, self._room, digit, code)

    async def publish_transcription(self, transcription: rtc.Transcription) -> None:
        """Older clients only; the simulated ones read text streams."""

    def register_rpc_method(self, method_name: str, handler: Any = None) -> Any:
        def register(function: Any) -> Any:
            self._rpc_handlers[method_name] = function
            return function

        return register if handler is None else register(handler)

    def unregister_rpc_method(self, method: str) -> None:
        self._rpc_handlers.pop(method, None)

    async def answer_rpc(self, invocation: rtc.RpcInvocationData) -> str | None:
        """Somebody in the room calls one of the agent's methods."""
        return await self._invoke_rpc_handler(invocation)

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        self._server.set_attributes(self._state, self._room, attributes)

    async def set_metadata(self, metadata: str) -> None:
        self._room.info.metadata = metadata

    async def set_name(self, name: str) -> None:
        self._room.info.name = name

    async def stream_text(self, **options: Any) -> rtc.TextStreamWriter:
        writer = SimulatedTextWriter(self._server, self._room, options)
        return cast(rtc.TextStreamWriter, writer)

    async def send_text(self, text: str, **options: Any) -> TextStreamInfo:
        writer = SimulatedTextWriter(self._server, self._room, options)
        await writer.write(text)
        await writer.aclose()
        return writer.info

    async def send_bytes(self, *_: Any, **__: Any) -> Any:
        """LiveKit's own debugging of a session over the room: nobody here reads it."""


class SimulatedTextWriter:
    """A text stream from the agent; the callers get it when it is closed."""

    def __init__(self, server: SimulatedServer, room: SimulatedRoom, options: Mapping[str, Any]) -> None:
        self._server = server
        self._room = room
        self._text = ""
        self.info = _text_info(str(options.get("topic", "")), dict(options.get("attributes") or {}))
        self._to = options.get("destination_identities")

    async def write(self, text: str) -> None:
        self._text += text

    async def aclose(self, *, reason: str = "", attributes: dict[str, str] | None = None) -> None:
        state = self._room.state
        if state is not None:
            self._server.send_data(state, self._room, self._text.encode(), self.info.topic, self._to)


class SimulatedTextReader:
    """A text stream to the agent."""

    def __init__(self, text: str, topic: str) -> None:
        self._text = text
        self.info = _text_info(topic, {})

    async def read_all(self) -> str:
        return self._text

    async def __aiter__(self) -> AsyncIterator[str]:
        yield self._text


def _text_info(topic: str, attributes: dict[str, str]) -> TextStreamInfo:
    return TextStreamInfo(
        stream_id="simulated",
        mime_type="text/plain",
        topic=topic,
        timestamp=0,
        size=None,
        attributes=attributes,
        attachments=[],
    )


def _owned(info: proto_participant.ParticipantInfo) -> proto_participant.OwnedParticipant:
    return proto_participant.OwnedParticipant(handle={"id": FfiHandle(0).handle}, info=info)  # type: ignore[arg-type]
