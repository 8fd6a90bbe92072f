"""When a call begins: a date, a time of day, and whose clocks show it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from callflow.core.expressions.hours import time_zone
from callflow.flowfile.nodes import Node
from callflow.flowfile.report import Report

_WRITTEN = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?(?:(Z)|([+-](?:0[0-9]|1[0-4]):[0-5][0-9])| +([A-Za-z][A-Za-z0-9_+/-]*))",
    re.ASCII,
)
_EXAMPLE = "write 2026-11-27 18:30 Europe/Berlin"


def clock(report: Report, node: Node | None, path: str) -> float:
    """Seconds since the epoch; a defect, and 0, for what is no time."""
    text = report.text(node, path, "`at`")
    if text is None or node is None:
        return 0.0
    try:
        return moment(text)
    except ValueError as error:
        message, _, hint = str(error).partition(": ")
        report.defect("bad-value", f"`at`: {message}", node, path, hint or _EXAMPLE)
        return 0.0


def moment(text: str) -> float:
    """Seconds since the epoch. Raises ValueError, with a sentence."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"it is a date, a time of day and a time zone: {_EXAMPLE}")
    year, month, day, hour, minute, second, utc, offset, zone = match.groups()
    whole, _, part = (second or "0").partition(".")
    if offset:
        sign = -1 if offset[0] == "-" else 1
        found: tzinfo = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6])))
    else:
        found = time_zone("UTC" if utc else zone)
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(whole), int(part.ljust(6, "0") or 0), found
        )
        again = datetime.fromtimestamp(local.timestamp(), found)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"there is no such time ({error}): {_EXAMPLE}") from None
    if again.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError("the clocks were put forward over that time: it is none")
    return local.timestamp()


def moment_shown(time: float) -> str:
    """As `moment` takes it, by UTC."""
    shown = datetime.fromtimestamp(time, UTC)
    second = f":{shown:%S}" if shown.second or shown.microsecond else ""
    part = f".{shown.microsecond:06}".rstrip("0") if shown.microsecond else ""
    return f"{shown:%Y-%m-%d %H:%M}{second}{part} UTC"
