"""Keys both ways, and who has answered: judged at the telephone."""

from __future__ import annotations

import pytest

from callflow.telephony.network import HangUp, Press, Tone, Wait
from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import picks_up

SAYS_HELLO = (Wait(0.3), Tone(600, 0.6))
SAYS_MUCH = (Wait(0.3), Tone(600, 3.0))


async def test_keys_are_taken_and_sent(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(2.5), Press("1234"))), flow="keys")
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert record["outcome"] == "right"
    assert call.digits == "5*#"
    assert "1234" not in str(record["vars"])


async def test_keys_that_are_pressed_while_the_prompt_is_spoken_are_not_lost(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(0.6), Press("1234"))), flow="keys")
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert record["outcome"] == "right"
    prompt = call.heard.sounds()[0]
    assert prompt.seconds < len("Please press four keys now.") * 0.05 - 0.2


async def test_a_telephone_that_presses_too_little(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(2.0), Press("12"))), flow="keys")
    record = await out.record(within=60)
    assert record["outcome"] == "wrong"
    assert out.events()[-1] in ("dtmf.no_match", "dtmf.no_input")


async def test_a_person_is_greeted_once_it_is_known_that_it_is_one(line, network):
    out = await calls(line, network, picks_up(acts=SAYS_HELLO), flow="screens")
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert record["outcome"] == "person"
    assert call.heard.seconds_at(440) == pytest.approx(len("Hello, this is Ann.") * 0.05, abs=0.3)
    assert out.events() == ["call.ringing", "call.answered", "dial.answered", "amd.human"]


async def test_a_voicemail_hears_the_whole_message_after_its_own(line, network):
    out = await calls(line, network, picks_up(acts=SAYS_MUCH), flow="screens", who="machine-vm")
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert record["outcome"] == "voicemail"
    [message] = call.heard.sounds(pause=0.8)
    assert message.began > call.answered_at + 3
    assert message.seconds == pytest.approx(len("Please call Ann back.") * 0.05, abs=0.3)


async def test_the_telephone_hangs_up_before_it_is_known_who_it_is(line, network):
    out = await calls(
        line, network, picks_up(acts=(Wait(0.3), Tone(600, 0.6), HangUp())), flow="screens", who="machine-vm"
    )
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=15)
    assert record["outcome"] == "hung_up"
    assert not [name for name in out.events() if name.startswith("amd.")]
    assert call.heard.sounds() == []
