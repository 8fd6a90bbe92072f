"""The simulated voice and ear: what is played when it is cut, paused and resumed, and LiveKit's own VAD on it."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession

from callflow.testing import Caller, ScriptedLLM, SimulatedJob, SimulatedServer, SpelledSTT, SpelledTTS
from callflow.testing.audio import Voice, join
from callflow.testing.models import voice
from callflow.testing.spelling import spell

RATE = 24_000


def frames(text):
    sound = spell(text, RATE)
    for start in range(0, len(sound), RATE // 5):
        piece = sound[start : start + RATE // 5]
        yield rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece))


@pytest.fixture
async def spoken():
    """A voice that somebody listens to, with what it has finished: (text, position, interrupted, when)."""
    out = Voice()
    out.listened.set()
    out.finished = []
    loop = asyncio.get_running_loop()
    out.on("playback_finished", lambda e: out.finished.append((e.playback_position, e.interrupted, loop.time())))
    return out


async def push(out, text):
    for frame in frames(text):
        await out.capture_frame(frame)
    out.flush()


def texts(out):
    return [sound.text for pieces in out.speeches if (sound := join(pieces)) is not None]


async def test_a_speech_takes_as_long_as_it_lasts(spoken):
    await push(spoken, "twenty characters ok")
    assert spoken.speaking
    event = await spoken.wait_for_playout()
    assert (event.playback_position, event.interrupted) == (pytest.approx(1.0), False)
    assert spoken.finished == [(pytest.approx(1.0), False, pytest.approx(1.0))]
    assert texts(spoken) == ["twenty characters ok"]


async def test_one_speech_waits_for_the_other(spoken):
    await push(spoken, "first speech")
    await push(spoken, "second")
    await spoken.wait_for_playout()
    assert texts(spoken) == ["first speech", "second"]
    assert [when for *_, when in spoken.finished] == [pytest.approx(0.6), pytest.approx(0.9)]


async def test_what_is_cut_was_never_heard(spoken):
    await push(spoken, "this is cut in the middle")
    await asyncio.sleep(0.52)
    spoken.clear_buffer()
    assert spoken.finished == [(pytest.approx(0.52), True, pytest.approx(0.52))]
    await asyncio.sleep(1)
    assert texts(spoken) == ["this is cu"]


async def test_a_pause_holds_what_was_not_played(spoken):
    await push(spoken, "one two three four")
    await asyncio.sleep(0.4)
    spoken.pause()
    await asyncio.sleep(5)
    assert texts(spoken) == ["one two"]
    spoken.resume()
    await spoken.wait_for_playout()
    assert spoken.finished == [(pytest.approx(0.9), False, pytest.approx(5.9))]
    assert "".join(text.replace(" ", "") for text in texts(spoken)) == "onetwothreefour"


async def test_nothing_is_played_before_somebody_listens():
    out = Voice()
    speech = asyncio.ensure_future(push(out, "hello"))
    await asyncio.sleep(10)
    assert texts(out) == []
    out.listened.set()
    await speech
    await out.wait_for_playout()
    assert texts(out) == ["hello"]
    assert next(iter(out.speeches))[0].start == pytest.approx(10.0)


async def test_a_line_that_drops_takes_the_rest_with_it():
    async with SimulatedServer() as server:
        job = SimulatedJob(server, _talk, room="room")
        caller = Caller(server, "room")
        caller.join()
        job.start()
        await asyncio.sleep(1)
        caller.vanish()
        await asyncio.sleep(0.5)
        caller.join()
        await asyncio.sleep(5)
        first, last = caller.heard_text[:5], caller.heard_text[-5:]
        assert (first, last) == ("There", "hole.")
        assert "a gap in it" not in caller.heard_text
        caller.hang_up()
        await job.ended()


async def _talk(ctx):
    session = AgentSession(tts=SpelledTTS(), vad=None)
    await session.start(Agent(instructions="x"), room=ctx.room)
    session.say("There is a gap in it and nobody heard the whole.")


async def test_livekits_own_vad_and_turn_detector_hear_a_voice():
    async with SimulatedServer() as server:

        async def entrypoint(ctx):
            long = "I could talk and talk and talk and talk and talk and talk and talk and talk."
            session = AgentSession(
                llm=ScriptedLLM([long]), stt=SpelledSTT(), tts=SpelledTTS(), aec_warmup_duration=None
            )
            await session.start(Agent(instructions="x"), room=ctx.room)
            session.generate_reply()

        job = SimulatedJob(server, entrypoint, room="room")
        caller = Caller(server, "room")
        caller.join()
        job.start()
        await asyncio.sleep(1)
        await caller.play(voice(2.0, rate=16_000))
        await asyncio.sleep(1)
        assert caller.heard[0].end < 2.5  # interrupted
        assert np.abs(caller.heard[0].samples).max() > 0
        caller.hang_up()
        await job.ended()
