"""The proofs of several flows: from the cache where they were proved before; else followed now, side by side in processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from callflow.cli._course import OFTEN, Board, Ended, Proofs, Telling, interruptible
from callflow.core.flow import Flow
from callflow.proof.kept import digest, keep, kept
from callflow.proof.proved import Proved

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

MOST = 60
"""Processes at once: Windows waits for no more."""


class Asked(NamedTuple):
    """A flow to be proved, and its text; of one that has no file, the folder in which it looks for its sub-flows."""

    flow: Flow
    text: str
    folder: str | None = None


def proofs_of(flows: Sequence[Asked], budget: int, *, cached: bool, jobs: int | None, deep: bool) -> Proofs:
    """Proves these flows with `budget` steps each, as many as `jobs` at once: as there are cores unless given. Where it is `deep`
    the way is told though nobody looks on."""
    found = {
        flow.file: next((one for one in kept(flow) if one.answers(budget)), None) if cached else None
        for flow, *_ in flows
    }
    new = [one for one in flows if found[one.flow.file] is None]
    if not new:
        return Proofs({file: one for file, one in found.items() if one is not None})
    pool, board = _workers(min(jobs or _cores(), len(new), MOST), len(new))
    telling = Telling(board, [flow.file for flow, *_ in new], asked=deep)
    following = (
        _in_turn(new, budget, board, telling) if pool is None else _side_by_side(new, budget, pool, board, telling)
    )
    with interruptible(board), closing(telling):
        for one, proved in following:
            found[one.flow.file] = proved
            telling.done += 1
            if cached:
                keep(one.flow, proved)
    return Proofs({file: one for file, one in found.items() if one is not None}, board.ended)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_turn(new: Sequence[Asked], budget: int, board: Board, telling: Telling) -> Iterator[tuple[Asked, Proved]]:
    for place, one in enumerate(new):
        yield one, _here(place, one, budget, board, telling)


def _here(place: int, one: Asked, budget: int, board: Board, telling: Telling) -> Proved:
    from callflow.proof.prove import prove

    return prove(one.flow, budget=budget, going=board.going(place, telling.look)).proved


# -- in processes, which share a board


class _Source(NamedTuple):
    """A flow as another process reads it: from its text, since standard input is read once. `folder`: where its
    sub-flows are, of a text that stands in no file; None: beside the file."""

    file: str
    text: str
    digest: str
    folder: str | None

    def flow(self) -> Flow | None:
        """The flow; None where a sub-flow's file has changed since."""
        from callflow.flowfile.loader import read_loads

        if self.file == "<stdin>":
            flow, _ = read_loads(self.text, self.file)
        elif self.folder is not None:
            flow, _ = read_loads(self.text, self.file, self.folder)
        else:
            flow, _ = read_loads(self.text, self.file, os.path.dirname(self.file), self.file)  # noqa: PTH120 - as in the loader
        return None if flow is None or digest(flow) != self.digest else flow


def _workers(jobs: int, proofs: int) -> tuple[ProcessPoolExecutor | None, Board]:
    """So many processes, and the board that they share; none where one is enough, or where processes can share nothing (a system
    without semaphores, or without a place for them)."""
    if jobs > 1:
        with suppress(ImportError, NotImplementedError, OSError):
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context
            from multiprocessing.sharedctypes import RawArray

            numbers: MutableSequence[int] = RawArray("q", Board.size(proofs))
            spawn = get_context("spawn")  # a fork of a process with threads may hang, and is not everywhere
            return ProcessPoolExecutor(jobs, spawn, initializer=_begin, initargs=(numbers,)), Board(numbers)
    return None, Board([0] * Board.size(proofs))


def _side_by_side(
    new: Sequence[Asked], budget: int, pool: ProcessPoolExecutor, board: Board, telling: Telling
) -> Iterator[tuple[Asked, Proved]]:
    from concurrent.futures import FIRST_COMPLETED, wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children

    with pool:
        try:
            sources = [_Source(flow.file, text, digest(flow), folder) for flow, text, folder in new]
            pending = {pool.submit(_prove, place, one, budget): place for place, one in enumerate(sources)}
            while pending:
                done, _ = wait(pending, timeout=OFTEN, return_when=FIRST_COMPLETED)
                for future in done:
                    place = pending.pop(future)
                    try:
                        proved = future.result() or _here(place, new[place], budget, board, telling)
                    except BrokenProcessPool:  # what it had found is lost, and only how far it had come is known
                        board.end(Ended.KILLED)
                        situations, left, steps = board.of(place)
                        proved = Proved(budget, situations, min(steps, budget - 1), left or 1, (), ())
                    yield new[place], proved
                telling.look()
        except KeyboardInterrupt:
            for child in active_children():
                child.terminate()
            raise


_board: list[Board] = []
"""In a process that proves: what it shares with the one that it works for."""


def _begin(numbers: MutableSequence[int]) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that it works for tells it to end
    _board[:] = [Board(numbers)]


def _prove(place: int, source: _Source, budget: int) -> Proved | None:
    from callflow.proof.prove import prove

    flow = source.flow()
    return None if flow is None else prove(flow, budget=budget, going=_board[0].going(place)).proved
