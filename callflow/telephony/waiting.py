"""What a script waits for, on the running event loop."""

from __future__ import annotations

import asyncio
import math
from typing import Any


def now() -> float:
    """The loop's time."""
    return float(asyncio.get_running_loop().time())


def future() -> asyncio.Future[Any]:
    """One of the running loop."""
    return asyncio.get_running_loop().create_future()


def fail(future: asyncio.Future[Any], error: BaseException) -> None:
    """It fails, if it has not come yet."""
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody may be waiting


async def first(*what: Any, within: float = math.inf) -> None:
    """Returns when one of these is done, or the time is up; what is a coroutine is cancelled then."""
    tasks = {asyncio.ensure_future(one) for one in what}
    own = tasks - set(what)
    try:
        await asyncio.wait(
            tasks, timeout=None if math.isinf(within) else max(within, 0.0), return_when="FIRST_COMPLETED"
        )
    finally:
        for task in own:
            task.cancel()
            task.add_done_callback(_collect)


def _collect(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
