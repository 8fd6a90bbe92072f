"""A warm transfer: two telephones and an agent in one room, judged at both telephones."""

from __future__ import annotations

import pytest

from callflow.telephony.network import HangUp, Press, Tone, Wait
from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import RINGS_FOR_EVER, picks_up, refuses
from tests.e2e.phone.network import call_of

BRIEFING = len("A caller for you, press one.") * 0.05
MOMENT = len("One moment.") * 0.05
STAYS = picks_up()


async def puts_through(line, network, human, *, caller=STAYS):
    """The agent's call with a caller, and the human's telephone."""
    desk = await network.telephone(human)
    given = {"human": desk.number, "human_trunk": desk.trunk}
    return await calls(line, network, caller, flow="puts_through", given=given), desk


async def test_the_human_accepts_and_the_two_talk(line, network):
    human = picks_up(acts=(Wait(3.0), Press("1"), Wait(1.0), Tone(900, 1.0), Wait(1.5), HangUp()))
    caller = picks_up(acts=(Wait(1.5), *[Tone(700, 0.5), Wait(0.5)] * 12))
    out, desk = await puts_through(line, network, human, caller=caller)
    called = await out.call()
    theirs = await call_of(desk, within=40)
    hung_up = await theirs.over(within=30)
    dropped = await called.over(within=5)
    record = await out.record(within=10)
    assert record["outcome"] == "transferred"
    assert theirs.heard.seconds_at(440) == pytest.approx(BRIEFING, abs=0.4)
    assert called.heard.seconds_at(440) == pytest.approx(MOMENT, abs=0.3)
    assert called.heard.seconds_at(900) == pytest.approx(1.0, abs=0.3)
    accepted = theirs.answered_at + 3.0
    while_briefed = [sound for sound in theirs.heard.sounds() if abs(sound.hz - 700) < 30 and sound.began < accepted]
    assert while_briefed == []
    assert theirs.heard.seconds_at(700) > 0.8
    assert dropped.at - hung_up.at < 1
    assert called.got("BYE") != []


async def test_the_caller_leaves_the_human_when_they_have_talked(line, network):
    human = picks_up(acts=(Wait(3.0), Press("1")))
    out, desk = await puts_through(line, network, human, caller=picks_up(acts=(Wait(8.0), HangUp())))
    called = await out.call()
    theirs = await call_of(desk, within=40)
    await called.over(within=30)
    await theirs.wait_for("BYE", within=3)
    record = await out.record(within=10)
    assert record["outcome"] == "transferred"


@pytest.mark.parametrize(
    ("human", "result"),
    [
        (refuses(603), "declined"),
        (refuses(486), "declined"),
        (RINGS_FOR_EVER, "no_answer"),
        (picks_up(acts=(Wait(3.0), Press("2"))), "declined"),
        (picks_up(acts=(Wait(0.7), HangUp())), "declined"),
    ],
    ids=["603", "486", "rings", "key", "hangs_up"],
)
async def test_a_human_who_does_not_want_to_leads_back_to_the_caller(line, network, human, result):
    out, desk = await puts_through(line, network, human)
    called = await out.call()
    theirs = await call_of(desk, within=40)
    over = await theirs.over(within=20)
    await called.over(within=20)
    record = await out.record(within=10)
    assert record["outcome"] == "completed"
    assert f"consult.{result}" in out.events()
    sounds, on_line = called.heard.sounds(), theirs.answered_at or over.at
    assert [sound for sound in sounds if on_line < sound.ended and sound.began < over.at] == []  # of the briefing
    assert called.heard.seconds_at(440) == pytest.approx(MOMENT + len("Nobody is there.") * 0.05, abs=0.4), sounds


@pytest.mark.parametrize(
    ("human", "how"), [(RINGS_FOR_EVER, "CANCEL"), (picks_up(), "BYE")], ids=["while-it-rings", "during-the-briefing"]
)
async def test_the_caller_leaves_first(line, network, human, how):
    out, desk = await puts_through(line, network, human, caller=picks_up(acts=(Wait(2.5), HangUp())))
    called = await out.call()
    theirs = await call_of(desk, within=40)
    gone = await called.over(within=30)
    left = await theirs.wait_for(how, within=5)
    assert left.at - gone.at < 2
    record = await out.record(within=10)
    assert record["outcome"] == "hung_up"
