"""The states' instructions: they stand behind the running agent's own while their state is active, and go with it."""

from __future__ import annotations

from typing import Any

from livekit.agents import Agent


class StateInstructions:
    """Knows what an agent's instructions were before a state's were added, and whether the program has changed them."""

    def __init__(self) -> None:
        self._agent: Agent | None = None
        self._own: Any = ""
        self._written: str | None = None  # what we have put there; None: nothing of ours

    async def apply(self, agent: Agent, text: str) -> bool:
        """Gives the agent its own instructions and `text` behind them, and takes ours from the one before. True: that
        was a change."""
        if self._agent is not None and self._agent is not agent:
            await self._remove()
        if self._written is None or agent.instructions != self._written:
            self._agent, self._own, self._written = agent, agent.instructions, None
        wanted = _join(self._own, text) if text else None
        if wanted == self._written:
            return False
        await agent.update_instructions(self._own if wanted is None else wanted)
        self._written = wanted
        return True

    async def _remove(self) -> None:
        agent, own, written = self._agent, self._own, self._written
        self._agent, self._written = None, None
        if agent is not None and written is not None and agent.instructions == written:
            await agent.update_instructions(own)


def _join(own: Any, text: str) -> str:
    before = str(own).strip()
    return f"{before}\n\n{text}" if before else text
