"""A journal's lines, read back with care: its file may be cut short, damaged, of another version, or no journal at all."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from attrs import frozen

from callflow.core.actions import EVERY_VERB
from callflow.errors import JournalError, printable
from callflow.runtime.lines import VERSIONS
from callflow.runtime.redact import MARK

LONGEST = 16_000_000
"""Bytes of one line."""

Line = Mapping[str, Any]


@frozen
class Recorded:
    """A journal that was read: its first line, and the steps' lines in their order. `cut` says that the last line was
    not whole: the process was killed while it wrote."""

    path: Path
    head: Line
    lines: tuple[Line, ...]
    cut: bool = False

    @property
    def redacted(self) -> bool:
        """Whether private values were replaced by digests."""
        return any(map(is_redacted, chain((self.head,), self.lines)))


def is_redacted(line: Line) -> bool:
    """Whether something in a line was replaced by a digest."""
    return MARK in json.dumps(line, ensure_ascii=False)


def read_journal(path: str | Path) -> Recorded:
    """Reads a journal. Raises JournalError, with the line, for one that is damaged anywhere but at its end."""
    with Reading(path) as reading:
        return Recorded(reading.path, reading.head, tuple(reading.lines), reading.cut)


class Reading:
    """A journal while it is read: its head, and `lines`, which gives those of the steps one after the other, and once. `cut` is
    known when they are through."""

    def __init__(self, path: str | Path) -> None:
        """Raises JournalError, as `lines` does."""
        self.path = Path(path)
        self.cut = False
        self._file = _opened(self.path)
        try:
            first = next(self._rows(), None)
            if first is None:
                self._refuse(
                    1, "this is no journal: the file is empty" if not self.cut else "its first line is not whole"
                )
            self.head: Line = first
            self._look_at_head()
        except BaseException:
            self._file.close()
            raise
        self.lines = self._steps()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _refuse(self, number: int, why: str) -> NoReturn:
        raise JournalError(f"{self.path}:{number}: {why}")

    def _rows(self, number: int = 1) -> Iterator[Line]:
        while True:
            try:
                row = self._file.readline(LONGEST + 1)
            except OSError as error:
                self._refuse(number, f"the file cannot be read: {error.strerror or error}")
            if not row.endswith(b"\n"):
                if len(row) > LONGEST:
                    self._refuse(number, f"this line is longer than {LONGEST:,} bytes")
                self.cut = bool(row)
                if b"\0" in row:
                    self._refuse(number, "this is no journal: it holds bytes that are no text")
                if row and number == 1 and not row.lstrip().startswith(b"{"):
                    self._refuse(number, "this is no journal: its first line is no JSON")
                return
            try:
                line = json.loads(row)
            except (ValueError, RecursionError):
                self._refuse(number, "this line is no JSON")
            if type(line) is not dict:
                self._refuse(number, "this line is no JSON object")
            yield line
            number += 1

    def _look_at_head(self) -> None:
        head = self.head
        if "journal" not in head:
            self._refuse(1, "this is no journal: its first line says nothing of the call")
        version = head["journal"]
        if type(version) is not int or version not in VERSIONS:
            *others, last = map(str, VERSIONS)
            known = f"{', '.join(others)} and {last}"
            later = ", and a later one is needed" if type(version) is int and version > VERSIONS[-1] else ""
            self._refuse(1, f"a journal of version {shown(version)}; this callflow reads versions {known}{later}")
        missing = [name for name in HEAD if name not in head and name not in _NOT_ALWAYS]
        if missing:
            self._refuse(1, f"the first line lacks `{'`, `'.join(missing)}`")
        self._look(1, head, HEAD)

    def _steps(self) -> Iterator[Line]:
        for seq, line in enumerate(self._rows(2)):
            found = line.get("seq")
            if type(found) is not int or found != seq:
                self._refuse(seq + 2, f"step {seq} should stand here, not {_step_shown(found)}")
            if "time" not in line or "states" not in line:
                self._refuse(seq + 2, "the line of a step has a `time` and `states`")
            kinds = [name for name in _INPUTS if name in line]
            if len(kinds) != (seq > 0):
                wanted = "one of `event`, `ended` and `timer`" if seq else "no input: it is the start of the call"
                self._refuse(seq + 2, f"the line of a step has {wanted}, not {' and '.join(kinds) or 'none'}")
            self._look(seq + 2, line, STEP)
            yield line

    def _look(self, number: int, line: Line, fields: Mapping[str, Callable[[Any], bool]]) -> None:
        for name, value in line.items():
            fits = fields.get(name)
            if fits is not None and not fits(value):
                self._refuse(number, f"`{name}` cannot be {shown(value)}")


def shown(value: Any, most: int = 60) -> str:
    """A value of a line, on one line, and not too much of it."""
    text = printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _step_shown(seq: Any) -> str:
    return "a line without `seq`" if seq is None else f"step {shown(seq)}"


def _opened(path: Path) -> IO[bytes]:
    """A regular file: a pipe or a device could keep it waiting for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise JournalError(f"{path}: {why}") from None
    file = os.fdopen(descriptor, "rb") if not stat.S_ISDIR(os.fstat(descriptor).st_mode) else None
    if file is None:
        os.close(descriptor)
        raise JournalError(f"{path}: this is a directory, not a journal")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise JournalError(f"{path}: this is not a regular file")
    return file


# -- what may stand in a line


def _text(value: Any) -> bool:
    return type(value) is str


def _whole(value: Any) -> bool:
    return type(value) is int


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _moment(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value < 1e11


def _object(value: Any) -> bool:
    return type(value) is dict


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and all(map(fits, value))


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _pair(first: Callable[[Any], bool], second: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and len(value) == 2 and first(value[0]) and second(value[1])


def _with(fields: Mapping[str, Callable[[Any], bool]], needed: Iterable[str]) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if type(value) is not dict or not all(name in value for name in needed):
            return False
        return all(name not in fields or fields[name](one) for name, one in value.items())

    return fits


_texts, _numbers = _list_of(_text), _list_of(_whole)
_move = _with({"on": _text, "rows": _texts, "ids": _numbers, "exited": _texts, "entered": _texts}, ["on"])
_start = _with(
    {"id": _whole, "verb": lambda verb: _text(verb) and verb in EVERY_VERB, "arguments": _object, "at": _text},
    ["id", "verb", "arguments"],
)

HEAD: Mapping[str, Callable[[Any], bool]] = {
    "flow": _text, "file": _text, "digest": _text, "call": _or_none(_text), "time": _moment, "vars": _object, "env": _object,
    "facts": _object, "waiting": _boolean, "tells": _texts, "callflow": _text, "language": _whole, "utc": _text,
    "guards": lambda value: _object(value) and all(map(_pair(_text, _text), value.values())),
}  # fmt: skip
_NOT_ALWAYS = frozenset({"tells", "callflow", "language", "utc", "guards"})

_INPUTS = ("event", "ended", "timer")
STEP: Mapping[str, Callable[[Any], bool]] = {
    "time": _moment, "utc": _text, "event": _text, "data": _object, "effect": _whole, "state": _text, "id": _text,
    "offered_in": _texts, "ended": _whole, "verb": _or_none(_text),
    "status": lambda status: status in ("ok", "failed", "timed_out", "cancelled"), "result": _object, "error": _text,
    "timer": _whole, "moves": _list_of(_move), "guards": _list_of(_pair(_whole, _boolean)),
    "broke": _list_of(_pair(_whole, _text)), "start": _list_of(_start), "cancel": _numbers, "forward": _numbers,
    "notes": _list_of(_with({"kind": _text}, ["kind"])), "states": _texts, "phase": _text,
}  # fmt: skip
