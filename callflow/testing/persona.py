"""A caller played by a model: it is told who it is, hears what the agent says, and says, presses or hangs up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from livekit.agents import APIError, llm

from callflow.testing.caller import KEYS, Caller
from callflow.testing.outside import OutsideLLM

LISTENS = 60.0
"""Seconds for which a caller waits for somebody to speak; who hears nothing for so long is asked whether they stay."""

NOBODY_SPEAKS = "(Nobody has said anything for a minute.)"

ROLE = """You play one person in a telephone call, to try out the agent at the other end. This is who you are:

{persona}

What you are sent is what you hear. Answer with the words that you say next, as people speak on the telephone, and nothing else:
no quotation marks, no stage directions. Call press_keys to press keys, say_nothing to go on listening, hang_up once you have what
you wanted, have said goodbye, or would give up. Stay in your part, and never say that you are a model."""


def _tool(name: str, description: str, properties: dict[str, Any] | None = None) -> llm.Tool:
    schema = {
        "type": "object",
        "properties": properties or {},
        "required": list(properties or {}),
        "additionalProperties": False,
    }

    async def never_called(raw_arguments: dict[str, object]) -> None:
        """The model says that it would; the caller does it."""

    told = {"name": name, "description": description, "parameters": schema}
    return llm.function_tool(never_called, raw_schema=told)


TOOLS: Sequence[llm.Tool] = (
    _tool("hang_up", "Hang up."),
    _tool("say_nothing", "Go on listening."),
    _tool("press_keys", "Press keys of the telephone.", {"keys": {"type": "string", "description": "0-9, * and #"}}),
)


class Impersonated:
    """Plays a caller, once for each call. `said` is what the model has said, done and heard; where it has `failed` the caller hangs up."""

    def __init__(self, model: OutsideLLM, persona: str, *, turns: int) -> None:
        self._model = model
        self._turns = turns
        self.failed: APIError | None = None
        self.said = llm.ChatContext.empty()
        self.said.add_message(role="system", content=ROLE.format(persona=persona.strip()))

    async def __call__(self, caller: Caller) -> None:
        """From the moment at which they are on the line until they, or others, hang up."""
        for _ in range(self._turns):
            heard = await self._hear(caller)
            if not caller.on_line:
                return
            self.said.add_message(role="user", content=heard)
            try:
                chunks = await self._model.answer(self.said, list(TOOLS))
            except APIError as error:
                self.failed = error
                break
            text = "".join(chunk.delta.content or "" for chunk in chunks if chunk.delta).strip()
            calls = [call for chunk in chunks if chunk.delta for call in chunk.delta.tool_calls]
            self._note(text, calls)
            if text:
                await caller.say(text)
            for call in calls:
                await self._do(caller, call)
        caller.hang_up()

    async def _hear(self, caller: Caller) -> str:
        try:
            async with asyncio.timeout(LISTENS):
                return await caller.hear()
        except TimeoutError:
            return NOBODY_SPEAKS

    def _note(self, text: str, calls: Sequence[llm.FunctionToolCall]) -> None:
        if text:
            self.said.add_message(role="assistant", content=text)
        for call in calls:
            self.said.insert(llm.FunctionCall(call_id=call.call_id, name=call.name, arguments=call.arguments))
            self.said.insert(
                llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output="Done.", is_error=False)
            )

    async def _do(self, caller: Caller, call: llm.FunctionToolCall) -> None:
        if call.name == "hang_up":
            await asyncio.sleep(0.5)
            caller.hang_up()
        elif call.name == "press_keys":
            caller.press("".join(key for key in _keys(call.arguments) if key in KEYS))
            await asyncio.sleep(0.5)


def _keys(arguments: str) -> str:
    """A model may say anything: what is no text with keys is none."""
    try:
        said = json.loads(arguments or "{}")
    except ValueError:
        return ""
    return str(said.get("keys", "")).lower() if isinstance(said, dict) else ""
