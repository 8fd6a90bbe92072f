"""A scenario that has failed: where, what was expected and what was seen, and the story so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from callflow.cli._test.session import Played
from callflow.cli._width import columns
from callflow.errors import printable

LONGEST, BEGINS = 60, 20
"""Lines of a story that are printed, and those of its beginning."""

WIDEST = 100


def failure(one: Played) -> Iterator[str]:
    """Its lines."""
    if one.failure is None:
        return
    position = one.failure.position
    place = f"{position.file}:{position.line}:{position.column}"
    yield click.style(printable(f" {one.name} ".center(min(columns() or 80, WIDEST), "_")), bold=True)
    yield f"{click.style(printable(place), fg='blue')}: {click.style(printable(one.failure.message), fg='red')}"
    for condition in one.failure.unmet:
        yield f"  {condition.what}"
        yield click.style(f"    expected {printable(condition.expected)}", fg="green")
        yield click.style(f"    seen     {printable(condition.seen)}", fg="red")
    yield from story(one.story)


def story(lines: Sequence[str]) -> Iterator[str]:
    """What happened, its end at least: a call that goes round in circles has thousands of lines."""
    if len(lines) > LONGEST:
        lines = [*lines[:BEGINS], f"… {len(lines) - LONGEST:,} lines", *lines[BEGINS - LONGEST :]]
    yield from (f"    {printable(line)}" for line in lines)
