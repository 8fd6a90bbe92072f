"""The offline models in real sessions: what a scripted call says, how long it sounds, what is heard of it."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, APIError, function_tool, llm, stt, vad
from livekit.agents.inference import VAD

from callflow.testing.models import Pause, ScriptedLLM, ToneSTT, ToneTTS, Tool, pitch, tone, voice


class Clerk(Agent):
    def __init__(self):
        super().__init__(instructions="a clerk")
        self.looked_up: list[str] = []

    @function_tool
    async def look_up(self, number: str) -> str:
        """Looks up an order."""
        self.looked_up.append(number)
        return "shipped"


async def test_a_scripted_call_says_its_turns_and_uses_its_tools():
    clerk = Clerk()
    model = ScriptedLLM([["Let me see.", Tool("look_up", {"number": "17"})], "It was shipped."])
    async with AgentSession(llm=model) as session:
        await session.start(clerk)
        result = await session.run(user_input="where is my order?")
        said = [m.text_content for m in session.history.messages() if m.role == "assistant"]
        again = await session.run(user_input="thanks")
    result.expect.next_event().is_message(role="assistant")
    called = result.expect.next_event().is_function_call(name="look_up").event()
    assert json.loads(called.item.arguments) == {"number": "17"}
    result.expect.next_event().is_function_call_output(output="shipped")
    result.expect.next_event().is_message(role="assistant")
    assert clerk.looked_up == ["17"]
    assert said == ["Let me see.", "It was shipped."]
    assert again.expect.next_event().is_message().event().item.text_content == "All right."
    assert [m.text_content for m in model.requests[0].messages() if m.role == "user"] == ["where is my order?"]


async def test_a_turn_may_be_slow_or_fail():
    loop = asyncio.get_running_loop()
    model = ScriptedLLM([[Pause(20), "slow"], APIError("no credit", retryable=False)])
    began = loop.time()
    answer = [chunk.delta.content async for chunk in model.chat(chat_ctx=_nothing()) if chunk.delta]
    assert answer == ["slow"]
    assert loop.time() - began == pytest.approx(20)
    with pytest.raises(APIError, match="no credit"):
        async for _ in model.chat(chat_ctx=_nothing()):
            pass


async def test_a_text_sounds_as_long_as_it_is():
    speaker = ToneTTS(880)
    async with speaker.synthesize("twenty characters ok") as stream:
        heard = await stream.collect()
    assert speaker.seconds("twenty characters ok") == 1.0
    assert heard.duration == pytest.approx(1.0, abs=0.011)  # LiveKit fills the last 10 ms up
    assert pitch(np.frombuffer(heard.data, np.int16)[:2400], heard.sample_rate) == pytest.approx(880, abs=10)


async def test_tones_are_heard_as_their_words():
    events = await _recognise(
        tone(620, 0.3, rate=16_000),
        _quiet(0.1),  # a breath, the word goes on
        tone(620, 0.3, rate=16_000),
        _quiet(0.4),
        tone(900, 0.1, rate=16_000),  # too short to be a word
        _quiet(0.4),
        tone(905, 0.6, rate=16_000),
        _quiet(0.4),
    )
    kind = stt.SpeechEventType
    assert events == [
        (kind.START_OF_SPEECH, None),
        (kind.INTERIM_TRANSCRIPT, "yes"),
        (kind.FINAL_TRANSCRIPT, "yes"),
        (kind.END_OF_SPEECH, None),
        (kind.START_OF_SPEECH, None),
        (kind.INTERIM_TRANSCRIPT, "no"),
        (kind.FINAL_TRANSCRIPT, "no"),
        (kind.END_OF_SPEECH, None),
    ]


async def test_the_synthetic_voice_is_taken_for_speech_and_a_tone_is_not():
    assert vad.VADEventType.START_OF_SPEECH in await _detect(voice(2.0, rate=16_000))
    assert vad.VADEventType.START_OF_SPEECH not in await _detect(tone(440, 2.0, rate=16_000))


def _nothing():
    return llm.ChatContext.empty()


def _quiet(seconds):
    return np.zeros(round(16_000 * seconds), np.int16)


def _frames(sound):
    for start in range(0, len(sound) - 159, 160):
        yield rtc.AudioFrame(sound[start : start + 160].tobytes(), 16_000, 1, 160)


async def _recognise(*sounds):
    async with ToneSTT({600: "yes", 900: "no"}).stream() as stream:
        for frame in _frames(np.concatenate(sounds)):
            stream.push_frame(frame)
        stream.end_input()
        return [(e.type, e.alternatives[0].text if e.alternatives else None) async for e in stream]


async def _detect(sound):
    stream = VAD().stream()
    for frame in _frames(sound):
        stream.push_frame(frame)
    stream.end_input()
    kinds = {event.type async for event in stream}
    await stream.aclose()
    return kinds
