"""The phone call of `phone.py`: our step, flat and three levels deep, beside the other tools, interleaved in one run.

CPU time, medians of rounds; the log of each call is compared. The promise is made beside transitions' Machine, with callables;
the others are shown. Where the quarter of the rounds lie is written behind each.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import callflow
from benchmarks.measure import Ratio
from benchmarks.peers import Runner, peers
from benchmarks.phone import WALK, as_flow, expected
from callflow.core.events import Event

ROUNDS = 15
CALLS = 40
WARM = 40


class Step:
    """callflow's pure step."""

    def __init__(self, deep: int) -> None:
        self.name = f"callflow's step, {deep} level{'s' if deep > 1 else ''}"
        self._flow = callflow.loads(as_flow(deep), check=False)  # its `ending` waits for an event, as the others' do
        self._first = callflow.start(self._flow, time=0.0).snapshot
        self._events = [Event(f"app.{event}", {}, 1.0) for event, _ in WALK]

    def walks(self, number: int) -> float:
        flow, step, log = self._flow, callflow.step, []
        began = time.process_time()
        for _ in range(number):
            log, snapshot = [], self._first
            for event in self._events:
                done = step(flow, snapshot, event)
                snapshot = done.snapshot
                for note in done.notes:
                    if note.kind == "log":
                        log.append(note.data["message"])
        took = time.process_time() - began
        assert log == expected(), log
        return took / number / len(WALK)


class Spread:
    """The rounds of one runner."""

    def __init__(self, name: str, rounds: list[float]) -> None:
        self.name = name
        self.median = statistics.median(rounds)
        self.low, _, self.high = statistics.quantiles(rounds, n=4)


def measured(runners: list[Runner]) -> list[Spread]:
    """Rounds in turn, so that what else the machine does weighs on all."""
    for runner in runners:
        runner.walks(WARM)
    rounds: list[list[float]] = [[] for _ in runners]
    for _ in range(ROUNDS):
        for runner, found in zip(runners, rounds, strict=True):
            found.append(runner.walks(CALLS))
    return [Spread(runner.name, found) for runner, found in zip(runners, rounds, strict=True)]


def ratios() -> Iterator[Ratio]:
    others, missing = peers()
    flat, deep, machine, *rest = measured([Step(1), Step(3), *others])
    for one in others:
        close = getattr(one, "close", None)
        if close is not None:
            close()
    than = f"{machine.name} with callables: 8 states, 26 transitions, guards, 2 to 3 actions an event"
    yield Ratio("step", flat.median, machine.median, "s", than, 1.0)
    yield Ratio("step, three levels deep", deep.median, machine.median, "s", than, 1.3)
    for spread in (flat, deep, machine, *rest):
        print(
            f"  {spread.name:34} {spread.median * 1e6:8.1f} µs an event, half of the rounds from"
            f" {spread.low * 1e6:.1f} to {spread.high * 1e6:.1f}"
        )
    for name in missing:
        print(f"  {name} is not at hand")
