"""Looking for something in journals: a pattern of terms, all of which have to hold of one line.

`state:NAME` (one that is entered), `event:NAME` (that comes, or that an action ends with, or by which a row was taken), `effect:VERB` (that
begins or ends), `var:NAME` or `var:NAME=VALUE` (that is set), `outcome:NAME`, `row:FILE:LINE`, `status:failed`; `*` in a name stands for
anything. Any other term is a text that stands in the line as it is told, in small or capital letters; `/…/` a regular expression.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.suggest import did_you_mean
from callflow.errors import CallflowError
from callflow.journal.account import sentence, value
from callflow.journal.reading import Line, Reading

Term = Callable[[Line, str], bool]
"""Whether it holds of a line, and of that line as it is told."""


class Hit(NamedTuple):
    """A line of a journal, its number, and the line as it is told."""

    number: int
    told: str


class PatternError(CallflowError):
    """A pattern that is none; the message says why."""


def pattern_of(text: str) -> list[Term]:
    """The terms of a pattern. Raises PatternError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise PatternError(f"{text!r}: {str(error).lower()}") from None
    if not words:
        raise PatternError("an empty pattern finds everything: name a text, or state:, event:, effect:, var: …")
    return [_term(word) for word in words]


def search(pattern: list[Term], journal: Reading) -> Iterator[Hit]:
    """The lines of a journal of which every term holds. Raises JournalError."""
    head = journal.head
    began = head["time"]
    told = f"call {head['call']} of {head['flow']} ({', '.join(f'{name}: {value(one)}' for name, one in head['vars'].items())})"
    if all(term(head, told) for term in pattern):
        yield Hit(1, told)
    for number, line in enumerate(journal.lines, start=2):
        told = sentence(line, began)
        if all(term(line, told) for term in pattern):
            yield Hit(number, told)


def _term(word: str) -> Term:
    field, colon, wanted = word.partition(":")
    if word.startswith("/") and word.endswith("/") and len(word) > 2:
        try:
            regex = re.compile(word[1:-1])
        except re.error as error:
            raise PatternError(f"{word} is no regular expression: {error}") from None
        return lambda _, told: regex.search(told) is not None
    if not colon or not field.isidentifier() or wanted.startswith("//"):
        text = word.casefold()
        return lambda _, told: text in told.casefold()
    if field not in _FIELDS:
        hint = did_you_mean(field, _FIELDS)
        more = f" ({hint})" if hint else ""
        raise PatternError(f"{word}: there is nothing by the name {field}{more}; it is one of {', '.join(_FIELDS)}")
    if not wanted:
        raise PatternError(f"{word}: what {field} is it? `*` stands for any")
    names = _FIELDS[field]
    if field == "var" and "=" in wanted:
        return lambda line, _: any(fnmatchcase(name, wanted) for name in _set_to(line))
    return lambda line, _: any(fnmatchcase(name, wanted) for name in names(line))


def _states(line: Line) -> Iterator[str]:
    yield from (state for move in line.get("moves", ()) for state in move.get("entered", ()))


def _events(line: Line) -> Iterator[str]:
    if "event" in line:
        yield line["event"]
    if line.get("verb") is not None:
        yield _result(line["verb"], line.get("status", "ok"), line.get("result", {}))
    yield from (move["on"] for move in line.get("moves", ()))


def _result(verb: str, status: str, result: Any) -> str:
    try:
        entry = verb_of(verb)
    except KeyError:
        return ""
    return entry.result_event(result) if status == "ok" else entry.error_result(status == "timed_out") or ""


def _effects(line: Line) -> Iterator[str]:
    yield from (start["verb"] for start in line.get("start", ()))
    if line.get("verb") is not None:
        yield line["verb"]


def _vars(line: Line) -> Iterator[str]:
    yield from line.get("vars", ())
    yield from (str(note.get("name")) for note in line.get("notes", ()) if note["kind"] == "set")


def _set_to(line: Line) -> Iterator[str]:
    yield from (f"{name}={_plain(one)}" for name, one in line.get("vars", {}).items())
    yield from (
        f"{note.get('name')}={_plain(note.get('value'))}" for note in line.get("notes", ()) if note["kind"] == "set"
    )


def _plain(one: Any) -> str:
    return one if isinstance(one, str) else value(one)


def _outcomes(line: Line) -> Iterator[str]:
    yield from (str(note.get("name")) for note in line.get("notes", ()) if note["kind"] == "outcome")


def _rows(line: Line) -> Iterator[str]:
    yield from (row for move in line.get("moves", ()) for row in move.get("rows", ()))
    yield from (start["at"] for start in line.get("start", ()) if "at" in start)


def _statuses(line: Line) -> Iterator[str]:
    if "status" in line:
        yield line["status"]


_FIELDS: dict[str, Callable[[Line], Iterator[str]]] = {
    "state": _states, "event": _events, "effect": _effects, "var": _vars, "outcome": _outcomes, "row": _rows, "status": _statuses,
}  # fmt: skip
