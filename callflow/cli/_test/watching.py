"""`--watch`: what has changed is played again, until Ctrl-C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import click

from callflow.cli._test.files import File, files_of, scenario_files
from callflow.errors import printable

T = TypeVar("T")

EVERY = 0.3
"""Seconds from one look at the files to the next: looked at are dozens, and no library is worth that."""

Stamps = Mapping[str, tuple[int, int] | None]
"""When each file was written, and its size; None: it is not there."""


def watch(
    paths: Sequence[str],
    collect: Callable[[], list[File]],
    play: Callable[[Sequence[File]], T],
    wait: Callable[[], None] = lambda: time.sleep(EVERY),
) -> T:
    """Plays all, then, whenever files change, those whose scenarios, parts or flows have; what was played last. Ctrl-C ends it."""
    files, known = _collected(collect)
    last = play(files)
    before = stamps(paths, files)
    try:
        while True:
            wait()
            now = stamps(paths, files)
            changed = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}
            if changed:
                files, known = _collected(collect, files)
                before = stamps(paths, files)
                click.echo(f"\n{', '.join(sorted(map(printable, changed)))} changed\n")
                last = play([file for file in files if known and _concerns(file, changed)])
    except KeyboardInterrupt:
        click.echo()
        return last


def _collected(collect: Callable[[], list[File]], before: list[File] | None = None) -> tuple[list[File], bool]:
    """What there is to play; where what was asked for is gone, that is told and nothing changes."""
    try:
        return collect(), True
    except click.UsageError as error:
        if before is None:
            raise
        click.echo(printable(error.message), err=True)
        return before, False


def _concerns(file: File, changed: Iterable[str]) -> bool:
    """Whether a file is played otherwise since these have changed; of one with defects nobody knows what it would need."""
    needed = files_of(file)
    return bool(file.defects) or any(name in needed for name in changed)


def stamps(paths: Sequence[str], files: Sequence[File]) -> Stamps:
    """Of the files that matter, those that have come since included."""
    names = {*scenario_files(paths), *(name for file in files for name in files_of(file))}
    return {name: _stamp(name) for name in names}


def _stamp(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - a path may be any text
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size
