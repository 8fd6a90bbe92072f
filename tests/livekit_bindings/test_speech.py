"""Speech: who hears it, what cuts it, what is said again, and what becomes of it when nobody hears it."""

from __future__ import annotations

import asyncio
import wave
from textwrap import dedent

import pytest
from livekit import rtc
from livekit.agents import Agent

import callflow
from callflow.testing import Caller, SpelledTTS

LONG = "One two three four five six seven eight nine ten eleven twelve."


def flow(entry, rest=""):
    return f"""
    callflow: 1
    name: speech
    initial: talking
    states:
      talking:
        entry: [{entry}]
        on:
          done: {{do: [{{log: through}}]}}
          app.next: {{target: ending, do: [{{outcome: completed}}]}}
{rest}
    events: {{app.next: {{}}}}
    """


def effects(record, verb):
    return [effect for effect in record.effects if effect.verb == verb]


async def test_a_caller_who_speaks_cuts_what_may_be_cut_and_it_is_said_again_as_often_as_asked(stage):
    stage.begin(flow(f"{{say: {{text: {LONG}, repeat_if_interrupted: 1}}}}, {{say: And now.}}"))
    await asyncio.sleep(1)
    await stage.caller.say("wait a moment please")
    await asyncio.sleep(1)
    first, second = stage.caller.heard[0], stage.caller.heard[-1]
    assert LONG.startswith(first.text)
    assert first.text != LONG
    await asyncio.sleep(6)
    assert stage.caller.heard[-1].text == "And now."
    assert second.text != "And now."
    stage.caller.hang_up()
    record = await stage.ended()
    [said, after] = effects(record, "say")
    assert said.result == {"interrupted": False, "spoken": LONG, "heard": True}
    assert after.status == "ok"


async def test_what_is_not_interruptible_is_heard_to_its_end(stage):
    stage.begin(flow(f"{{say: {{text: {LONG}, interruptible: false}}}}"))
    await asyncio.sleep(1)
    await stage.caller.say("wait a moment please")
    await asyncio.sleep(5)
    assert stage.caller.heard[0].text == LONG
    stage.caller.hang_up()
    await stage.ended()


async def test_speech_ends_at_once_when_the_far_end_is_gone_and_says_that_it_was_not_heard(stage):
    stage.begin(flow(f"{{say: {{text: {LONG}, interruptible: false}}}}, {{say: More.}}", "        must_finish: true"))
    await asyncio.sleep(1)
    left = asyncio.get_running_loop().time()
    stage.caller.hang_up()
    record = await stage.ended()
    [first, second] = effects(record, "say")
    assert first.result["heard"] is False
    assert first.started + first.seconds - record.started < left - stage.job.began + 0.2
    assert second.result == {"interrupted": False, "spoken": "", "heard": False, "note": "nobody is on the line"}
    assert second.seconds < 0.1


async def test_speech_waits_for_a_far_end_that_has_vanished_and_what_was_cut_is_said_again(stage):
    stage.begin(flow(f"{{say: {{text: {LONG}}}}}"))
    await asyncio.sleep(1)
    state = stage.server.rooms["room"]
    stage.caller.vanish()
    stage.server.leave(state, stage.caller, rtc.DisconnectReason.UNKNOWN_REASON)
    await asyncio.sleep(5)
    stage.caller.join()
    await asyncio.sleep(5)
    assert stage.caller.heard[-1].text == LONG
    stage.call.send("app.next")
    record = await stage.ended()
    [said] = effects(record, "say")
    assert said.result == {"interrupted": False, "spoken": LONG, "heard": True}


async def test_leaving_a_state_cuts_its_speech_also_one_that_is_not_interruptible(stage):
    stage.begin(flow(f"{{say: {{text: {LONG}, interruptible: false}}}}"))
    await asyncio.sleep(1)
    stage.call.send("app.next")
    record = await stage.ended()
    assert effects(record, "say")[0].status == "cancelled"
    assert LONG.startswith(stage.heard)
    assert stage.heard != LONG


async def test_speech_after_the_drain_is_a_recorded_no_op(stage):
    text = """
    callflow: 1
    name: late
    initial: talking
    standard: false
    ending: ending
    on:
      call.hangup: ending
      room.disconnected: ending
      job.shutdown: ending
    states:
      talking: {entry: [{say: Bye.}, drain], on: {done: ending}, after: {30s: ending}}
      ending:
        entry: [{say: Too late.}, {generate_reply: {instructions: Too late.}}, delete_room, aclose, shutdown]
        on: {done: closed}
      closed: {final: true}
    """
    record = await stage.play(text)
    assert stage.heard == "Bye."
    late = [*effects(record, "say")[1:], *effects(record, "generate_reply")]
    assert [effect.status for effect in late] == ["ok"] * 2
    assert {effect.result["heard"] for effect in late} == {False}
    assert stage.llm.requests == []


@pytest.mark.parametrize("verb", ['play: "%s"', 'play: {file: "%s", loop: true}', 'hold: {music: "%s"}'])
@pytest.mark.parametrize(
    ("written", "inside"),
    [
        ("sounds/{{ call.room }}.wav", True),
        ("shared/{{ call.room }}.wav", True),  # a link, which the flow itself has written
        ("sounds/{{ call.room }}.wav.outside", False),
        ("sounds/{{ 'up/' + call.room }}.wav", False),
        ("sounds/up/{{ call.room }}.wav", True),
        ("{{ 'shared/' + call.room }}.wav", False),
        ("shared/room.wav", True),
    ],
)
async def test_a_link_leads_no_rendered_path_out_of_its_folder(stage, tmp_path, verb, written, inside):
    for folder in ("flows", "flows/sounds", "elsewhere"):
        (tmp_path / folder).mkdir()
        with wave.open(str(tmp_path / folder / "room.wav"), "wb") as file:
            file.setparams((1, 2, 24000, 0, "NONE", ""))
            file.writeframes(b"\0\0" * 24000)
    (tmp_path / "flows/sounds/room.wav.outside").symlink_to(tmp_path / "elsewhere/room.wav")
    (tmp_path / "flows/sounds/up").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "flows/shared").symlink_to(tmp_path / "elsewhere")
    text = dedent(flow("{%s}, {say: After it.}" % (verb % written)))
    stage.begin(callflow.loads(text, str(tmp_path / "flows" / "flow.yaml")))
    if inside:
        await asyncio.sleep(5)
        stage.call.send("app.next")
    record = await stage.ended()
    if inside:
        assert record.fault is None
    else:
        assert "lies outside the folder" in record.fault


async def test_a_sound_is_played_to_its_end_and_again_and_again_until_its_state_is_left(stage, tmp_path):
    with wave.open(str(tmp_path / "chime.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(b"\x10\x00" * 24_000)
    text = flow("{play: chime.wav}, {say: After it.}").replace("events:", "x-file: chime\n    events:")
    path = tmp_path / "flow.yaml"
    path.write_text(dedent(text))
    stage.begin(callflow.load(path))
    await asyncio.sleep(5)
    stage.call.send("app.next")
    record = await stage.ended()
    [played] = effects(record, "play")
    assert played.status == "ok"
    assert played.seconds == pytest.approx(1.0, abs=0.3)
    assert stage.caller.heard[-1].text == "After it."


async def test_a_sound_that_is_not_there_is_a_failure_that_says_so(stage):
    record = await stage.play(flow("""{play: "{{ 'nowhere' + '.wav' }}"}"""))
    assert record.outcome == "failed"
    assert "there is no sound" in record.fault


async def test_a_sound_that_is_not_there_is_said_before_the_call_where_its_name_is_known(stage):
    text = dedent(flow("{play: nowhere.wav}"))
    with pytest.raises(callflow.FlowFileError, match=r"nowhere\.wav"):
        callflow.loads(text, "flow.yaml")
    with pytest.raises(callflow.BindError, match=r"flow\.yaml:\d+: the sound nowhere\.wav of play is not there"):
        await stage.play(callflow.loads(text, "flow.yaml", check=False))


async def test_mute_and_unmute(stage):
    stage.begin(flow(f"mute, {{say: {LONG}}}, unmute"))
    await asyncio.sleep(0.2)
    await stage.caller.say("hello")
    await asyncio.sleep(5)
    await stage.caller.say("and now")
    await asyncio.sleep(2)
    stage.caller.hang_up()
    record = await stage.ended()
    assert [message["text"] for message in record.transcript if message["role"] == "user"] == ["and now"]


async def test_interrupt_and_wait_for_speech(stage):
    entry = f"{{say: {{text: {LONG}, wait: false}}}}, wait_for_speech, {{say: After.}}, {{say: {{text: {LONG}, wait: false}}}}"
    stage.begin(flow(entry + ', {http: {url: "http://127.0.0.1:9/", timeout: 500ms, optional: true}}, interrupt'))
    await asyncio.sleep(12)
    texts = [sound.text for sound in stage.caller.heard]
    assert texts[:2] == [LONG, "After."]
    assert all(text != LONG for text in texts[2:])
    stage.call.send("app.next")
    await stage.ended()


async def test_a_tts_that_fails_is_a_failure_and_not_silence(stage):
    class Broken(SpelledTTS):
        def synthesize(self, text, **options):
            raise ValueError("no voice today")

    record = await stage.play(flow("{say: Hello.}"), agent=Agent(instructions="", tts=Broken()))
    assert record.outcome == "failed"
    assert "the TTS has failed" in record.fault


async def test_half_a_letter_in_what_is_said_is_no_failure(stage):
    """A model's JSON may hold one half of a surrogate pair; whole pairs are put together."""
    text = flow('{say: "Hello {{ vars.name }} yes."}', "    vars: {name: string}")
    stage.begin(text, vars={"name": "\ud83d, \ud83d\ude00"})
    stage.server.loop.call_later(5, lambda: stage.call.send("app.next"))
    record = await stage.ended()
    assert record.outcome == "completed"
    assert record.effects[0].result["spoken"] == "Hello \ufffd, \U0001f600 yes."


async def test_speech_to_one_leg_of_several_is_heard_by_nobody_else(stage):
    stage.begin(
        flow('{http: {url: "http://127.0.0.1:9/", timeout: 2s, optional: true}}, {say: {text: Psst., to: far_end}}')
    )
    second = Caller(stage.server, "room", "second")
    second.join()
    stage.server.loop.call_later(10, lambda: stage.call.send("app.next"))
    await stage.ended()
    assert (stage.caller.heard_text, second.heard_text) == ("Psst.", "")
