"""The agents of a call: the silent one that waits for the far end, and what is watched on the program's own."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import Agent

logger = logging.getLogger("callflow")

_WATCHED = "_callflow_on_enter"


class SilentAgent(Agent):
    """Says nothing and answers nobody: it holds the session while the far end's phone rings."""

    def __init__(self, *, hears_as: Agent | None = None) -> None:
        """`hears_as`: whose ears it has, until it is known who has answered; it is deaf unless set."""
        stt, vad = (None, None) if hears_as is None else (hears_as.stt, hears_as.vad)
        super().__init__(instructions="Say nothing.", llm=None, tts=None, stt=stt, vad=vad)


Enter = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Runs an `on_enter`."""


def _retrieved(task: asyncio.Task[Any] | None) -> None:
    """Looks at the exception of LiveKit's own task, as LiveKit does not: asyncio would log it again, whenever the garbage
    collector finds it."""
    if task is not None:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


def watch_on_enter(agent: Agent, enter: Enter, failed: Callable[[Exception], None]) -> None:
    """LiveKit only logs an `on_enter` that raises, and the call is mute. Here `failed` hears of it too. `enter` runs it."""
    if getattr(agent, _WATCHED, None) is not None:
        setattr(agent, _WATCHED, (enter, failed))
        return
    original = agent.on_enter

    @functools.wraps(original)
    async def on_enter() -> Any:
        enter, failed = getattr(agent, _WATCHED)
        try:
            return await enter(original)
        except Exception as error:
            failed(error)
            _retrieved(asyncio.current_task())
            raise

    setattr(agent, _WATCHED, (enter, failed))
    agent.on_enter = on_enter  # type: ignore[method-assign]
