"""How a value is written into a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from callflow.core.durations import format_duration
from callflow.core.expressions.problems import Failed
from callflow.core.expressions.types import DURATION, TIME, ListOf, Record, Type, describe, is_textual

MAX_TEXT: Final = 100_000
"""Characters of a text that an expression or template makes."""


def renderer(kind: Type) -> Callable[[Any], str]:
    """The function that writes values of a type: text as it is, `true`, `12`, `1.5`, `90s`, lists with commas between.

    It raises Failed for what has no text: an absent value, a record, a list inside a list.
    """
    if kind == DURATION:
        return _duration
    if kind == TIME:
        return _time
    if isinstance(kind, ListOf):
        return _lister(renderer(kind.item))
    return _text if is_textual(kind) else _plain


def has_text(kind: Type) -> bool:
    """Whether values of the type can be written at all."""
    if isinstance(kind, ListOf):
        return not isinstance(kind.item, (ListOf, Record))
    return not isinstance(kind, Record)


def limited(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise Failed(f"the text grows beyond {MAX_TEXT} characters")
    return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        raise Failed("there is no value")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Sequence) and all(not isinstance(item, (Mapping, list, tuple)) for item in value):
        return ", ".join(map(_plain, value))
    raise Failed(f"{describe(value)} cannot be written into a text")


def _number(value: float) -> str:
    written = repr(value)
    if "e" in written:
        written = f"{value:.15f}".rstrip("0")
    return written.removesuffix(".0").removesuffix(".")


def _duration(value: Any) -> str:
    return format_duration(value) if isinstance(value, (int, float)) else _plain(value)


def _time(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return _plain(value)
    try:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError) as error:
        raise Failed("the time is out of range") from error


def _lister(item: Callable[[Any], str]) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        if not isinstance(value, (list, tuple)):
            return _plain(value)
        return ", ".join(map(item, value))

    return write
