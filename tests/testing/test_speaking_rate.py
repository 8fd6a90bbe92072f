"""The tests' own estimate of how fast an agent speaks is LiveKit's."""

from __future__ import annotations

import numpy as np
import pytest
from livekit.agents.voice.transcription._speaking_rate import SpeakingRateDetector

from callflow.testing.models import tone
from callflow.testing.spelling import spell
from tests.support.speaking_rate import livekits, spectral_flux

RATE = 24_000


@pytest.mark.parametrize(
    "sound",
    [
        spell("Good day, this is your dentist.", RATE)[:RATE],
        tone(440, 1.0),
        np.random.default_rng(1).integers(-9000, 9000, RATE + 1),
        *(np.arange(samples) % 500 for samples in (600, 899, 900, 901, 12_001)),
    ],
    ids=len,
)
async def test_it_is_the_same_number(sound):
    stream = SpeakingRateDetector().stream()
    audio = (np.asarray(sound) / 32_767).astype(np.float32)
    try:
        assert spectral_flux(stream, audio, RATE) == pytest.approx(livekits(stream, audio, RATE), rel=1e-12)
    finally:
        await stream.aclose()
