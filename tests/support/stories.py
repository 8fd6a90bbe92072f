"""A story of the proof, played: whether it shows what is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from callflow import scenario
from callflow.proof.prove import folded


def assert_shows(file: Path, told: Sequence[str]) -> None:
    """The one scenario of this file passes, and what happens in it is what is told, in the same words."""
    (one,), wrong = scenario.read(file)
    assert wrong == []
    played = scenario.play(one)
    assert played.failure is None
    shown = folded(scenario.story(one.flow, played.taken))
    assert len(told) - len(shown) in (0, 1)  # what it ends with is no moment of the call
    for line, moment in zip(told, shown, strict=False):
        begin, *end = line.split(" … ")
        assert moment.startswith(begin)
        assert moment.endswith("".join(end))
