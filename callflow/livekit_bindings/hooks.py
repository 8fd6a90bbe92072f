"""The program's own functions that are called when a call is over."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any

from callflow.livekit_bindings.actions import in_thread

logger = logging.getLogger("callflow")

HOOK_SECONDS = 10.0
"""What each of them may take: LiveKit cancels an entrypoint 15 s after its job was told to end."""

HOOK_STOPS = 0.5
"""Seconds that one gets to stop once it was cancelled."""


async def run_hooks(kind: str, hooks: Iterable[Callable[..., Any]], record: Any) -> None:
    """Each in a task of its own: one that raises, hangs, is cancelled or swallows that costs the next ones nothing. `kind`
    is the option by which the program gave them; each is called with the record, or with nothing if it takes nothing."""
    for hook in hooks:
        task = asyncio.ensure_future(_run_hook(hook, record))
        await asyncio.wait({task}, timeout=HOOK_SECONDS)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=HOOK_STOPS)
        why = "did not end in time" if task.cancelled() or not task.done() else task.exception()
        if why is not None:
            error = why if isinstance(why, BaseException) else None
            extra = {"hook": getattr(hook, "__name__", repr(hook))}
            logger.error("an %s hook has failed: %s", kind, why, exc_info=error, extra=extra)


async def _run_hook(hook: Callable[..., Any], record: Any) -> None:
    arguments = (record,) if _takes_one(hook) else ()
    if inspect.iscoroutinefunction(hook):
        await hook(*arguments)
        return
    result = await in_thread(hook, *arguments)
    if inspect.isawaitable(result):
        await result


def _takes_one(hook: Callable[..., Any]) -> bool:
    try:
        inspect.signature(hook).bind(None)
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell
        return True
    return True
