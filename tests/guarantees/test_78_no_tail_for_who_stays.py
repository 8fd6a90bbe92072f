"""Row 78: whoever stays loses the end of their goodbye, since the far end is gone and nobody waits for the sound
(livekit/agents-js#2168).

A flow's `drain` lets what is said end, and has its tail, while anybody who can hear is on the line.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd, PhoneNetwork
from callflow.testing import Caller
from callflow.testing.play import hangs_up

WORDS = "The caller has hung up. Goodbye."

FLOW = """
callflow: 1
name: last-words
initial: asking
states:
  asking:
    entry: [{dial: {to: "+15550100100", trunk: ST_1, leg: human, ringing_timeout: 20s}}]
    on: {dial.answered: together, dial.*: ending}
  together:
    after: {1m: ending}
    on: {call.hangup: caller_gone, leg.human.hangup: ending}
  caller_gone:
    must_finish: true
    entry: [SAY]
    on: {done: ending}
"""
SAY = f'{{say: {{text: "{WORDS}", to: human}}}}'


def drain_of(record):
    [drain] = [effect for effect in record.effects if effect.verb == "drain"]
    return drain


async def play(stage, flow, delay=0.04):
    async def caller(who):
        await asyncio.sleep(3)  # the colleague has been there for two
        call.telephones.legs["human"]._delay = delay
        await hangs_up(after=1)(who)

    call = stage(flow, phone=PhoneNetwork({"+15550100100": FarEnd(rings=1.0)}), caller=caller)
    return call, await call.play()


@pytest.mark.parametrize("delay", [0.04, 0.1, 0.18])
async def test_a_colleague_hears_the_last_letter(stage, ended, delay):
    call, record = await play(stage, FLOW.replace("SAY", SAY), delay)
    assert call.telephones.legs["human"].heard_text == WORDS
    assert drain_of(record).seconds == pytest.approx(0.2, abs=0.05)
    ended(call)


async def test_where_nobody_is_left_nobody_waits(stage, ended):
    call, record = await play(stage, FLOW.replace("SAY", "{remove_participant: human}"))
    assert drain_of(record).seconds < 0.05
    ended(call)


ANSWER = "We open at nine and close at five on weekdays, and on sundays we open at ten and close at four."


@pytest.mark.parametrize("who", ["human", "boss"])
async def test_a_far_end_that_leaves_during_the_drain_takes_it_from_nobody(stage, server, ended, who):
    """A colleague who was dialled, or a supervisor who has joined by WebRTC."""
    boss = Caller(server, "call", "boss")

    async def caller(caller):
        await asyncio.sleep(3)
        if who == "boss":
            boss.join()
            call.telephones.legs["human"].hang_up()
        await caller.say("when do you open")  # is answered at 4.4 s
        await asyncio.sleep(3.5)  # the ending is reached at 6.3 s, in mid-answer
        caller.hang_up()

    text = FLOW.replace("after: {1m: ending}", "after: {5s: ending}").replace("SAY", "{log: Gone.}")
    text = text.replace("leg.human.hangup: ending", "leg.human.hangup: {do: [{log: Gone.}]}")
    network = PhoneNetwork({"+15550100100": FarEnd(rings=1.0)})
    call = stage(text, model=[ANSWER], phone=network, caller=caller)
    record = await call.play()
    stays = boss if who == "boss" else call.telephones.legs["human"]
    assert stays.heard_text == ANSWER
    assert call.heard != ANSWER
    assert drain_of(record).seconds > 2
    ended(call)
