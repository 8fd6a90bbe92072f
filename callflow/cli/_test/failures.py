"""A scenario that has failed: where, what was expected and what was seen, and the story so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from callflow.cli._test.session import Played
from callflow.cli._width import columns
from callflow.core.flow import Position
from callflow.errors import printable
from callflow.flowfile.source import read_text
from callflow.scenario import Row
from callflow.scenario.difference import MISSING, TOO_MUCH
from callflow.scenario.expectations import Unmet, time_shown

LONGEST, BEGINS = 60, 20
"""Lines of a story that are printed, and those of its beginning."""

LAST = 12
"""Rows of the flow that are shown."""

WIDEST = 100


def failure(one: Played) -> Iterator[str]:
    """Its lines."""
    if one.failure is None:
        return
    yield click.style(printable(f" {one.name} ".center(min(columns() or 80, WIDEST), "_")), bold=True)
    yield from told(one)


def told(one: Played) -> Iterator[str]:
    """The same without its name."""
    if one.failure is None:
        return
    position = one.failure.position
    place = f"{position.file}:{position.line}:{position.column}"
    yield f"{click.style(printable(place), fg='blue')}: {click.style(printable(one.failure.message), fg='red')}"
    yield from _line(position)
    for condition in one.failure.unmet:
        yield from _unmet(condition)
    yield from story(one.story)
    yield from rows(one.rows)


def story(lines: Sequence[str]) -> Iterator[str]:
    """What happened, its end at least: a call that goes round in circles has thousands of lines."""
    if len(lines) > LONGEST:
        lines = [*lines[:BEGINS], f"… {len(lines) - LONGEST:,} lines", *lines[BEGINS - LONGEST :]]
    yield from (f"    {printable(line)}" for line in lines)


def rows(each: Sequence[Row]) -> Iterator[str]:
    """The last rows of the flow that led there, each with its place."""
    last = [(one.place, time_shown(one.time), one.told) for one in each[-LAST:]]
    if not last:
        return
    yield "  by the rows of the flow"
    if len(each) > LAST:
        yield f"    … {len(each) - LAST:,} before"
    wide = [max(len(line[column]) for line in last) for column in (0, 1)]
    for place, time, told in last:
        yield printable(f"    {place.ljust(wide[0])}  {time.rjust(wide[1])}  {told}")


def _line(position: Position) -> Iterator[str]:
    """The line of the scenario, and what of it is meant."""
    text, defect = read_text(position.file) if not position.file.startswith("<") else ("", None)
    lines = text.splitlines() if defect is None else []
    if 0 < position.line <= len(lines):
        number, line = str(position.line), printable(lines[position.line - 1])
        yield f"  {number} | {line[:WIDEST]}"
        if position.column <= WIDEST:
            yield f"  {' ' * len(number)} | {' ' * (position.column - 1)}{click.style('^', fg='red')}"


def _unmet(condition: Unmet) -> Iterator[str]:
    """What is not as expected: of a list how it differs, of what is one thing both sides."""
    yield f"  {condition.what}"
    if condition.difference:
        for line in condition.difference:
            yield click.style(f"    {printable(line)}", fg=_COLOURS.get(line[:2]))
        return
    yield click.style(f"    expected {printable(condition.expected)}", fg="green")
    yield click.style(f"    seen     {printable(condition.seen)}", fg="red")


_COLOURS = {MISSING: "green", TOO_MUCH: "red"}
