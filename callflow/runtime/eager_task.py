"""A task that takes its first step at once, as asyncio's own from Python 3.12 on. Most of what a call does beside speech asks
nobody and waits for nothing; such a coroutine is over when its first step is, and costs no turn of the loop.

The first step is a task's like every other: `asyncio.current_task()` is the task that goes on with it, in a context of its
own, so that time limits and groups that are opened in it belong to what they are opened in.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

_T = TypeVar("_T")

if sys.version_info >= (3, 12):

    def eager_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, _T], name: str
    ) -> tuple[asyncio.Task[_T] | None, _T | None]:
        """Takes the first step of a coroutine. The task that goes on with it; or None, and what it has returned. Raises what the
        coroutine raises. To be called while no task runs, in a callback of the loop."""
        task = asyncio.Task(coroutine, loop=loop, name=name, eager_start=True)
        return (None, task.result()) if task.done() else (task, None)

else:

    def eager_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, _T], name: str
    ) -> tuple[asyncio.Task[_T] | None, _T | None]:
        """Takes the first step of a coroutine. The task that goes on with it; or None, and what it has returned. Raises what the
        coroutine raises. To be called while no task runs, in a callback of the loop.

        For want of eager tasks a task is made whose own first turn goes on where the coroutine waits by then, or ends.
        """
        first = _First()
        rest = _rest(coroutine, first)
        rest.send(None)
        context = copy_context()
        task = asyncio.Task(rest, loop=loop, name=name, context=context)
        asyncio.tasks._enter_task(loop, task)  # noqa: SLF001 - documented, for tasks of others: "Extending asyncio"
        try:
            first.waits_for = context.run(coroutine.send, None)
        except StopIteration as end:
            first.over = True
            return None, end.value
        except BaseException:
            first.over = True
            raise
        finally:
            asyncio.tasks._leave_task(loop, task)  # noqa: SLF001
        return task, None


class _First:
    """What a first step has come to: what it waits for, or its end."""

    over = False
    waits_for: asyncio.Future[Any] | None = None


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, Any], first: _First) -> Generator[Any, None, Any]:
    """A coroutine from its second step on. Stands at its first `yield` until the task has its own first turn."""
    waits_for: Any = None
    while True:
        try:
            yield waits_for
        except GeneratorExit:  # thrown away with its loop, and what it goes on with perhaps before it
            coroutine.close()
            raise
        except BaseException as error:
            if first.over:
                raise
            pending, first.waits_for = first.waits_for, None
            if pending is not None and isinstance(error, asyncio.CancelledError) and pending.cancel(*error.args):
                waits_for = pending  # cancelled before it could wait: so is what it was to wait for, as ever
                continue
            resume: Callable[[], Any] = partial(coroutine.throw, error)
        else:
            if first.over:
                return None
            if first.waits_for is not None:
                waits_for, first.waits_for = first.waits_for, None
                continue
            resume = partial(coroutine.send, None)
        try:
            waits_for = resume()
        except StopIteration as end:
            return end.value
