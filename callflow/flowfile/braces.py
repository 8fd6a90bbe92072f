"""Two keys on one line without braces, `after: 10m: dialing`: what YAML takes for text with a `: ` in it, and its cure."""

from __future__ import annotations

import re
from typing import Final

from callflow.core.actions import COMMON_ARGUMENTS, VERBS
from callflow.core.durations import UNITS
from callflow.flowfile import keys

OF_KEYS: Final = frozenset({
    "on", "after", "every", "silence", "vars", "limits", "states", "tools", "python", "events", "use", "session", "agent", "with",
    "returns", "retry", "set", "parameters", "headers", "data", "json", "arguments",
})  # fmt: skip
"""Keys whose value is keys again, of any name."""

_KEY = r"[\w.*-]+"
_LINE = re.compile(rf"\s*(?:- +)*({_KEY}): +({_KEY}: .*\S)\s*")
_BEFORE = re.compile(rf"({_KEY}): +({_KEY})\s*$")
_NEXT = re.compile(rf"({_KEY}): +(.*)")
_DURATION = re.compile(rf"[0-9]+({'|'.join(UNITS)})")


def cure(line: str) -> str | None:
    """What to write instead of a line with a key for a value: `after: {10m: dialing}`. None where it is a text."""
    match = _LINE.fullmatch(line)
    return _cured(match[1], match[2]) if match else None


def cure_inside(before: str, after: str) -> str | None:
    """The same between brackets: `before` ends, and `after` begins, at the second colon."""
    match = _BEFORE.search(before)
    if match is None:
        return None
    value = re.match(r":\s+([^,{}\[\]]*|\{[^{}]*\}|\[[^\[\]]*\])", after)
    return _cured(match[1], f"{match[2]}: {value[1].strip() if value else '…'}")


def _cured(key: str, rest: str) -> str | None:
    inner = _NEXT.fullmatch(rest)
    if inner is None or not _takes(key, inner[1]):
        return None
    deeper = _cured(inner[1], inner[2])
    return f"{key}: {{{deeper or f'{inner[1]}: {inner[2]}'}}}"


def _takes(key: str, inner: str) -> bool:
    """Whether the one may be a key inside of the other's value."""
    if key in OF_KEYS:
        return True
    if key in VERBS:
        return inner in VERBS[key].arguments or inner in COMMON_ARGUMENTS
    return (
        inner in keys.TRANSITION
        if "." in key or _DURATION.fullmatch(key) or key in ("done", "failed", "always")
        else False
    )
