"""The agents of a call: the silent one that waits for the far end, and what is watched on the program's own."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from livekit.agents import Agent, llm

from callflow.livekit_bindings import private

logger = logging.getLogger("callflow")

_WATCHED = "_callflow_on_enter"


class SilentAgent(Agent):
    """Says nothing and answers nobody: it holds the session while the far end's phone rings."""

    def __init__(self, *, stt: Any = None, vad: Any = None) -> None:
        super().__init__(instructions="Say nothing.", llm=None, tts=None, stt=stt, vad=vad)


class ListeningAgent(SilentAgent):
    """Hears as `agent` would, answers nobody, and remembers what was said: it holds the session until it is known who
    has answered."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(stt=agent.stt, vad=agent.vad)

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        private.remember(self.session, self, new_message)


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
