"""Scenarios are played side by side in processes, and come back in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from callflow.cli._test.files import File
from callflow.cli._test.session import Broken, Played, Playing, in_turn
from callflow.flowfile.source import STDIN
from callflow.scenario import Scenario, read

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

MOST = 60
"""Processes at once: Windows waits for no more."""

TOGETHER, ROUNDS = 100, 4
"""Scenarios that one process plays at once, at most; how often each gets some, where there are few."""


class _Part(NamedTuple):
    """Scenarios of a file, by their places in it and their names: that process reads the file itself."""

    file: str
    scenarios: tuple[tuple[int, str], ...]


class SideBySide:
    """In so many processes."""

    def __init__(self, jobs: int) -> None:
        self._jobs = min(jobs, MOST)

    def __call__(self, files: Sequence[File], playing: Playing) -> Generator[Played, None, None]:
        parts = self._parts(files)
        pool = _pool(min(self._jobs, len(parts))) if not any(one.name == STDIN for one in files) else None
        if pool is None:
            yield from in_turn(files, playing)
            return
        known = {file.name: dict(file.scenarios) for file in files}
        try:
            pending = deque((part, pool.submit(_play, part, playing)) for part in parts)
            while pending:
                part, future = pending.popleft()
                found = _result(future)
                yield from found or [playing.play(part.file, known[part.file][place]) for place, _ in part.scenarios]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            _end()

    def _parts(self, files: Sequence[File]) -> list[_Part]:
        size = max(1, min(TOGETHER, sum(len(one.scenarios) for one in files) // (self._jobs * ROUNDS)))
        return [
            _Part(file.name, tuple((place, one.name) for place, one in file.scenarios[first : first + size]))
            for file in files
            for first in range(0, len(file.scenarios), size)
        ]


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pool(jobs: int) -> ProcessPoolExecutor | None:
    """None where one process is enough, or where there can be no others."""
    if jobs > 1:
        with suppress(ImportError, NotImplementedError, OSError):
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            spawn = get_context("spawn")  # a fork of a process with threads may hang, and is not everywhere
            return ProcessPoolExecutor(jobs, spawn, initializer=_begin)
    return None


def _result(future: Future[list[Played] | None]) -> list[Played] | None:
    from concurrent.futures.process import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool:
        raise Broken from None


def _end() -> None:
    """What they play is wanted no more."""
    from multiprocessing import active_children

    for child in active_children():
        child.terminate()


# -- in one of the processes


def _begin() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that it works for ends it


@cache
def _scenarios(file: str) -> Sequence[Scenario]:
    return read(file)[0]


def _play(part: _Part, playing: Playing) -> list[Played] | None:
    """None where the file has changed since."""
    found = _scenarios(part.file)
    if any(place >= len(found) or found[place].name != name for place, name in part.scenarios):
        return None
    return [playing.play(part.file, found[place]) for place, _ in part.scenarios]
