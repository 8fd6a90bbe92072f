"""Agents that play sounds: the scenarios of `tests/e2e/test_sounds.py`. The sounds are made anew, beside their flow."""

from __future__ import annotations

import shutil
import tempfile
import wave
from pathlib import Path

from callflow.testing.models import tone
from tests.e2e.agent import Job
from tests.e2e.scenarios.calls import FLOWS, run_call

RATE = 48_000
CHIME, MUSIC = 880, 1200  # hertz


def _write(path: Path, hz: float, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(tone(hz, seconds, rate=RATE).tobytes())


async def music(job: Job) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(FLOWS / "music.yaml", place)
        _write(place / "chime.wav", CHIME, 0.5)
        _write(place / "music.wav", MUSIC, 0.7)
        await run_call(job, str(place / "music.yaml"), [])
