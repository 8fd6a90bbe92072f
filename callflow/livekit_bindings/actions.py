"""Synchronous functions of the program run in threads of their own, which nobody has to wait for.

The event loop's default executor also looks up names, for the request that drops the line among others: ten actions that
hang would hold it up, and the interpreter waits for its threads at the end. These are daemons, at most MOST_THREADS.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import count
from typing import Any, ParamSpec, TypeVar

MOST_THREADS = 64
"""Functions that run at once in a process; what comes beyond waits, within its time limit."""

P = ParamSpec("P")
T = TypeVar("T")


class DaemonExecutor(Executor):
    """Threads are started as they are needed, and kept; none is waited for when the process ends."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._numbers = count()
        self.threads = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._waiting.put((future, functools.partial(fn, *args, **kwargs)))
        if not self._idle.acquire(blocking=False):
            with self._lock:
                if self.threads < self._most:
                    self.threads += 1
                    name = f"{self._name}-{next(self._numbers)}"
                    threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            try:
                future, function = self._waiting.get_nowait()
            except queue.Empty:
                self._idle.release()
                future, function = self._waiting.get()
            if future.set_running_or_notify_cancel():
                _carry_out(future, function)
            del future, function


def _carry_out(future: Future[Any], function: Callable[[], Any]) -> None:
    try:
        future.set_result(function())
    except StopIteration as error:  # which no future can hold
        future.set_exception(RuntimeError(f"StopIteration: {error}"))
    except BaseException as error:  # noqa: BLE001 - whoever waits is told, of SystemExit too
        future.set_exception(error)


_threads = DaemonExecutor(MOST_THREADS, "callflow-action")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns, called in a thread and in this context. Cancelled, the function runs on, unwaited for."""
    run = functools.partial(contextvars.copy_context().run, functools.partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, run)
