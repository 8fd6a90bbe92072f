"""A telephone's place in a real room: a participant of kind SIP, as a SIP bridge puts one there.

As with a real bridge its track is published while it still rings, and nothing is heard on either side before it is
active.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
from attrs import define, field, frozen
from livekit import api, rtc
from livekit.rtc.participant import PublishTrackError
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]

RATE = 48_000
FRAME = 0.01
"""Seconds of sound in a frame, in either direction."""
SIZE = round(RATE * FRAME)

KEYS = "0123456789*#ABCD"
"""RFC 4733: a key's code is its place here."""


class Ear(Protocol):
    """Who wants to know what arrives at the telephone. Times are monotonic."""

    def hear(self, at: float, samples: Samples, identity: str) -> None:
        """A frame of 48 kHz, from this participant."""

    def key(self, at: float, digit: str) -> None:
        """A key that somebody in the room has sent."""

    def removed(self, reason: int) -> None:
        """The leg is out of the room, not by its own will: a DisconnectReason."""


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
class RoomLeg:
    """Made by `join`. What it says it says only while it is `open`; what it hears, too."""

    ear: Ear
    room: rtc.Room = field(factory=rtc.Room)
    open: bool = False
    _leaving: bool = False
    _to_say: deque[Samples] = field(factory=deque)
    _source: rtc.AudioSource | None = None
    _tasks: set[asyncio.Task[None]] = field(factory=set)
    _voice: asyncio.Task[None] | None = None

    @classmethod
    async def join(cls, url: str, token: str, ear: Ear) -> RoomLeg:
        """Raises `rtc.ConnectError` where the server is away, or does not want it."""
        leg = cls(ear)
        leg._listen()
        await leg.room.connect(url, token)
        leg._source = rtc.AudioSource(RATE, 1, queue_size_ms=60)
        track = rtc.LocalAudioTrack.create_audio_track("telephone", leg._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        try:
            await leg.room.local_participant.publish_track(track, options)
        except PublishTrackError:
            if not leg.gone:  # else it was removed at once: `removed` has said so
                raise
        return leg

    @property
    def gone(self) -> bool:
        return self._leaving or not self.room.isconnected()

    @property
    def sid(self) -> str:
        return self.room.local_participant.sid

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        if not self.gone:
            await self.room.local_participant.set_attributes(dict(attributes))

    def start_sound(self) -> None:
        """From now on it sends sound: silence, where it says nothing."""
        if self._voice is None and self._source is not None:
            self._voice = self._start(self._speak(self._source))

    def stop_sound(self) -> None:
        """It sends nothing any more, as a telephone whose network is gone."""
        if self._voice is not None:
            self._voice.cancel()
            self._voice = None

    def say(self, samples: Samples) -> None:
        """To be said at 48 kHz, after what it says already."""
        for start in range(0, len(samples), SIZE):
            piece = samples[start : start + SIZE]
            self._to_say.append(np.pad(piece, (0, SIZE - len(piece))))

    async def press(self, digit: str) -> None:
        if not self.gone:
            await self.room.local_participant.publish_dtmf(code=KEYS.index(digit), digit=digit)

    async def leave(self, reason: rtc.DisconnectReason.ValueType = rtc.DisconnectReason.CLIENT_INITIATED) -> None:
        """Harmless where it is out already. Nothing is heard after it has begun."""
        self.open, self._leaving = False, True
        self.stop_sound()
        await self.room.disconnect(reason=reason)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._source is not None:
            await self._source.aclose()

    def _listen(self) -> None:
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("sip_dtmf_received", self._key)
        self.room.on("disconnected", self._disconnected)

    def _disconnected(self, reason: int) -> None:
        if not self._leaving:
            self.open = False
            self.stop_sound()
            self.ear.removed(reason)

    def _key(self, key: rtc.SipDTMF) -> None:
        if self.open:
            self.ear.key(time.monotonic(), key.digit)

    def _subscribed(self, track: rtc.Track, _: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self._start(self._hear(track, who.identity))

    async def _hear(self, track: rtc.RemoteAudioTrack, identity: str) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=round(FRAME * 1000))
        try:
            async for event in stream:
                if self.open:
                    self.ear.hear(time.monotonic(), np.frombuffer(event.frame.data, np.int16).copy(), identity)
        finally:
            await stream.aclose()

    async def _speak(self, source: rtc.AudioSource) -> None:
        silence = np.zeros(SIZE, np.int16)
        while True:
            samples = self._to_say.popleft() if self._to_say else silence
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, SIZE))

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def tone(hz: float, seconds: float) -> Samples:
    """A sine at 48 kHz."""
    t = np.arange(round(RATE * seconds)) / RATE
    return (np.sin(2 * np.pi * hz * t) * 12_000).astype(np.int16)
