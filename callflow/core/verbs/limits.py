"""Time limits that are the sum of their parts, in seconds, from the arguments of an action as the loader has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.expressions import Template

MOST_KEYS = 32
"""Keys that one input may have."""

RING_GRACE = 5.0
TRANSFER_GRACE = 28.0
"""What is being said ends first, LiveKit's answer may come a little late, and the leg leaves a little after it."""

LONGEST_RING = 120.0
KEY_SENT = 0.6
PROMPT = 60.0


def ring(arguments: Mapping[str, Any]) -> float:
    """Until somebody has answered, and the keys that follow were sent."""
    seconds, keys = arguments["ringing_timeout"], arguments["dtmf"]
    if isinstance(keys, Template) and keys.constant:
        keys = keys.value
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
