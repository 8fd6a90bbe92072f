"""One event through a live call's inbox, on the phone call of `phone.py`, and what a live call and kept snapshots weigh."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import callflow
from benchmarks.bench_step import EVENTS
from benchmarks.measure import Ratio
from benchmarks.phone import WALK, as_flow
from benchmarks.recorded import Played
from callflow.core.events import Event
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.runtime import Call
from callflow.runtime.ports import CallOf, Facts

CALLS = 1_000
KEPT = 1_000_000
NAMES = [event.name for event in EVENTS[:-1]]
"""The last one ends the call, which is another matter than an event."""


class Nowhere:
    """A world in which every effect ends at once."""

    def __init__(self) -> None:
        self.performed = 0

    def begin(self, call: CallOf) -> None: ...

    async def open(self) -> None: ...

    def settle(self, step: Step) -> None: ...

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        self.performed += 1
        return {}

    def forward(self, effect: int, event: Event) -> None: ...

    def hurry(self) -> None: ...

    async def close(self, *, session: bool, line: bool) -> None: ...

    def facts(self) -> Facts:
        return Facts()

    def finish(self, reason: str) -> None: ...


class Live:
    """A call of the phone call that runs, event by event: each is taken, and what it brought about has ended, before the
    next one comes. With `journal` until all of it is written."""

    def __init__(self, name: str, *, owned: bool = False, journal: bool = False) -> None:
        self.name = name
        self._flow = callflow.loads(as_flow(entry="say" if owned else "log"), check=False)
        self._performed = 2 * len(NAMES) if owned else 0
        self._journal = journal

    def seconds(self, number: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            return asyncio.run(self._calls(number, folder if self._journal else None)) / number / len(NAMES)

    async def _calls(self, number: int, folder: str | None) -> float:
        world, calls = Nowhere(), []
        for _ in range(number):
            call = Call(self._flow, world, waiting=False, folder=folder)
            calls.append((call, asyncio.ensure_future(call.run())))
            await asyncio.sleep(0)
            await _quiet(call)
        already = world.performed
        began = time.process_time()  # once: where the clock is a call of the system, it costs as much as an event
        for call, _ in calls:
            for name in NAMES:
                call.post(name)
                await _idle(call)
            await _quiet(call)
        took = time.process_time() - began
        assert {call.snapshot.configuration for call, _ in calls} == {(WALK[-2][1],)}
        assert world.performed - already == number * self._performed, world.performed
        for call, running in calls:
            call.post(EVENTS[-1].name)
            await running
        return took


async def _idle(call: Call) -> None:
    """Until nothing is under way in the call."""
    while call._stage == "pumping" or call.effects.running:  # noqa: SLF001, ASYNC110 - each turn of the loop counts
        await asyncio.sleep(0)


async def _quiet(call: Call) -> None:
    """And the journal is written."""
    await _idle(call)
    if call.journal is not None:
        await call.journal.written(10)


def weights(played: Sequence[Played]) -> Iterator[Ratio]:
    yield Ratio("a live call, with its task", [asyncio.run(_weight())], [3000.0], "3,000 B", 1.0, "B")
    yield Ratio("a kept snapshot of the phone call", [_kept(_walks())], [600.0], "600 B", 1.0, "B")
    yield Ratio("a kept snapshot of recorded calls", [_kept(_again(played))], [600.0], "600 B", 1.0, "B")


async def _weight() -> float:
    """Bytes of one call that waits for its next event, with the task that runs it; what all calls share is not counted."""
    flow = callflow.loads(as_flow(), check=False)
    first = Call(flow, Nowhere(), waiting=False)
    tasks = [asyncio.ensure_future(first.run())]
    await asyncio.sleep(0.01)
    world = Nowhere()
    calls: list[Call] = [first]

    async def more() -> None:
        for _ in range(CALLS):
            calls.append(Call(flow, world, waiting=False))
            tasks.append(asyncio.ensure_future(calls[-1].run()))
        await asyncio.sleep(0.05)

    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    await more()
    gc.collect()
    weight = (tracemalloc.get_traced_memory()[0] - before) / CALLS
    tracemalloc.stop()
    for call in calls:
        call.post("app.fail")  # straight to the end
    await asyncio.gather(*tasks)
    return weight


def _walks() -> Callable[[], Iterator[Snapshot]]:
    flow = callflow.loads(as_flow(), check=False)
    first = callflow.start(flow, time=0.0).snapshot

    def again() -> Iterator[Snapshot]:
        snapshot = first
        for event in EVENTS:
            snapshot = callflow.step(flow, snapshot, event).snapshot
            yield snapshot

    return again


def _again(played: Sequence[Played]) -> Callable[[], Iterator[Snapshot]]:
    return lambda: (callflow.step(one.flow, one.before, one.event).snapshot for one in played)


def _kept(walk: Callable[[], Iterator[Snapshot]]) -> float:
    """Bytes of one of a million snapshots that are kept, as an explorer or a replay keeps them; what they share counts once."""
    every = list(walk())
    number = KEPT // len(every) // 20 * len(every)  # a twentieth of them: they weigh alike
    kept: list[Snapshot | None] = [None] * number
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    filled = 0
    while filled < number:
        for snapshot in walk():
            kept[filled] = snapshot
            filled += 1
    gc.collect()
    weight = (tracemalloc.get_traced_memory()[0] - before) / number
    tracemalloc.stop()
    return weight
