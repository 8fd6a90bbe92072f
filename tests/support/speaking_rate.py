"""LiveKit's estimate of how fast an agent speaks: the same number, in a fifth of its time, which is a quarter of a simulated call's.

LiveKit transforms each second of speech piece by piece, ten times a second; here all pieces are transformed at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from livekit.agents.voice.transcription._speaking_rate import SpeakingRateStream

PIECE = 0.025
"""Seconds: what is transformed at once; each piece begins in the middle of the one before."""


livekits = SpeakingRateStream._spectral_flux


def spectral_flux(_: SpeakingRateStream, audio: np.ndarray[Any, np.dtype[np.float32]], sample_rate: int) -> float:
    """The mean change from one piece's spectrum to the next one's; 0 where there is none."""
    size = int(sample_rate * PIECE)
    if len(audio) < size:
        return 0.0
    window = np.hanning(size)
    pieces = np.lib.stride_tricks.sliding_window_view(audio, size)[:: size // 2]
    spectra = np.abs(np.fft.rfft(pieces * window)) / np.sqrt(np.sum(window**2))
    changes = np.abs(np.diff(spectra, axis=0)).sum(axis=1)
    return float(changes.mean()) if len(changes) else 0.0


def install() -> None:
    """For all calls of this process."""
    SpeakingRateStream._spectral_flux = spectral_flux  # type: ignore[method-assign]
