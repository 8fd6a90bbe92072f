"""What somebody heard, as facts that a test can assert: when it began, how long it was, at which pitch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import define, field, frozen

from callflow.testing.models import Samples, pitch

RATE = 48_000
FRAME = 0.01  # seconds
LOUD = 400.0  # root mean square of a frame that is not silence; a tone of ToneTTS has 8,500


@frozen
class Sound:
    """Something between two silences: when it was heard (monotonic), how much sound it had, its strongest pitch.

    On a busy machine frames come late, so that `seconds` may be less than `ended - began`; and WebRTC fills a gap in
    what it receives by stretching what it has, so that a sound may be longer than what was said, never shorter.
    """

    began: float
    ended: float
    seconds: float
    hz: float


@define
class Hearing:
    """One voice, frame by frame, each with the time at which it was heard."""

    frames: list[tuple[float, Samples]] = field(factory=list, repr=False)
    last: float | None = None
    """When the last loud frame was heard; None where all was silence."""

    def hear(self, at: float, samples: Samples) -> None:
        self.frames.append((at, samples))
        if _is_loud(samples):
            self.last = at

    def sounds(self, *, pause: float = 0.3) -> list[Sound]:
        """The sounds so far; silence shorter than `pause` seconds, such as a busy machine makes, belongs to a sound."""
        return [
            Sound(first - FRAME, last, FRAME * len(samples), pitch(np.concatenate(samples), RATE))
            for first, last, samples in self._groups(pause)
        ]

    def seconds_at(self, hz: float, *, within: float = 60) -> float:
        """How much was heard at this pitch, silences not counted."""
        total = 0.0
        for _, _, samples in self._groups(pause=0.02):
            whole = np.concatenate(samples)
            step = int(2 * FRAME * RATE)
            for start in range(0, len(whole), step):
                window = whole[start : start + step]
                if abs(pitch(window, RATE) - hz) <= within:
                    total += len(window) / RATE
        return total

    def seconds_since(self, at: float) -> float:
        """How much sound was heard from then on."""
        return sum(sound.seconds for sound in self.sounds() if sound.began > at)

    def last_sound_at(self) -> float:
        """When the last loud frame was heard. Raises IndexError where all was silence."""
        return self.sounds()[-1].ended

    def _groups(self, pause: float) -> Iterator[tuple[float, float, list[Samples]]]:
        group: list[tuple[float, Samples]] = []
        for at, samples in list(self.frames):
            if not _is_loud(samples):
                continue
            if group and at - group[-1][0] > pause + FRAME:
                yield group[0][0], group[-1][0], [s for _, s in group]
                group = []
            group.append((at, samples))
        if group:
            yield group[0][0], group[-1][0], [s for _, s in group]


def _is_loud(samples: Samples) -> bool:
    return bool(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) >= LOUD)
