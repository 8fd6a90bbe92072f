"""What work costs, on whichever machine and beside whatever else runs there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

YARD = 0.02
"""CPU seconds that `_yardstick` takes on the machine for which the limits of the tests are stated."""
TRIES = 3


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns, where it takes no more CPU time than that of the machine that `YARD` is of. Where it takes longer, the
    machine is measured too, and it gets another try. Raises AssertionError."""
    took = []
    for _ in range(TRIES):
        began = time.process_time()
        result = work()
        spent = time.process_time() - began
        if spent <= seconds:
            return result
        took.append(spent * YARD / max(YARD, _seconds(_yardstick)))
        if took[-1] <= seconds:
            return result
    raise AssertionError(f"it may take {seconds:g} s, and took {', '.join(f'{one:.2f}' for one in took)} s")


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _yardstick() -> dict[str, int]:
    """Calls, words and a dictionary: what reading and checking a flow is made of."""
    words: dict[str, int] = {}
    text = "the quick brown fox jumps over the lazy dog "
    for number in range(30_000):
        word = text[number % 40 :] + str(number)
        words[word] = words.get(word[:8], 0) + len(word.split())
    return words
