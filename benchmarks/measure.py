"""Ratios of one run. Machines differ and drift; a ratio of two things timed in turn does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Ratio(NamedTuple):
    """`ours` and `theirs` in seconds (or bytes) for one operation; `bound` is what the project promises: at most, or at
    least where `at_least`."""

    name: str
    ours: float
    theirs: float
    unit: str
    than: str
    bound: float
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return (self.theirs / self.ours) if self.at_least else (self.ours / self.theirs)

    @property
    def holds(self) -> bool:
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], *, seconds: float = 1.0) -> tuple[float, float]:
    """The best time of one call of each, timed in turn in small batches for about `seconds`."""
    batches = [_batch(ours), _batch(theirs)]
    best = [float("inf"), float("inf")]
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for which, (call, times) in enumerate(zip((ours, theirs), batches, strict=True)):
            began = time.perf_counter()
            for _ in range(times):
                call()
            best[which] = min(best[which], (time.perf_counter() - began) / times)
    return best[0], best[1]


def _batch(call: Callable[[], object]) -> int:
    """How often a call fits into about 5 ms."""
    call()
    times = 1
    while True:
        began = time.perf_counter()
        for _ in range(times):
            call()
        took = time.perf_counter() - began
        if took > 0.005 or times >= 1_000_000:
            return times
        times *= 4


def written(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value:,.0f} B"
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")):
        if value >= scale:
            return f"{value / scale:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"
