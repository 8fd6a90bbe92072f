"""Somebody who calls: a real participant that speaks, listens, and remembers what happened and when."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import Factory, define, field, frozen
from livekit import rtc

from callflow.testing.models import Samples
from tests.e2e.sound import FRAME, RATE, Hearing

SAMPLES = round(RATE * FRAME)


@frozen
class Seen:
    """An event of the room: `at` on the monotonic clock, whom it is about, why."""

    at: float
    name: str
    identity: str = ""
    reason: str = ""


@define(eq=False)
class Caller:
    """Made by `Caller.join`. `heard` has one `Hearing` for each participant that could be heard, by identity."""

    identity: str
    room: rtc.Room = Factory(rtc.Room)
    seen: list[Seen] = field(factory=list)
    heard: dict[str, Hearing] = field(factory=dict)
    texts: list[tuple[str, str]] = field(factory=list)  # (identity, what it sent on lk.transcription)
    _to_say: deque[tuple[Samples, asyncio.Future[None] | None]] = field(factory=deque, repr=False)
    _tasks: list[asyncio.Task[None]] = field(factory=list, repr=False)
    _source: rtc.AudioSource = field(init=False, repr=False)

    @classmethod
    async def join(cls, url: str, token: str, identity: str, *, microphone: bool = True) -> Caller:
        """Connects and publishes a microphone, which is silent until `say`."""
        caller = cls(identity)
        caller._listen()
        await caller.room.connect(url, token)
        caller._note("connected")
        if microphone:
            await caller._open_microphone()
        return caller

    async def say(self, samples: Samples) -> None:
        """Speak (48 kHz), and return when the last of it has left the microphone."""
        spoken = asyncio.get_running_loop().create_future()
        pieces = [samples[start : start + SAMPLES] for start in range(0, len(samples), SAMPLES)]
        for piece in pieces[:-1]:
            self._to_say.append((piece, None))
        self._to_say.append((pieces[-1], spoken))
        await spoken

    async def write(self, text: str) -> None:
        """A line of chat, which an agent takes for a turn of the user."""
        await self.room.local_participant.send_text(text, topic="lk.chat")

    async def leave(self) -> None:
        """Hang up. Harmless where the line is down already."""
        await self.room.disconnect()  # returns at once where the line is down, with events still on their way
        if (events := self.room._task) is not None:
            await asyncio.wait({events}, timeout=5)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if (source := getattr(self, "_source", None)) is not None:
            await source.aclose()

    def voice_of(self, identity: str) -> Hearing:
        return self.heard.setdefault(identity, Hearing())

    def agent_voice(self) -> Hearing:
        """The voice of the one agent that was ever heard. Raises AssertionError where there was not just one."""
        agents = [identity for identity in self.heard if identity.startswith("agent-")]
        assert len(agents) == 1, f"heard {list(self.heard)}"
        return self.heard[agents[0]]

    def events(self, name: str, identity: str | None = None) -> list[Seen]:
        return [seen for seen in self.seen if seen.name == name and identity in (None, seen.identity)]

    async def wait_for(self, name: str, *, within: float, identity: str | None = None) -> Seen:
        """The first event of this name (of this participant). Raises AssertionError that tells what was seen instead."""
        await self._until(lambda: self.events(name, identity), within, f"{name} {identity or ''}")
        return self.events(name, identity)[0]

    async def wait_for_sounds(self, number: int = 1, *, within: float, ended: bool = True) -> Hearing:
        """Until the agent has been heard that many times; with `ended`, until each of them is over."""

        def enough() -> bool:
            if not any(identity.startswith("agent-") for identity in self.heard):
                return False
            sounds = self.agent_voice().sounds()
            return len(sounds) >= number and (not ended or time.monotonic() - sounds[number - 1].ended > 0.4)

        await self._until(enough, within, f"{number} sounds of the agent")
        return self.agent_voice()

    async def wait_for_text(self, part: str, *, within: float) -> None:
        """Until somebody has sent a text with these words in it."""
        await self._until(lambda: any(part in text for _, text in self.texts), within, f"the text {part!r}")

    async def dropped(self, *, within: float) -> Seen:
        """The end of the line, with LiveKit's reason."""
        return await self.wait_for("disconnected", within=within)

    async def _until(self, holds: Callable[[], object], within: float, what: str) -> None:
        until = time.monotonic() + within
        while not holds():
            if time.monotonic() > until:
                raise AssertionError(
                    f"{self.identity} waited {within} s for {what}; seen: {self.seen}; heard: {self._heard_so_far()}"
                )
            await asyncio.sleep(0.02)

    def _heard_so_far(self) -> dict[str, Any]:
        return {identity: hearing.sounds() for identity, hearing in self.heard.items()}

    def _note(self, name: str, identity: str = "", reason: int | None = None) -> None:
        why = "" if reason is None else rtc.DisconnectReason.Name(reason)  # type: ignore[arg-type]
        self.seen.append(Seen(time.monotonic(), name, identity, why))

    def _listen(self) -> None:
        room = self.room
        room.on("disconnected", lambda reason: self._note("disconnected", self.identity, reason))
        room.on("participant_connected", lambda p: self._note("participant_connected", p.identity))
        room.on(
            "participant_disconnected",
            lambda p: self._note("participant_disconnected", p.identity, p.disconnect_reason),
        )
        room.on("reconnecting", lambda: self._note("reconnecting"))
        room.on("reconnected", lambda: self._note("reconnected"))
        room.on(
            "data_received",
            lambda packet: self._note("data_received", packet.participant.identity if packet.participant else ""),
        )
        room.on("track_subscribed", self._subscribed)
        room.register_text_stream_handler("lk.transcription", self._text)

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        self._note("track_subscribed", who.identity)
        if isinstance(track, rtc.RemoteAudioTrack):
            self._start(self._hear(track, self.voice_of(who.identity)))

    def _text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            self.texts.append((identity, await reader.read_all()))

        self._start(read())

    def _start(self, coroutine: Any) -> None:
        self._tasks.append(asyncio.create_task(coroutine))

    async def _hear(self, track: rtc.RemoteAudioTrack, hearing: Hearing) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=round(FRAME * 1000))
        try:
            async for event in stream:
                hearing.hear(time.monotonic(), np.frombuffer(event.frame.data, np.int16).copy())
        finally:
            await stream.aclose()

    async def _open_microphone(self) -> None:
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=60)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self._start(self._speak())

    async def _speak(self) -> None:
        silence = np.zeros(SAMPLES, np.int16)
        while True:
            samples, spoken = self._to_say.popleft() if self._to_say else (silence, None)
            frame = np.concatenate([samples, silence[len(samples) :]])
            await self._source.capture_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, SAMPLES))
            if spoken is not None and not spoken.done():
                spoken.set_result(None)
