"""The wall clock of a simulation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def wall_clock(epoch: float | None = None) -> Iterator[None]:
    """While this is entered, `time.time()` follows the running event loop, from `epoch` (now, unless set) on.

    On a virtual-time loop the two would drift apart, and LiveKit's sessions compare both: the end of a turn and the
    close of a session would wait for instants that are long over. Enter it in the loop's own thread, one at a time.
    """
    loop = asyncio.get_running_loop()
    real, real_ns = time.time, time.time_ns
    offset = (real() if epoch is None else epoch) - loop.time()
    time.time = lambda: offset + float(loop.time())
    time.time_ns = lambda: int(time.time() * 1e9)
    try:
        yield
    finally:
        time.time, time.time_ns = real, real_ns
