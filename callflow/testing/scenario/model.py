"""The model of a call that is played: it says what a scenario has it say, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from livekit.agents import llm
from livekit.agents.voice.agent_activity import _SpeechHandleContextVar

from callflow.testing.models import Part, ScriptedLLM, asks_who
from callflow.testing.scenario.fates import Fates
from callflow.testing.scenario.words import words_for

Verdict = Callable[[], Awaitable[Sequence[Part]]]


class DirectedLLM(ScriptedLLM):
    """Asked for an action of the flow, it says that action's words; in a turn that a step has begun (`wanted`, by LiveKit's id of the
    speech) it says and calls what the step says; in any other it has nothing to say. A `real` model has all these turns instead, and not the question
    who has answered a dial: that is the scenario's to say."""

    def __init__(self, fates: Fates, verdict: Verdict, real: llm.LLM[Any] | None = None) -> None:
        super().__init__()
        self._real = real
        self._fates, self._verdict = fates, verdict
        self._said: set[str] = set()  # the speeches whose words were said: one that begins anew is another
        self.speeches: Mapping[str, int] = {}
        self.wanted: dict[str, Sequence[Part]] = {}
        self.turns = 0  # in which it had nothing to say

    def chat(self, *, tools: list[llm.Tool] | None = None, **asked: Any) -> llm.LLMStream:
        if self._real is None or asks_who(tools or []):
            return super().chat(tools=tools, **asked)
        return self._real.chat(tools=tools, **asked)

    async def turn_for(self, asked: llm.ChatContext, tools: Sequence[llm.Tool]) -> Sequence[Part]:
        if asks_who(tools):
            return await self._verdict()
        await asyncio.sleep(0)  # whoever has begun the speech knows its id by now
        speech = _SpeechHandleContextVar.get(None)
        name = "" if speech is None else speech.id
        effect = self.speeches.get(name)
        if effect is not None and effect in self._fates.known and name not in self._said:
            self._said.add(name)
            ending = self._fates.known[effect].ending
            spoken = ending.result.get("spoken")
            return [str(spoken) if spoken is not None else words_for(*([ending.after] if ending.after else []))]
        if name in self.wanted:
            return self.wanted.pop(name)
        self.turns += 1
        return []
