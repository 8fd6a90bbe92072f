"""Durations as an author writes them: `850ms`, `12s`, `10m`, `1h`. At run time they are float seconds."""

from __future__ import annotations

import math
import re
from math import ceil
from typing import NamedTuple

LONGEST = 30 * 24 * 3600.0
"""Seconds: 30 days, the longest duration that can be written."""

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_WRITTEN = re.compile(r"([0-9]{1,100})(ms|s|m|h)", re.ASCII)
# What else people write is matched for a hint alone, and compiled when there is one to give.
_PART = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-zA-Zµ]+)\s*"
_CLOCK = r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{2})"
_ISO = r"P(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?"
_SIGN = "\\s*([-+\N{MINUS SIGN}\N{EN DASH}])\\s*(?=[0-9.])"
_TOO_LONG = "a duration is at most 30 days (720h)"
_OTHER_UNITS = {
    "msec": 0.001, "millis": 0.001, "millisecond": 0.001, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0,
    "hr": 3600.0, "hour": 3600.0, "d": 86400.0, "day": 86400.0, "w": 604800.0, "week": 604800.0,
}  # fmt: skip


class Span(NamedTuple):
    """How long something takes, in seconds: at least and at most."""

    least: float = 0.0
    most: float = math.inf


def parse_duration(value: object) -> float:
    """Seconds, from a whole number and its unit.

    Raises ValueError, with a sentence that says what to write, for anything else: a bare number, a sign, a fraction, two
    units, or more than 30 days.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(_without_unit(value))  # noqa: TRY004 - authors meet one kind of error
    if not isinstance(value, str):
        raise ValueError("a duration is a whole number with its unit: write 12s")  # noqa: TRY004
    match = _WRITTEN.fullmatch(value)
    if match is None:
        raise ValueError(_what_to_write(value))
    seconds = _exact(int(match[1]), match[2])
    if seconds > LONGEST:
        raise ValueError(_TOO_LONG)
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest written form, to the millisecond: `90s`, `1m`, `850ms`; `parse_duration` takes it back."""
    milliseconds = round(seconds * 1000)
    sign = "-" if milliseconds < 0 else ""
    milliseconds = abs(milliseconds)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0 and (milliseconds or unit == "s"):
            return f"{sign}{milliseconds // size}{unit}"
    return f"{sign}{milliseconds}ms"


def told_duration(seconds: float) -> str:
    """A length of time, in whole seconds that it does not exceed: 54s, 10m 42s, 1h."""
    whole = ceil(seconds)
    parts = (whole // 3600, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _exact(count: int, unit: str) -> float:
    # 850 * 0.001 is not quite 0.85; a division is.
    return count / 1000 if unit == "ms" else count * UNITS[unit]


def _without_unit(number: float) -> str:
    if number < 0:
        return f"a duration is never negative: write {_seconds_written(-number)}"
    if LONGEST < number <= 1000 * LONGEST:  # who writes 3600000 thinks in milliseconds
        return f"a duration needs its unit: write {format_duration(number / 1000)}"
    if 1000 * LONGEST < number < math.inf:
        return _TOO_LONG
    return f"a duration needs its unit: write {_seconds_written(number)}"


def _seconds_written(number: float) -> str:
    # The comparison also keeps out nan and infinity.
    return format_duration(number) if 0 < number <= LONGEST else "12s"


def _what_to_write(text: str) -> str:
    sign = re.match(_SIGN, text)
    if sign is not None:
        seconds = _meant(text[sign.end() :])
        hint = format_duration(seconds) if seconds is not None and 0 < seconds <= LONGEST else "12s"
        what = "has no sign" if sign[1] == "+" else "is never negative"
        return f"a duration {what}: write {hint}"
    if re.fullmatch(r"\s*[0-9]{1,100}(\.[0-9]{1,3})?\s*", text):
        return _without_unit(float(text))
    seconds = _meant(text)
    if seconds is not None and seconds > LONGEST:
        return _TOO_LONG
    if seconds is not None and seconds > 0:
        return f"a duration is a whole number with one unit: write {format_duration(seconds)}"
    return "a duration is a whole number with its unit, ms, s, m or h: write 12s"


def _meant(text: str) -> float | None:
    """Seconds, of what is no duration here and yet clear: `1m30s`, `1.5h`, `12 sec`, `2 days`, `1:30`, `PT30S`."""
    position, total = 0, 0.0
    text = text.strip()
    if clock := re.fullmatch(_CLOCK, text, re.ASCII):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return hours * 3600.0 + minutes * 60.0 + seconds
    if (iso := re.fullmatch(_ISO, text, re.ASCII)) and any(iso.groups()):
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return days * 86400.0 + hours * 3600.0 + minutes * 60.0 + seconds
    part = re.compile(_PART, re.ASCII)
    while position < len(text):
        match = part.match(text, position)
        if match is None:
            return None
        unit = match[2].lower()
        size = UNITS.get(unit) or _OTHER_UNITS.get(unit) or _OTHER_UNITS.get(unit.removesuffix("s"))
        if size is None or len(text) > 40:
            return None
        total += float(match[1]) * size
        position = match.end()
    return total if text else None
