"""An event loop on virtual time: a 30 s timeout takes no time at all."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Timer(asyncio.TimerHandle):
    """A timer that knows when it was made, so that timers due at the same instant fire in that order.

    The handles of asyncio compare by time alone, and a heap is not stable.
    """

    __slots__ = ("order",)
    order: int

    def __lt__(self, other: object) -> bool:
        return (self.when(), self.order) < (other.when(), other.order) if isinstance(other, _Timer) else NotImplemented


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Whenever nothing is ready, the clock jumps to the next timer.

    `time()` starts at 0.0 and is in seconds. Time stands still while a function runs in an executor, and inside
    `outside_work()`: what comes back from another thread is never later than a timer that was set after it.
    It knows nothing of other processes and the network: talk to those on a real loop.

    `run_forever` raises `RuntimeError` when nothing can happen any more: no timer is set, and no thread or socket has
    reported for `patience` seconds of wall-clock time. A test that waits for ever ends with that sentence.
    """

    def __init__(self, *, patience: float = 30.0) -> None:
        self._now = 0.0
        self._orders = itertools.count()
        self._outside = 0
        super().__init__(_JumpingSelector(self, patience))

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock on; the timers that this makes due fire in the loop's next turn."""
        self._now += float(seconds)  # numpy's numbers would stay in it

    @contextmanager
    def outside_work(self) -> Iterator[None]:
        """Let time stand still: something outside this loop (a thread of one's own) is about to report to it."""
        self._outside += 1
        try:
            yield
        finally:
            self._outside -= 1

    @property
    def waits_for_outside(self) -> bool:
        return self._outside > 0

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]  # asyncio.base_events
        timer = _Timer(when, callback, args, self, context)
        timer.order = next(self._orders)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001  # what BaseEventLoop.call_at does
        return timer

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._outside += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: asyncio.Future[Any]) -> None:
        self._outside -= 1

    async def shutdown_default_executor(self, *args: Any) -> None:
        with self.outside_work():
            await super().shutdown_default_executor(*args)


class _JumpingSelector(selectors.DefaultSelector):
    """The one place where an event loop waits. It is asked to wait for `timeout` seconds, and jumps instead."""

    def __init__(self, loop: VirtualTimeLoop, patience: float) -> None:
        super().__init__()
        self._loop = loop
        self._patience = patience

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None and not self._loop.waits_for_outside:
            self._loop.advance(timeout)
            return ready
        ready = super().select(self._patience)
        if not ready:
            what = "a function in an executor to end" if self._loop.waits_for_outside else "an event; no timer is set"
            raise RuntimeError(
                f"nothing happened for {self._patience:g} s while the virtual-time loop waited for {what}"
            )
        return ready
