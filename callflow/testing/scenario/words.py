"""The words of a model of which nobody has said what it says."""

from __future__ import annotations

from callflow.core.speaking import LETTER, REPLY

UNKNOWN = "(the model speaks)"
"""As the pure core tells of it."""

_ON_AND_ON = " and so on"


def words_for(seconds: float = REPLY) -> str:
    """Words that take so long, and are heard as `UNKNOWN`."""
    letters = max(round(seconds / LETTER) - 1, 1)  # a voice begins a letter later
    return (UNKNOWN + _ON_AND_ON * (letters // len(_ON_AND_ON) + 1))[:letters]


def as_told(text: str) -> str:
    return UNKNOWN if text.startswith(UNKNOWN) else text
