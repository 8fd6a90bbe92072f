"""The agents of a call: the silent one that waits for the far end, and what is watched on the program's own."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
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


def watch_on_enter(agent: Agent, failed: Callable[[Exception], None]) -> None:
    """LiveKit only logs an `on_enter` that raises, and the call is mute. Here `failed` hears of it too."""
    if getattr(agent, _WATCHED, None) is not None:
        setattr(agent, _WATCHED, failed)
        return
    original = agent.on_enter

    @functools.wraps(original)
    async def on_enter() -> Any:
        try:
            return await original()
        except Exception as error:
            getattr(agent, _WATCHED)(error)
            raise

    setattr(agent, _WATCHED, failed)
    agent.on_enter = on_enter  # type: ignore[method-assign]
