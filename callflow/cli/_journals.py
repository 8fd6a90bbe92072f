"""What the commands for journals share: which files are meant, and how what is wrong with one is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import click

from callflow.cli._width import columns
from callflow.errors import printable

_F = TypeVar("_F", bound=Callable[..., object])

SUFFIX = ".jsonl"

NOTHING_FOUND = 5
"""As pytest has it."""

LONGEST, BEGINS = 400, 40
"""Lines of a story that are printed, and those of its beginning."""


def files_of(paths: Sequence[str]) -> Iterator[str]:
    """The journals that the paths lead to, each once, in order: a file as it is, of a folder all that end in `.jsonl`. The record beside
    a journal, as `calls/*` names it too, is none."""
    seen: set[str] = set()
    for path in paths:
        for file in _below(path) if os.path.isdir(path) else [path]:  # noqa: PTH112 - a path may be any text
            real = os.path.realpath(file)
            if real not in seen and not (file.endswith(".json") and os.path.isfile(f"{file}l")):  # noqa: PTH113 - as above
                seen.add(real)
                yield file


def _below(folder: str) -> Iterator[str]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(where, name) for name in sorted(names) if name.endswith(SUFFIX))  # noqa: PTH118 - as above


class Progress:
    """How far a long command has come: a line on a terminal that is written over."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._out = sys.stderr
        self._live = self._out.isatty() and total > 1
        self._told = ""

    def at(self, number: int) -> None:
        """So many are done."""
        told = f"{number:,} of {self._total:,} journals"
        if self._live and (number % 100 == 0 or number == self._total):
            self._out.write(f"\r{told}")
            self._out.flush()
            self._told = told

    def clear(self) -> None:
        """Takes the line away."""
        if self._told:
            self._out.write(f"\r{' ' * len(self._told)}\r")
            self._out.flush()
            self._told = ""


def unreadable(message: str) -> None:
    """Tells what is wrong with one file; the others go on."""
    click.echo(f"{printable(message)} {click.style('E', fg='red')}", err=True)


def story_lines(lines: Sequence[str], indent: str = "") -> Iterator[str]:
    """A story, its beginning and its end at least: a call that goes round in circles has thousands of lines."""
    if len(lines) > LONGEST:
        lines = [*lines[:BEGINS], f"… {len(lines) - LONGEST:,} lines", *lines[BEGINS - LONGEST :]]
    yield from (f"{indent}{printable(line)}" for line in lines)


def rule(text: str) -> str:
    """A headline across the terminal."""
    return click.style(printable(f" {text} ").center(min(columns() or 80, 100), "_"), bold=True)


def flow_option(help_: str) -> Callable[[_F], _F]:
    """`--flow FILE`, as often as wanted."""
    return click.option("--flow", "flows", multiple=True, metavar="FILE", help=help_)
