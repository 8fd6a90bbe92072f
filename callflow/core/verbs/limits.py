"""How long verbs may take, and how long they do, in seconds, from the arguments of an action as the loader has them, or resolved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from callflow.core.durations import Span
from callflow.core.expressions import Template
from callflow.core.speaking import to_say

MOST_KEYS = 32
"""Keys that one input may have."""

STOPS = 1.0
"""Seconds that a try may take to stop once its time is up; then the effect goes on without it."""

DETECTS_BEFORE = 0.1
"""Seconds by which a look at who has answered gives up before its time limit, so that its result says why."""

RING_GRACE = 5.0
TRANSFER_GRACE = 28.0
"""What is being said ends first, LiveKit's answer may come a little late, and the leg leaves a little after it."""

LONGEST_RING = 120.0
KEY_SENT = 0.6
PROMPT = 60.0

ON_THE_WIRE = 0.54
"""Seconds that a bridge takes for each key that is sent."""

PAUSE = 0.5
"""Seconds of a `w` among them."""


def ring(arguments: Mapping[str, Any]) -> float:
    """Until somebody has answered, and the keys that follow were sent."""
    seconds, keys = arguments["ringing_timeout"], _known(arguments["dtmf"])
    sent = 0 if keys is None else len(keys) if isinstance(keys, str) else MOST_KEYS
    return (seconds if isinstance(seconds, (int, float)) else LONGEST_RING) + RING_GRACE + KEY_SENT * sent


def transfer(arguments: Mapping[str, Any]) -> float:
    """Until the other telephone has answered, and the leg has left."""
    seconds = arguments["ringing_timeout"]
    return (seconds if isinstance(seconds, (int, float)) else LONGEST_RING) + TRANSFER_GRACE


def digits(arguments: Mapping[str, Any]) -> float:
    """All tries, each with its prompt and all its keys."""

    def seconds(name: str) -> float:
        value = arguments[name]
        return value if isinstance(value, (int, float)) else 10.0

    most = next((n for n in (arguments["count"], arguments["max"]) if isinstance(n, int)), MOST_KEYS)
    tries = arguments["tries"] if isinstance(arguments["tries"], int) else 3
    prompt = PROMPT if arguments["prompt"] else 0.0
    return max(tries, 1) * (prompt + seconds("first_digit") + most * seconds("between_digits"))


def any_time(_: Mapping[str, Any]) -> Span:
    """Nothing is known."""
    return Span()


def at_once(_: Mapping[str, Any]) -> Span:
    """Nobody waits for anything."""
    return Span(0.0, 0.0)


def never(_: Mapping[str, Any]) -> Span:
    """It does not end by itself."""
    return Span(math.inf)


def said(arguments: Mapping[str, Any]) -> Span:
    """A text, said to its end to somebody who is there."""
    return to_say(arguments["text"])


def played(arguments: Mapping[str, Any]) -> Span:
    """A sound, whose length nobody knows, or music without end."""
    return never(arguments) if arguments.get("loop") else Span()


def briefed(arguments: Mapping[str, Any]) -> Span:
    """Until a human has accepted: who says so may do so at once, and who is only to listen has heard all of it."""
    briefing = arguments.get("briefing")
    return Span() if briefing is None or arguments.get("accept") else Span(to_say(briefing).least)


def no_key(arguments: Mapping[str, Any]) -> Span:
    """Until no first key has come."""
    seconds = _known(arguments["first_digit"])
    return Span(seconds) if isinstance(seconds, (int, float)) else Span()


def keys(arguments: Mapping[str, Any]) -> Span:
    """Until they are on the wire; what was being said ends first."""
    digits = _known(arguments["digits"])
    return Span(on_the_wire(digits)) if isinstance(digits, str) else Span()


def on_the_wire(digits: str) -> float:
    """How long keys are sent."""
    return sum({"w": PAUSE, " ": 0.0}.get(key, ON_THE_WIRE) for key in digits.lower())


def _known(value: Any) -> Any:
    """What a text without expressions is; anything else as it stands."""
    return value.value if isinstance(value, Template) and value.constant else value
