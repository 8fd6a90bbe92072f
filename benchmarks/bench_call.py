"""One event through a live call's inbox beside a hand-written asyncio queue, and what a live call weighs."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import Any

import callflow
from benchmarks.bench_step import FLOW, ByHand
from benchmarks.measure import Ratio
from callflow.core.events import Event
from callflow.core.snapshot import Start, Step
from callflow.runtime import Call
from callflow.runtime.ports import Facts

EVENTS = 20_000
CALLS = 1_000
ROUNDS = 7


class Nowhere:
    """A world in which nothing happens."""

    def begin(self, call: Call) -> None: ...

    async def open(self) -> None: ...

    def settle(self, step: Step) -> None: ...

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        return {}

    def forward(self, effect: int, event: Event) -> None: ...

    def hurry(self) -> None: ...

    async def close(self, *, session: bool, line: bool) -> None: ...

    def facts(self) -> Facts:
        return Facts()

    def finish(self, reason: str) -> None: ...


def ratios() -> Iterator[Ratio]:
    mine, theirs = asyncio.run(_inboxes())
    yield Ratio("one event through the inbox", mine, theirs, "s", "a hand-written asyncio queue", 3.0)
    yield Ratio("a live call, with its task", asyncio.run(_weight()), 2500.0, "B", "2,500 B", 1.0)


async def _inboxes() -> tuple[float, float]:
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        best = [min(best[0], await _ours()), min(best[1], await _by_hand())]
    return best[0], best[1]


async def _ours() -> float:
    loop = asyncio.get_running_loop()
    call = Call(callflow.loads(FLOW), Nowhere(), waiting=False)
    running = asyncio.ensure_future(call.run())
    await asyncio.sleep(0.01)
    began = loop.time()
    for _ in range(EVENTS // 500):
        for _ in range(500):
            call.post("app.next")
        while call._inbox:  # noqa: SLF001, ASYNC110 - until all of them were taken
            await asyncio.sleep(0)
    took = loop.time() - began
    await call.hang_up()
    await running
    return took / EVENTS


async def _by_hand() -> float:
    """A queue, a task that takes from it, a look-up: what one would write."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Event] = asyncio.Queue()
    machine = ByHand()

    async def consume() -> None:
        while True:
            machine.step(await queue.get())

    task = asyncio.ensure_future(consume())
    await asyncio.sleep(0)
    began = loop.time()
    for _ in range(EVENTS // 500):
        for _ in range(500):
            queue.put_nowait(Event("app.next", {}, loop.time()))
        while not queue.empty():  # noqa: ASYNC110 - the same
            await asyncio.sleep(0)
    took = loop.time() - began
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return took / EVENTS


async def _weight() -> float:
    """Bytes of one call that waits for its next event, with the task that runs it; what all calls share is not counted."""
    flow = callflow.loads(FLOW)
    first = Call(flow, Nowhere(), waiting=False)
    tasks = [asyncio.ensure_future(first.run())]
    await asyncio.sleep(0.01)
    world = Nowhere()
    calls: list[Call] = [first]
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(CALLS):
        calls.append(Call(flow, world, waiting=False))
        tasks.append(asyncio.ensure_future(calls[-1].run()))
    await asyncio.sleep(0.05)
    gc.collect()
    weight = (tracemalloc.get_traced_memory()[0] - before) / CALLS
    tracemalloc.stop()
    for call in calls:
        await call.hang_up()
    await asyncio.gather(*tasks)
    return weight
