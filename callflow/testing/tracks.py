"""An agent's further tracks without a network: a sound that is captured is played on the event loop's clock, and kept."""

from __future__ import annotations

import asyncio

import numpy as np
from attrs import define, field
from livekit import rtc

from callflow.testing.audio import Sound

AHEAD = 0.4
"""Seconds of sound that wait to be played."""


@define(eq=False)
class PlayedTrack:
    """What one track has sounded like. It takes frames as `rtc.AudioSource` does, as fast as they are heard."""

    name: str
    rate: int
    sounds: list[Sound] = field(factory=list)
    _ends: float = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        now = float(asyncio.get_running_loop().time())
        samples = np.frombuffer(bytes(frame.data), np.int16)[:: frame.num_channels]
        start = max(now, self._ends)
        self._ends = start + len(samples) / frame.sample_rate
        self.sounds.append(Sound(start, self._ends, samples, frame.sample_rate))
        if self._ends - now > AHEAD:
            await asyncio.sleep(self._ends - now - AHEAD)

    async def aclose(self) -> None:
        """What has not sounded yet never does."""
        now = float(asyncio.get_running_loop().time())
        self.sounds = [part for sound in self.sounds if (part := sound.within(0.0, now)) is not None]
