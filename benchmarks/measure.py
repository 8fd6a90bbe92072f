"""Ratios of one run. Machines differ and drift; a ratio of two things measured in turn does not.

CPU time, in rounds: in each round everything has its turn, so that what else the machine does weighs on all. A ratio is the
median of the rounds' ratios; its spread is where half of them lie.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

ROUNDS = 15


class Runner(Protocol):
    """Something that is measured: the CPU seconds of one event (or step, or look), of `number` calls."""

    name: str

    def seconds(self, number: int) -> float: ...


class Ratio(NamedTuple):
    """`ours` and `theirs` for one operation, in seconds or bytes, round by round; `bound` is what the project promises at
    most, None where it is only shown."""

    name: str
    ours: Sequence[float]
    theirs: Sequence[float]
    than: str
    bound: float | None
    unit: str = "s"

    @property
    def rounds(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.rounds)

    @property
    def holds(self) -> bool:
        return self.bound is None or self.ratio <= self.bound

    def __str__(self) -> str:
        ours, theirs = (written(statistics.median(one), self.unit) for one in (self.ours, self.theirs))
        promise = "" if self.bound is None else f"≤ {self.bound:g}"
        verdict = "" if self.holds else "   MISSED"
        low, high = half(self.rounds)
        spread = f"{low:.2f} to {high:.2f}" if len(self.rounds) > 1 else ""
        return (
            f"{self.name:44} {ours:>10} {theirs:>10} {self.ratio:8.2f} {spread:>16} {promise:>7}   {self.than}{verdict}"
        )


HEADING = f"{'':44} {'callflow':>10} {'other':>10} {'ratio':>8} {'half of them':>16} {'promise':>7}   than"


def half(rounds: Sequence[float]) -> tuple[float, float]:
    """The quartiles: half of the rounds lie between them."""
    if len(rounds) == 1:
        return rounds[0], rounds[0]
    low, _, high = statistics.quantiles(rounds, n=4)
    return low, high


def interleaved(runners: Sequence[Runner], number: int, *, warm: int) -> dict[str, list[float]]:
    """The rounds of each, by its name."""
    for runner in runners:
        runner.seconds(warm)
    found: dict[str, list[float]] = {runner.name: [] for runner in runners}
    for _ in range(ROUNDS):
        for runner in runners:
            found[runner.name].append(runner.seconds(number))
    return found


def in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[list[float], list[float]]:
    """One call of each, in batches of some 10 ms at least, with the processes that they wait for."""
    batches = [(call, _batch(call)) for call in (ours, theirs)]
    rounds = [[_seconds(call, times) / times for call, times in batches] for _ in range(ROUNDS)]
    return [one for one, _ in rounds], [other for _, other in rounds]


def _batch(call: Callable[[], object]) -> int:
    call()
    times = 1
    while _seconds(call, times) < 0.01 and times < 1_000_000:
        times *= 4
    return times


def _seconds(call: Callable[[], object], times: int) -> float:
    began = _used()
    for _ in range(times):
        call()
    return _used() - began


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def written(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value:,.0f} B"
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= scale:
            return f"{value / scale:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"
