"""A journal's lines, read back with care: its file may be cut short, damaged, of another version, or no journal at all."""

from __future__ import annotations

import json
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

_decoded = json.JSONDecoder().raw_decode


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
                text = row.decode()
                line, end = _decoded(text)
            except (ValueError, RecursionError):
                self._refuse(number, "this line is no JSON")
            if end != len(text) - 1 and text[end:].strip():
                self._refuse(number, "this line is no JSON: something stands behind it")
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
        if version < WITH_DIGEST:
            self.head = head = {"digest": "", **head}
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
            if ("event" in line) + ("ended" in line) + ("timer" in line) != (seq > 0):
                kinds = [name for name in _INPUTS if name in line]
                wanted = "one of `event`, `ended` and `timer`" if seq else "no input: it is the start of the call"
                self._refuse(seq + 2, f"the line of a step has {wanted}, not {' and '.join(kinds) or 'none'}")
            self._look(seq + 2, line, STEP)
            yield line

    def _look(self, number: int, line: Line, fields: Mapping[str, Fits]) -> None:
        for name, value in line.items():
            fits = fields.get(name)
            if fits is None:
                continue
            kinds, further = fits
            if type(value) not in kinds or (further is not None and value and not further(value)):
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

Fits = tuple[tuple[type, ...], Callable[[Any], bool] | None]
"""The types that a value may have, and what else is asked of one that is not empty."""

_TEXT: Fits = (str,), None
_WHOLE: Fits = (int,), None
_BOOLEAN: Fits = (bool,), None
_OBJECT: Fits = (dict,), None
_MOMENT: Fits = (int, float), lambda value: 0 <= value < 1e11  # which no NaN is


def _list_of(kind: type) -> Fits:
    return (list,), lambda value: all(type(one) is kind for one in value)


def _pairs(first: type, second: type) -> Fits:
    def fits(value: Any) -> bool:
        return all(
            type(one) is list and len(one) == 2 and type(one[0]) is first and type(one[1]) is second for one in value
        )

    return (list,), fits


def _objects(fields: Mapping[str, Fits], needed: Iterable[str]) -> Fits:
    def fits(value: Any) -> bool:
        for one in value:
            if type(one) is not dict or not all(name in one for name in needed):
                return False
            for name, item in one.items():
                kinds, further = fields.get(name, _ANY)
                if kinds and (type(item) not in kinds or (further is not None and item and not further(item))):
                    return False
        return True

    return (list,), fits


_ANY: Fits = (), None
_TEXTS, _NUMBERS = _list_of(str), _list_of(int)
_MOVES = _objects({"on": _TEXT, "rows": _TEXTS, "ids": _NUMBERS, "exited": _TEXTS, "entered": _TEXTS}, ["on"])
_STARTS = _objects(
    {"id": _WHOLE, "verb": ((str,), EVERY_VERB.__contains__), "arguments": _OBJECT, "at": _TEXT},
    ["id", "verb", "arguments"],
)
_STATUS = ("ok", "failed", "timed_out", "cancelled")


def _are_guards(value: Any) -> bool:
    return all(type(one) is list and len(one) == 2 and type(one[0]) is type(one[1]) is str for one in value.values())


HEAD: Mapping[str, Fits] = {
    "flow": _TEXT, "file": _TEXT, "digest": _TEXT, "call": ((str, type(None)), None), "time": _MOMENT, "vars": _OBJECT,
    "env": _OBJECT, "facts": _OBJECT, "waiting": _BOOLEAN, "tells": _TEXTS, "callflow": _TEXT, "language": _WHOLE, "utc": _TEXT,
    "guards": ((dict,), _are_guards),
}  # fmt: skip
WITH_DIGEST = 3
"""The first version in which every journal names the text of its flow."""

_NOT_ALWAYS = frozenset({"tells", "callflow", "language", "utc", "guards"})

_INPUTS = ("event", "ended", "timer")
STEP: Mapping[str, Fits] = {
    "time": _MOMENT, "utc": _TEXT, "event": _TEXT, "data": _OBJECT, "effect": _WHOLE, "state": _TEXT, "id": _TEXT,
    "offered_in": _TEXTS, "ended": _WHOLE, "verb": ((str, type(None)), None), "status": ((str,), _STATUS.__contains__),
    "result": _OBJECT, "error": _TEXT, "timer": _WHOLE, "moves": _MOVES, "guards": _pairs(int, bool), "broke": _pairs(int, str),
    "start": _STARTS, "cancel": _NUMBERS, "forward": _NUMBERS, "notes": _objects({"kind": _TEXT}, ["kind"]), "states": _TEXTS,
    "phase": _TEXT,
}  # fmt: skip
