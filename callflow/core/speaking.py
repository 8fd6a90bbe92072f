"""How long speech takes: one table for whatever plays a call without a voice, and for the voices of the simulated rooms."""

from __future__ import annotations

LETTER = 0.05
"""Seconds of one byte of a text: about as fast as people speak."""

REPLY = 3.0
"""Seconds of a speech of which nobody knows the words: a model's, a sound's."""


def seconds(text: str) -> float:
    """How long `text` sounds."""
    return len(text.encode(errors="surrogatepass")) * LETTER


def spoken(text: str, within: float) -> str:
    """As much of `text` as is said in so many seconds: whole letters."""
    return text.encode(errors="surrogatepass")[: int(within / LETTER + 1e-6)].decode(errors="ignore")
