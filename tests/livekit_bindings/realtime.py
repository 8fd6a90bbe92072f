"""A realtime model that needs nobody: it says its script, in its own voice."""

from __future__ import annotations

import asyncio
import itertools

from livekit import rtc
from livekit.agents import llm, utils
from livekit.agents.types import NOT_GIVEN

from callflow.testing import Tool
from callflow.testing.spelling import spell

RATE = 24_000


class SpokenRealtime(llm.RealtimeModel):
    """Each reply takes the next turn of the script, a text or a Tool. `seen` has the instructions and the tools that it
    had at each reply."""

    def __init__(self, turns, *, says=False):
        super().__init__(
            capabilities=llm.RealtimeCapabilities(
                message_truncation=True,
                turn_detection=False,
                user_transcription=False,
                auto_tool_reply_generation=False,
                audio_output=True,
                manual_function_calls=True,
                mutable_chat_context=True,
                mutable_instructions=True,
                mutable_tools=True,
                supports_say=says,
            )
        )
        self.turns = iter(turns)
        self.seen = []

    def session(self, *, turn_detection_disabled=False):
        return SpokenSession(self)

    async def aclose(self):
        return None


class SpokenSession(llm.RealtimeSession):
    def __init__(self, model):
        super().__init__(model)
        self._chat_ctx = llm.ChatContext.empty()
        self._tools = llm.ToolContext.empty()
        self._instructions = ""
        self._ids = itertools.count(1)

    @property
    def chat_ctx(self):
        return self._chat_ctx

    @property
    def tools(self):
        return self._tools

    async def update_instructions(self, instructions):
        self._instructions = str(instructions)

    async def update_chat_ctx(self, chat_ctx):
        self._chat_ctx = chat_ctx

    async def update_tools(self, tools):
        self._tools = llm.ToolContext(tools)

    def update_options(self, *, tool_choice=NOT_GIVEN):
        return None

    def push_audio(self, frame):
        return None

    def push_video(self, frame):
        return None

    def generate_reply(self, *, instructions=NOT_GIVEN, tool_choice=NOT_GIVEN, tools=NOT_GIVEN):
        self.realtime_model.seen.append((self._instructions, sorted(self._tools.function_tools)))
        return self._generation(next(self.realtime_model.turns, "All right."))

    def say(self, text):
        return self._generation(text)

    def _generation(self, turn):
        number = next(self._ids)
        messages, calls = utils.aio.Chan(), utils.aio.Chan()
        if isinstance(turn, Tool):
            call = llm.FunctionCall(call_id=f"call-{number}", name=turn.name, arguments="{}")
            calls.send_nowait(call)
        else:
            messages.send_nowait(_message(f"message-{number}", turn))
        messages.close()
        calls.close()
        created = llm.GenerationCreatedEvent(message_stream=messages, function_stream=calls, user_initiated=True)
        future = asyncio.get_running_loop().create_future()
        future.set_result(created)
        return future

    def commit_audio(self):
        return None

    def clear_audio(self):
        return None

    def interrupt(self):
        return None

    def truncate(self, *, message_id, modalities, audio_end_ms, audio_transcript=NOT_GIVEN):
        return None

    async def aclose(self):
        return None


def _message(name, text):
    async def words():
        yield text

    async def frames():
        sound = spell(text, RATE)
        for start in range(0, len(sound), RATE // 10):
            piece = sound[start : start + RATE // 10]
            yield rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece))

    modalities = asyncio.get_running_loop().create_future()
    modalities.set_result(["audio", "text"])
    return llm.MessageGeneration(message_id=name, text_stream=words(), audio_stream=frames(), modalities=modalities)
