"""Telephones in the rooms of a real server: participants of kind SIP, as a SIP bridge puts them there.

As with a real bridge its track is published while it still rings, and nothing is heard on either side before it is
active.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeAlias, TypeVar, cast

import numpy as np
from attrs import define, field, frozen
from livekit import api, rtc
from livekit.rtc.participant import PublishTrackError
from numpy.typing import NDArray

from callflow.core.speaking import seconds
from callflow.telephony.bridge import BridgeLeg, Entry
from callflow.telephony.network import KEYS, Say, Tone
from callflow.telephony.refusals import CLIENT_INITIATED

Samples: TypeAlias = NDArray[np.int16]
T = TypeVar("T")

RATE = 48_000
FRAME = 0.02
"""Seconds of sound in a frame, in either direction: as in a packet of RTP."""
SIZE = round(RATE * FRAME)


VANISHED = 20.7
"""Seconds until the room sees that a telephone's SIP node is gone: CONNECTION_TIMEOUT."""
LATE = 5
"""Frames of a voice that may wait to be heard: what is older is dropped, so that a delay does not grow."""
LOUD = 400.0
APART = 0.3  # seconds of quiet between what is said and what is said next
"""The root mean square of a frame that is not silence."""


class Ear(Protocol):
    """Who wants to know what arrives at a telephone that is on the line. Times are monotonic."""

    def hear(self, at: float, samples: Samples, identity: str) -> None:
        """A frame of 48 kHz, from this participant."""


@frozen
class Place:
    """A LiveKit server, and the key with which participants are put into its rooms."""

    url: str  # ws:// or wss://
    key: str
    secret: str = field(repr=False)

    def token(
        self,
        room: str,
        identity: str,
        *,
        kind: api.AccessToken.ParticipantKind = "sip",
        name: str = "",
        metadata: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
        token = api.AccessToken(self.key, self.secret).with_identity(identity).with_kind(kind).with_grants(grants)
        return token.with_name(name).with_metadata(metadata).with_attributes(dict(attributes or {})).to_jwt()


@define(eq=False)
class RealRooms:
    """The rooms of a server, as a bridge uses them (`callflow.telephony.bridge.Rooms`). `ear_of` finds the ear of a leg."""

    place: Place
    ear_of: Callable[[BridgeLeg], Ear | None] = lambda leg: None
    _joined: list[RoomLeg] = field(factory=list)

    async def join(self, entry: Entry, leg: BridgeLeg) -> RoomLeg:
        """Raises `rtc.ConnectError` where the server is away, or does not want it."""
        token = self.place.token(
            entry.room, entry.identity, name=entry.name, metadata=entry.metadata, attributes=entry.attributes
        )
        joined = await RoomLeg.join(self.place.url, token, leg, self.ear_of(leg))
        self._joined.append(joined)
        return joined

    async def leave(self) -> None:
        """Every telephone is out of its room."""
        await asyncio.gather(*(joined.leave(CLIENT_INITIATED) for joined in self._joined))

    def has(self, room: str, identity: str) -> bool:
        """The server is asked before a bridge is: see `callflow.telephony.stand_in.service`."""
        return True


@define(eq=False)
class RoomLeg:
    """A telephone's participant (`callflow.telephony.bridge.Presence`). Made by `join`, which publishes its track."""

    leg: BridgeLeg
    ear: Ear | None = None
    room: rtc.Room = field(factory=rtc.Room)
    _open: bool = False
    _leaving: bool = False
    _out: asyncio.Event = field(factory=asyncio.Event)  # of the room, not by its own will
    _to_say: deque[Samples] = field(factory=deque)
    _said: asyncio.Event = field(factory=asyncio.Event)
    _loud: asyncio.Event = field(factory=asyncio.Event)
    _loud_at: float = -math.inf  # when something was heard last,
    _spoke_since: float = -math.inf  # and when that began
    _attends: float = -math.inf  # what began before this has been heard, or spoken over
    _source: rtc.AudioSource | None = None
    _voice: asyncio.Task[None] | None = None
    _heard: dict[str, asyncio.Task[None]] = field(factory=dict)  # by track
    _tasks: set[asyncio.Task[Any]] = field(factory=set)

    @classmethod
    async def join(cls, url: str, token: str, leg: BridgeLeg, ear: Ear | None = None) -> RoomLeg:
        """Raises `rtc.ConnectError` where the server is away, or does not want it."""
        joined = cls(leg, ear)
        joined._listen()
        await joined.room.connect(url, token)
        if any(who.track_publications for who in joined.room.remote_participants.values()):
            leg.heard_a_track()
        joined._source = rtc.AudioSource(RATE, 1, queue_size_ms=60)
        track = rtc.LocalAudioTrack.create_audio_track("telephone", joined._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await joined._while_in(joined._publish(track, options))
        return joined

    @property
    def gone(self) -> bool:
        return self._leaving or not self.room.isconnected()

    @property
    def sid(self) -> str:
        return self.room.local_participant.sid

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        await self._while_in(self.room.local_participant.set_attributes(dict(attributes)))

    async def open(self) -> None:
        """It hears the room, and sends sound: silence, where it says nothing."""
        self._open = True
        if self._voice is None and self._source is not None and self.leg.far.rtp:
            self._voice = self._start(self._speak(self._source))

    async def sound(self, what: Say | Tone) -> None:
        self._attends = time.monotonic()
        samples = tone(300.0, seconds(what.text)) if isinstance(what, Say) else tone(what.hz, what.seconds)
        self.play(samples)
        while self._to_say:
            self._said.clear()
            await self._said.wait()

    def play(self, samples: Samples) -> None:
        """To be heard after what it says already; 48 kHz."""
        for start in range(0, len(samples), SIZE):
            piece = samples[start : start + SIZE]
            self._to_say.append(np.pad(piece, (0, SIZE - len(piece))))

    def pass_on(self, frame: Samples) -> None:
        """A frame of somebody's voice, to be heard at once: where that is not possible, older ones are dropped."""
        if self._open:
            while len(self._to_say) >= LATE:
                self._to_say.popleft()
            self._to_say.append(frame)

    async def hear(self, quiet: float) -> None:
        while self._spoke_since <= self._attends:  # an answer may have begun before anybody listens for it
            self._loud.clear()
            await self._loud.wait()
        with suppress(TimeoutError):
            while True:
                self._loud.clear()
                await asyncio.wait_for(self._loud.wait(), max(self._loud_at + quiet - time.monotonic(), 0))
        self._attends = time.monotonic()

    async def press(self, digit: str) -> None:
        self._attends = time.monotonic()
        await self._while_in(self.room.local_participant.publish_dtmf(code=KEYS.index(digit), digit=digit))

    async def silence(self) -> None:
        self._open = False
        if self._voice is not None:
            self._voice.cancel()
            self._voice = None

    async def leave(self, reason: int) -> None:
        if self._leaving:
            return
        self._open, self._leaving = False, True
        await self.room.disconnect(reason=cast(Any, reason))
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._source is not None:
            await self._source.aclose()

    async def vanish(self) -> None:
        """As a room sees a SIP node that is gone: silence, and later CONNECTION_TIMEOUT."""
        await self.silence()
        await asyncio.sleep(VANISHED)
        await self.leave(rtc.DisconnectReason.CONNECTION_TIMEOUT)

    async def _while_in(self, asking: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or the telephone is out of the room: LiveKit may never answer what is asked at that moment."""
        if self.gone:
            asking.close()
            return
        asked, out = self._start(asking), self._start(self._out.wait())
        try:
            await asyncio.wait({asked, out}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            out.cancel()
            asked.cancel()
        [failure] = await asyncio.gather(asked, return_exceptions=True)
        if isinstance(failure, Exception) and not self.gone:
            raise failure

    async def _publish(self, track: rtc.LocalAudioTrack, options: rtc.TrackPublishOptions) -> None:
        try:
            await self.room.local_participant.publish_track(track, options)
        except PublishTrackError:
            if not self.gone:
                raise

    def _listen(self) -> None:
        self.room.on("track_published", lambda *_: self.leg.heard_a_track())
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("track_unsubscribed", self._unsubscribed)
        self.room.on("sip_dtmf_received", lambda key: self.leg.key(key.code))
        self.room.on("disconnected", self._disconnected)

    def _disconnected(self, reason: int) -> None:
        if not self._leaving:
            self._open = False
            if self._voice is not None:
                self._voice.cancel()
            self._out.set()
            self.leg.removed(reason)

    def _subscribed(self, track: rtc.Track, _: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self._heard[track.sid] = self._start(self._hear(track, who.identity))

    def _unsubscribed(self, track: rtc.Track, *_: Any) -> None:
        """A track that comes back later is heard anew: twice at once would be twice as long."""
        if (hearing := self._heard.pop(track.sid, None)) is not None:
            hearing.cancel()

    async def _hear(self, track: rtc.RemoteAudioTrack, identity: str) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=round(FRAME * 1000))
        try:
            async for event in stream:
                if not self._open:
                    continue
                samples = np.frombuffer(event.frame.data, np.int16).copy()
                if np.sqrt(np.mean(samples.astype(np.float64) ** 2)) > LOUD:
                    now = time.monotonic()
                    if now - self._loud_at > APART:
                        self._spoke_since = now
                    self._loud_at = now
                    self._loud.set()
                if self.ear is not None:
                    self.ear.hear(time.monotonic(), samples, identity)
        finally:
            await stream.aclose()

    async def _speak(self, source: rtc.AudioSource) -> None:
        silence = np.zeros(SIZE, np.int16)
        while True:
            samples = self._to_say.popleft() if self._to_say else silence
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, SIZE))
            if not self._to_say:
                self._said.set()

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def tone(hz: float, seconds: float) -> Samples:
    """A sine at 48 kHz."""
    t = np.arange(round(RATE * seconds)) / RATE
    return (np.sin(2 * np.pi * hz * t) * 12_000).astype(np.int16)
