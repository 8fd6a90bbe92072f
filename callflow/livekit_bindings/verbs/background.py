"""A sound behind the conversation, on a track of its own: `play` with `loop: true`, and the music of a hold."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from livekit import rtc
from livekit.agents.utils.audio import audio_frames_from_file

from callflow.livekit_bindings.subscriptions import MUSIC, Rule, Subscriptions, Track
from callflow.livekit_bindings.surroundings import InConversation

SAMPLE_RATE = 48_000
AHEAD = 400
"""Milliseconds of sound that wait to be sent, as in LiveKit's BackgroundAudioPlayer, which has but one name for all of
its tracks: of two at once it takes the wrong one away."""

UNPUBLISH = 2.0
"""Seconds to take the track back."""


class Given(InConversation, Protocol):
    """What a sound in the room is given."""

    @property
    def subscriptions(self) -> Subscriptions: ...


class Source(Protocol):
    """What takes a track's sound, frame by frame, as fast as it is heard: rtc.AudioSource."""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None: ...
    async def aclose(self) -> None: ...


async def loop(world: Given, file: Path, duck: float | None = None, *, to: str | None = None) -> Mapping[str, Any]:
    """Plays the file again and again; ends only by being cancelled. `duck` is the volume, 0 to 1, while the agent or the
    caller speaks. `to`: the one leg that hears it. Raises EffectError where the others cannot be kept from it."""
    if not world.has_room:
        return {"interrupted": False, "spoken": "", "heard": False, "note": "a console plays no background sound"}
    await world.started()
    name = f"{MUSIC}{secrets.token_hex(4)}"
    rule = None if to is None else world.subscriptions.add(_only_for(world, to, name))
    try:
        async with _published(world, name) as source:
            world.subscriptions.room_changed()
            await world.subscriptions.settled()
            async for frame in _again_and_again(world, file, duck):
                await source.capture_frame(frame)
    finally:
        if rule is not None:
            world.subscriptions.remove(rule)
    return {"interrupted": False, "spoken": "", "heard": True}


def _only_for(world: Given, leg: str, name: str) -> Rule:
    def rule(listener: str, track: Track) -> bool | None:
        return listener == world.line.identity_of(leg) if track.name == name else None

    return rule


@contextlib.asynccontextmanager
async def _published(world: Given, name: str) -> AsyncIterator[Source]:
    source, track = _new_track(world.ctx.room, name)
    try:
        await world.ctx.room.local_participant.publish_track(track, rtc.TrackPublishOptions())
        yield source
    finally:
        await asyncio.shield(_take_back(world.ctx.room, name, source))


def _new_track(room: Any, name: str) -> tuple[Source, rtc.LocalAudioTrack]:
    """A room that brings its own (a simulated one: nothing native runs on its clock) makes the track."""
    if hasattr(room, "new_audio_track"):
        made: tuple[Source, rtc.LocalAudioTrack] = room.new_audio_track(name, SAMPLE_RATE)
        return made
    source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=AHEAD)
    return source, rtc.LocalAudioTrack.create_audio_track(name, source)


async def _take_back(room: rtc.Room, name: str, source: Source) -> None:
    with contextlib.suppress(Exception):  # the room may be gone, and its tracks with it
        for publication in list(room.local_participant.track_publications.values()):
            if publication.name == name and room.isconnected():
                await asyncio.wait_for(room.local_participant.unpublish_track(publication.sid), UNPUBLISH)
    await source.aclose()


async def _again_and_again(world: Given, file: Path, duck: float | None) -> AsyncIterator[rtc.AudioFrame]:
    while True:
        async for frame in audio_frames_from_file(str(file), sample_rate=SAMPLE_RATE):
            speaks = "speaking" in (world.session.agent_state, world.session.user_state)
            yield frame if duck is None or not speaks else quieter(frame, duck)


def quieter(frame: rtc.AudioFrame, volume: float) -> rtc.AudioFrame:
    samples = np.frombuffer(frame.data, np.int16).astype(np.float32) * min(max(volume, 0.0), 1.0)
    return rtc.AudioFrame(
        samples.astype(np.int16).tobytes(), frame.sample_rate, frame.num_channels, frame.samples_per_channel
    )
