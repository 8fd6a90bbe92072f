"""Several parties on one line: who hears whom, on hold and off it, in private, and when people and tracks come and go."""

from __future__ import annotations

import asyncio
import wave

import numpy as np
import pytest

import callflow
from callflow.telephony.network import FarEnd, HangUp, PhoneNetwork, Wait
from callflow.testing import Caller, SimulatedServer
from callflow.testing.play import Stage, silent
from callflow.testing.server import Fault

HEAD = """
callflow: 1
name: parties
initial: alone
states:
  alone:
    entry: [{say: Hello.}, {dial: {to: "+15550100100", trunk: ST_1, leg: colleague}}]
    on: {dial.answered: three, dial.*: ending}
"""
ENDS = """
    after: {30s: ending}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.fixture
def music(tmp_path):
    """A second of a tone."""
    path = tmp_path / "music.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
        file.writeframes(tone.astype(np.int16).tobytes())
    return path


def three(server, body, caller=silent):
    """A caller, a colleague who is dialled and picks up after 4 s, and the agent."""
    text = HEAD + "  three:\n    entry:\n" + body + ENDS
    network = PhoneNetwork({"+15550100100": FarEnd(rings=4.0)})
    return Stage(callflow.loads(text), server, phone=network, caller=caller)


async def test_what_is_said_to_one_leg_is_heard_by_it_alone(server):
    body = """
      - say: Good that you are both here.
      - say: {text: This is between us., to: colleague}
      - say: {text: And this between the two of us., to: far_end}
      - say: Now for all.
"""
    stage = three(server, body)
    record = await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert stage.far_end.heard_text.splitlines() == [
        "Hello.",
        "Good that you are both here.",
        "And this between the two of us.",
        "Now for all.",
    ]
    assert colleague.heard_text.splitlines() == [
        "Good that you are both here.",
        "This is between us.",
        "Now for all.",
    ]
    assert record.notes == ()


async def test_a_private_speech_that_is_cut_leaves_nobody_out(server):
    body = """
      - say: {text: This is between us and goes on and on and on for ever so long., to: colleague}
    on: {app.next: next}
  next:
    entry: [{say: Now for all.}]
"""
    stage = three(server, body)
    server.loop.call_later(7, lambda: stage.call.send("app.next"))
    await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert stage.far_end.heard_text == "Hello.\nNow for all."
    assert colleague.heard_text.startswith("This is")
    assert colleague.heard_text.endswith("\nNow for all.")


async def test_hold_and_resume(server, music):
    body = """
      - hold: {music: MUSIC}
      - say: {text: We are alone now., to: colleague}
      - say: Everybody on the line hears this.
    on: {app.next: back}
  back:
    entry: [resume, {say: {text: Here you are again., interruptible: false}}]
"""

    async def talks(caller):
        await asyncio.sleep(6)
        for n in range(6):
            await caller.say(f"word {n}")
            await asyncio.sleep(1)
        await asyncio.sleep(8)
        await caller.say("thank you")

    stage = three(server, body.replace("MUSIC", str(music)), talks)
    server.loop.call_later(15, lambda: stage.call.send("app.next"))
    record = await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert stage.far_end.heard_text.splitlines()[:2] == ["Hello.", "Here you are again."]
    assert "Everybody on the line hears this." in colleague.heard_text
    # The one on hold hears music, the other does not, and neither hears the other.
    assert [round(sound.end - sound.start) for sound in stage.far_end.music] == [10]
    assert not colleague.music
    assert [sound.text for sound in colleague.heard_from(stage.far_end)] == ["thank you"]
    # Nor does the agent hear them: what was said on hold is no turn of theirs.
    assert [line["text"] for line in record.transcript if line["role"] == "user"] == ["thank you"]
    assert record.notes == ()


async def test_hold_once_more_changes_the_music(server, music):
    body = """
      - hold: {music: MUSIC}
    on: {app.next: quiet}
  quiet:
    entry: [hold]
"""
    stage = three(server, body.replace("MUSIC", str(music)))
    server.loop.call_later(15, lambda: stage.call.send("app.next"))
    await stage.play()
    [sound] = stage.far_end.music
    assert sound.end - sound.start == pytest.approx(15 - 6, abs=1.5)


async def test_a_hold_that_the_server_does_not_take_is_none(server):
    server.faults["UpdateSubscriptions"] = [Fault(500) for _ in range(9)]
    body = """
      - {hold: {optional: true}}
      - say: You are not on hold.
"""
    stage = three(server, body.replace("{hold: {optional: true}}", "hold: {optional: true}"))
    record = await stage.play()
    [held] = [effect for effect in record.effects if effect.verb == "hold"]
    assert held.status == "failed"
    assert "You are not on hold." in stage.far_end.heard_text
    assert stage.call.record.notes == ()


async def test_silence_does_not_count_for_one_on_hold(server):
    body = """
      - hold
    silence: {5s: {do: [{say: Are you there?}]}}
"""
    stage = three(server, body)
    await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert stage.far_end.heard_text == "Hello."
    assert "Are you there?" not in colleague.heard_text


async def test_a_track_that_is_published_later_obeys_the_rule(server):
    """A second colleague joins while the caller is on hold; they are kept apart like the first."""
    body = """
      - hold
      - say: Only you hear this.
"""
    stage = three(server, body)
    second = Caller(server, "call", "second")

    async def comes():
        await asyncio.sleep(9)
        second.join()
        await asyncio.sleep(1)
        await second.say("hello everybody")

    coming = asyncio.ensure_future(comes())
    await stage.play()
    colleague = stage.telephones.legs["colleague"]
    await coming
    assert [sound.text for sound in colleague.heard_from(second)] == ["hello everybody"]
    assert list(stage.far_end.heard_from(second)) == []


async def test_a_leg_that_comes_back_is_on_hold_still(server):
    body = """
      - hold
      - say: Only the other one hears this.
      - say: And this.
"""

    async def drops(caller):
        await asyncio.sleep(7)
        caller.vanish()
        await asyncio.sleep(1)
        caller.join()

    stage = three(server, body, drops)
    await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert stage.far_end.heard_text.splitlines()[:1] == ["Hello."]
    assert "And this" not in stage.far_end.heard_text
    assert "And this." in colleague.heard_text


async def test_the_server_takes_one_of_the_first_requests_only(server):
    """One that fails is tried again; nothing is said before it is known who hears it."""
    server.faults["UpdateSubscriptions"] = [Fault(500), Fault(503)]
    stage = three(server, "      - say: {text: This is between us., to: colleague}\n")
    record = await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert (stage.far_end.heard_text, colleague.heard_text) == ("Hello.", "This is between us.")
    assert record.notes == ()


async def test_what_cannot_be_private_is_not_said(server):
    server.faults["UpdateSubscriptions"] = [Fault(500)] * 30
    stage = three(server, "      - say: {text: This is between us., to: colleague}\n")
    record = await stage.play()
    colleague = stage.telephones.legs["colleague"]
    assert (stage.far_end.heard_text, colleague.heard_text) == ("Hello.", "")
    assert record.outcome == "failed"
    [failed] = [effect.error for effect in record.effects if effect.verb == "say" and effect.status == "failed"]
    assert "may hear what is not for them" in failed


STANDS_BY = """
callflow: 1
name: stands-by
initial: calling
states:
  calling:
    entry: [{dial: {to: "+15550100100", trunk: ST_1, leg: human}}]
    on: {dial.answered: leaving, dial.*: ending}
  leaving:
    entry: [hold, {say: {text: Ann is on the line., to: human}}, {outcome: transferred}, stand_by]
    on: {done: ending, call.hangup: ending}
"""


@pytest.mark.parametrize("who", ["human", "caller"])
async def test_two_telephones_talk_on_and_whoever_stays_is_not_left_in_silence(server, who):
    human = FarEnd(rings=2.0, acts=(Wait(600), HangUp()) if who == "human" else ())
    caller = FarEnd(acts=(Wait(600), HangUp())) if who == "caller" else FarEnd()
    network = PhoneNetwork({"+15550100100": human})
    stage = Stage(callflow.loads(STANDS_BY), server, phone=network, calls_in=caller)
    talked = []

    async def talk():
        await asyncio.sleep(300)
        far, other = stage.far_end, stage.telephones.legs["human"]
        await far.say("are you there")
        await other.say("yes I am")
        await asyncio.sleep(1)
        talked.append([sound.text for sound in other.heard_from(far)])
        talked.append([sound.text for sound in far.heard_from(other)])

    talking = asyncio.ensure_future(talk())
    record = await stage.play()
    await talking
    assert talked == [["are you there"], ["yes I am"]]
    assert (record.outcome, record.notes) == ("transferred", ())
    assert record.seconds == pytest.approx(602, abs=6)
    for telephone in (stage.far_end, stage.telephones.legs["human"]):
        assert not telephone.on_line
        assert {"BYE"} & set(telephone.call.messages) or {"> BYE"} & set(telephone.call.messages)
    assert server.rooms == {}
