"""Row 54: the agent is mute, and then gone, when a model fails: each reply is tried four times, in silence, and the
fourth that fails closes the session (livekit/agents#6152).

In a flow a failed model is a failure of the reply that the flow asked for, and `session.error` where the caller did: a
row may say so with a recorded sound, and without one the call ends.
"""

from __future__ import annotations

import asyncio
import wave

import numpy as np
import pytest
from livekit.agents import APIConnectionError, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from callflow.testing.models import tone
from callflow.testing.play import offline_session, silent, talks
from callflow.testing.spelling import SpelledTTS
from tests.guarantees.conftest import FRONT_DESK, GREETING
from tests.support import raw

DOWN = [APIConnectionError("the model is down") for _ in range(60)]
APOLOGY = (
    FRONT_DESK.replace("    on:\n", "    on:\n      session.error: sorry\n      failed: sorry\n")
    + """
  sorry:
    entry: [{play: {file: SOUND}}, {outcome: failed}]
    on: {done: ending}
"""
)


class BrokenTTS(SpelledTTS):
    def synthesize(self, text, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return _BrokenStream(tts=self, input_text=text, conn_options=conn_options)


class _BrokenStream(tts.ChunkedStream):
    async def _run(self, output_emitter):
        raise APIConnectionError("the voice is down")


async def test_by_itself_the_caller_hears_nothing_and_stays_on_the_line():
    async with raw.raw_call(raw.Agent(instructions="x"), DOWN) as call:
        for _ in range(5):
            await call.caller.say("hello?")
            await asyncio.sleep(10)
        assert call.caller.heard_text == ""
        assert [reason for _, reason in call.closed] == ["error"]
        await asyncio.sleep(600)
        assert call.caller.on_line
        assert call.job.over is None


async def test_a_greeting_that_fails_ends_the_call(stage, ended):
    call = stage(model=DOWN, caller=silent)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "failed"
    assert "the model is down" in record.fault
    assert call.far_end.left - call.far_end.joined < 12
    ended(call)


async def test_replies_that_fail_one_after_the_other_end_the_call(stage, ended):
    async def caller(who):
        await who.hear()
        while who.on_line:
            await who.say("hello?")
            await asyncio.sleep(8)

    call = stage(model=[GREETING, *DOWN], caller=caller)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event) == ("failed", "session.close")
    assert "the model is down" in record.cause.detail["error"]
    assert call.far_end.left - call.far_end.joined < 60
    ended(call)


async def test_one_that_fails_once_and_a_caller_who_waits_is_bounded_by_the_silence(stage, ended):
    call = stage(model=[GREETING, *DOWN], caller=talks("hello?"))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.trigger) == ("timed_out", "silence 2m")
    ended(call)


@pytest.mark.parametrize("turns", [DOWN, [GREETING, *DOWN]], ids=["greeting", "reply"])
@pytest.mark.parametrize(
    "row", ["sorry", "{target: sorry, when: not event.recoverable}"], ids=["first try", "last try"]
)
async def test_a_flow_may_say_so_with_a_recorded_sound(stage, ended, tmp_path, turns, row):
    sound = tmp_path / "sorry.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", "not compressed"))
        file.writeframes(tone(600, 1.5, rate=24_000).astype(np.int16).tobytes())
    call = stage(
        APOLOGY.replace("SOUND", str(sound)).replace("session.error: sorry", f"session.error: {row}"),
        model=turns,
        caller=talks("hello?"),
    )
    record = await call.play()
    assert call.trace == ["talking", "sorry", "ending", "closed"]
    assert (record.outcome, record.fault) == ("failed", None)
    last = call.far_end.heard[-1]
    assert 1.3 < last.end - last.start < 1.8
    assert call.far_end.dead_air < 0.5
    ended(call)


async def test_a_voice_that_fails_ends_the_call_too(stage, ended):
    session = offline_session([GREETING], tts=BrokenTTS())
    call = stage(session=session, caller=silent)
    record = await call.play()
    assert record.outcome == "failed"
    assert call.heard == ""
    assert call.far_end.left - call.far_end.joined < 20
    ended(call)
