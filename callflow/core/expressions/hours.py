"""Opening hours: `Mon-Fri 09:00-17:00`, asked about a moment in a time zone."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from callflow.core.expressions.problems import Failed
from callflow.core.suggest import closest

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MAX_LENGTH: Final = 300
"""Characters of a text of hours."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
_RANGE = re.compile(
    r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})|([A-Za-z]+)(?:\s*-\s*([A-Za-z]+))?", re.ASCII
)
_BETWEEN = re.compile(r"[\s,;]*")

Interval = tuple[int, int]
"""Minutes of the week, from Monday 00:00, the first included and the second not; it may pass the week's end."""


def in_hours(time: float, hours: str, zone: str) -> bool:
    """Whether a moment (seconds since the epoch) lies within the hours, on the clocks of the zone."""
    try:
        intervals = parse_hours(hours)
        local = datetime.fromtimestamp(time, time_zone(zone))
    except ValueError as error:
        raise Failed(str(error)) from None
    except (OverflowError, OSError) as error:
        raise Failed("the time is out of range") from error
    minute = local.weekday() * _DAY_MINUTES + local.hour * 60 + local.minute
    return any(start <= minute < end or minute < end - _WEEK_MINUTES for start, end in intervals)


@lru_cache(maxsize=256)
def parse_hours(text: str) -> tuple[Interval, ...]:
    """The intervals of a text such as `Mon-Fri 09:00-12:00 13:00-17:00, Sat 10:00-14:00`.

    Days, then the hours that hold on them, as often as needed; `daily` is every day; a range that ends before it begins
    passes midnight (`Fri 22:00-04:00`). Commas and semicolons are blanks. Raises ValueError with an author's sentence.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"hours are a text of at most {MAX_LENGTH} characters")
    intervals: list[Interval] = []
    days: list[int] = []
    timed = True  # whether the days on the list have been given their hours
    for match in _parts(text):
        if match[5]:
            days = _days(match) if timed else days + _days(match)
            timed = False
            continue
        if not days:
            raise ValueError(f"{match[0]} stands before any day: write Mon-Fri {match[0]}")
        start, end = _minutes(match[1], match[2]), _minutes(match[3], match[4])
        if start in (_DAY_MINUTES, end):
            raise ValueError(f"{match[0]} is no time at all; the whole day is 00:00-24:00")
        length = end - start if end > start else end + _DAY_MINUTES - start
        intervals += ((day * _DAY_MINUTES + start, day * _DAY_MINUTES + start + length) for day in days)
        timed = True
    if not timed or not intervals:
        raise ValueError("hours are days and times: write Mon-Fri 09:00-17:00")
    return tuple(sorted(set(intervals)))


def _parts(text: str) -> list[re.Match[str]]:
    parts = []
    position = _match_end(_BETWEEN, text, 0)
    while position < len(text):
        match = _RANGE.match(text, position)
        if match is None:
            rest = re.split(r"[\s,;]", text[position:], maxsplit=1)[0]
            raise ValueError(f"{rest} is neither days nor hours: write Mon-Fri 09:00-17:00")
        parts.append(match)
        position = _match_end(_BETWEEN, text, match.end())
    return parts


def _match_end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()


def _days(match: re.Match[str]) -> list[int]:
    if match[5].lower() in ("daily", "everyday") and match[6] is None:
        return list(range(7))
    first = _day(match[5])
    last = first if match[6] is None else _day(match[6])
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _day(word: str) -> int:
    lower = word.lower()
    for number, day in enumerate(_DAYS):
        if lower in (day, day[:3]):
            return number
    near = closest(lower, [*_DAYS, *(day[:3] for day in _DAYS)])
    meant = f"did you mean {near[0][:3].capitalize()}?" if near else "write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily"
    raise ValueError(f"{word} is no day: {meant}")


def _minutes(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _DAY_MINUTES:
        raise ValueError(f"{hour}:{minute} is no time of day: write 00:00 to 24:00")
    return total


@lru_cache(maxsize=256)
def time_zone(name: str) -> ZoneInfo:
    """The zone of that name in the IANA database. Raises ValueError with an author's sentence."""
    # The database is read only where a flow asks about hours.
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
    if not known:
        raise ValueError("this machine has no time zone data: install the package tzdata")
    shown = name if len(name) <= 40 and name.isprintable() else "the text"
    if "/" in name:
        near = closest(name, known)
    else:  # a city alone is known; a region is near to all that lie in it, which says nothing
        city = name.lower().replace(" ", "_")
        near = [zone for zone in sorted(known) if zone.lower().endswith(f"/{city}")]
        near += closest(name, (zone for zone in known if "/" not in zone))
    raise ValueError(
        f"{shown} is no time zone: "
        + (f"did you mean {near[0]}?" if near else "write one such as Europe/Berlin or America/New_York")
    )
