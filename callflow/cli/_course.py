"""How far proofs have come, told on stderr while they are made; and what ends them early."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from attrs import frozen

from callflow.errors import printable
from callflow.proof.proved import Proved

if TYPE_CHECKING:
    from callflow.proof.node import Going


class Ended(IntEnum):
    """Whether proofs are ended early, and why."""

    NOT = 0
    INTERRUPTED = 1
    MEMORY = 2
    KILLED = 3

    @property
    def words(self) -> str:
        return ("", "interrupted", "memory is short", "its process was ended from outside")[self]


FIRST, OFTEN, SELDOM = 0.5, 0.1, 30.0
"""Seconds until something is told, and from one line to the next on a terminal, and where there is none."""

LOOKS = 20_000
"""Steps from one look at the memory to the next."""

SHORT = 0.05
"""What must be left of the memory."""


@frozen
class Proofs:
    """What is proved of each flow, by its file; and why some were ended before their budget was."""

    each: Mapping[str, Proved]
    ended: Ended = Ended.NOT


class Board:
    """Numbers that processes may share: how proofs are ended, then three of each: the situations found, those left to
    look at, the steps taken."""

    def __init__(self, numbers: MutableSequence[int]) -> None:
        self.numbers = numbers

    @staticmethod
    def size(proofs: int) -> int:
        return 1 + 3 * proofs

    @property
    def ended(self) -> Ended:
        return Ended(self.numbers[0])

    def end(self, why: Ended) -> None:
        """All proofs are to end as soon as they can."""
        self.numbers[0] = self.numbers[0] or why

    def of(self, place: int) -> Sequence[int]:
        return self.numbers[1 + 3 * place : 4 + 3 * place]

    def going(self, place: int, look: Callable[[], None] = lambda: None) -> Going:
        """Writes down how far one proof has come, and says whether it is to go on; `look` is called each time."""
        next_look = LOOKS

        def going(situations: int, left: int, steps: int) -> bool:
            nonlocal next_look
            self.numbers[1 + 3 * place : 4 + 3 * place] = situations, left, steps
            if steps >= next_look:
                next_look = steps + LOOKS
                if _memory_is_short():
                    self.end(Ended.MEMORY)
            look()
            return not self.numbers[0]

        return going


def _memory_is_short() -> bool:
    import psutil  # which only a long proof asks

    found = psutil.virtual_memory()
    return bool(found.available < SHORT * found.total)


class Telling:
    """A line about all proofs: on a terminal one that is written over; elsewhere one now and then, and only if it is `asked` for."""

    def __init__(
        self, board: Board, names: Sequence[str], *, asked: bool = False, out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.board = board
        self.names = names
        self.done = 0
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._clock = clock
        self._began = clock()
        self._told = 0  # letters of the line that stands on the terminal
        self._every = OFTEN if self._live else SELDOM if asked else float("inf")
        self._next = self._began + (FIRST if self._live else self._every)

    def look(self) -> None:
        """Tells, if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every
        line = self._line(now - self._began)
        if self._live:
            import shutil

            line = line[: shutil.get_terminal_size().columns - 1]
            self._out.write(f"\r{line.ljust(self._told)}")
            self._told = len(line)
        else:
            self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        """Takes the line away."""
        if self._told:
            self._out.write(f"\r{' ' * (self._told + 2)}\r")  # and `^C`, which a terminal puts behind it
            self._out.flush()
            self._told = 0

    def _line(self, seconds: float) -> str:
        each = [self.board.of(place) for place in range(len(self.names))]
        situations, left, steps = (sum(column) for column in zip(*each, strict=True))
        what = printable(self.names[0]) if len(self.names) == 1 else f"{self.done} of {len(self.names)} files"
        if self.board.ended:
            return f"{what}: {self.board.ended.words}, ending"
        speed = steps / seconds if seconds > 0 else 0
        return f"{what}: {situations:,} situations, {left:,} to look at, {steps:,} steps, {speed:,.0f}/s"


@contextmanager
def interruptible(board: Board) -> Iterator[None]:
    """Ctrl-C ends all proofs, and what was covered is told; a second one ends the program."""
    if threading.current_thread() is not threading.main_thread():  # which alone may say so
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        board.end(Ended.INTERRUPTED)
        # also where it was ignored: in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
