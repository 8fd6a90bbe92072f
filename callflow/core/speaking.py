"""How long speech takes: one table for whatever plays a call without a voice, for the voices of the simulated rooms, and for what
any voice can do."""

from __future__ import annotations

from callflow.core.durations import Span
from callflow.core.expressions.template import Template, split

LETTER = 0.05
"""Seconds of one byte of a text: about as fast as people speak."""

REPLY = 3.0
"""Seconds of a speech of which nobody knows the words: a model's, a sound's."""

FASTEST, SLOWEST = 0.025, 0.15
"""Seconds of one letter, and of one byte, of any voice. LiveKit reckons with 3.83 syllables a second (STANDARD_SPEECH_RATE), of
about four letters each."""

BEGINS = 5.0
"""Seconds until a voice begins, at most: a model has to be asked for it, and the last of another speech is on its way."""

SAID_WITHIN = 20.0
"""Seconds that a verb waits for what is being said before it takes somebody away from it, or speaks to one of them alone."""


def seconds(text: str) -> float:
    """How long `text` sounds."""
    return len(text.encode(errors="surrogatepass")) * LETTER


def spoken(text: str, within: float) -> str:
    """As much of `text` as is said in so many seconds: whole letters."""
    return text.encode(errors="surrogatepass")[: int(within / LETTER + 1e-6)].decode(errors="ignore")


def to_say(text: str | Template) -> Span:
    """How long any voice says it, to its last letter. Of a text with expressions what stands beside them is known."""
    if isinstance(text, Template) and not text.constant:
        return Span(_letters("".join(part for part in split(text.source, []) if isinstance(part, str))) * FASTEST)
    known = str(text.value) if isinstance(text, Template) else text
    return Span(_letters(known) * FASTEST, BEGINS + len(known.encode(errors="surrogatepass")) * SLOWEST)


def _letters(text: str) -> int:
    """Those that are spoken: LiveKit leaves signs of Markdown and emoji out."""
    return sum(map(str.isalnum, text))
