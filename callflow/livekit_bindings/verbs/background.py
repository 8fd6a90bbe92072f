"""`play` with `loop: true`: a sound behind the conversation, until its state is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from livekit import rtc
from livekit.agents import BackgroundAudioPlayer
from livekit.agents.utils.audio import audio_frames_from_file

if TYPE_CHECKING:
    from callflow.livekit_bindings.world import LiveKitWorld

SAMPLE_RATE = 48_000
"""Of BackgroundAudioPlayer's track."""


async def loop(world: LiveKitWorld, file: Path, duck: float | None) -> Mapping[str, Any]:
    """Plays the file again and again on a track of its own; ends only by being cancelled. `duck` is the volume, 0 to
    1, while the agent or the caller speaks."""
    if not world.has_room:
        return {"interrupted": False, "spoken": "", "heard": False, "note": "a console plays no background sound"}
    await world.started()
    player = BackgroundAudioPlayer()
    await player.start(room=world.ctx.room)
    try:
        await player.play(_again_and_again(world, file, duck)).wait_for_playout()
    finally:
        await asyncio.shield(player.aclose())
    return {"interrupted": False, "spoken": "", "heard": True}


async def _again_and_again(world: LiveKitWorld, file: Path, duck: float | None) -> AsyncIterator[rtc.AudioFrame]:
    while True:
        async for frame in audio_frames_from_file(str(file), sample_rate=SAMPLE_RATE):
            speaks = "speaking" in (world.session.agent_state, world.session.user_state)
            yield frame if duck is None or not speaks else quieter(frame, duck)


def quieter(frame: rtc.AudioFrame, volume: float) -> rtc.AudioFrame:
    samples = np.frombuffer(frame.data, np.int16).astype(np.float32) * min(max(volume, 0.0), 1.0)
    return rtc.AudioFrame(
        samples.astype(np.int16).tobytes(), frame.sample_rate, frame.num_channels, frame.samples_per_channel
    )
