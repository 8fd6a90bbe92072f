"""Row 69: a key pressed by one party acts for the other: `sip_dtmf_received` comes for every telephone in the room.

A key of a flow names its leg: `dtmf.1` is the far end's alone, another's is `leg.human.dtmf.1`. What is sent goes to all
of them, and where there are several the record says so.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd, HangUp, Press, Wait
from tests.support.phone import NUMBER, outbound, told
from tests.support.rawphone import raw_phone

HUMAN = "+15550100100"

FLOW = """
callflow: 1
name: two
initial: dialing
outcomes: [theirs, ours]
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: second, dial.*: ending}
  second:
    entry: [{dial: {to: "+15550100100", trunk: ST_1, leg: human}}]
    on: {dial.answered: together, dial.*: ending}
  together:
    entry: [{ENTRY}]
    on:
      dtmf.1: {target: ending, do: [{outcome: theirs}]}
      leg.human.dtmf.1: {target: ending, do: [{outcome: ours}]}
      dtmf.input: {target: ending, do: [{outcome: theirs}]}
    after: {20s: ending}
"""
PRESSES = FarEnd(1.0, acts=(Wait(4.0), Press("1"), Wait(30.0)))
LISTENS = FarEnd(1.0, acts=(Wait(40.0),))


async def test_by_itself_everybodys_keys_come_alike():
    pressed = []

    async def listens(ctx):
        ctx.room.on("sip_dtmf_received", lambda key: pressed.append(key.digit))

    async with raw_phone({NUMBER: PRESSES, HUMAN: PRESSES}, after_connect=listens) as phone:
        phone.dial()
        phone.dial(HUMAN, participant_identity="human")
        await asyncio.sleep(10)
        assert pressed == ["1", "1"]


@pytest.mark.parametrize("entry", ["log: together", "collect_digits: {count: 1, first_digit: 15s}"])
@pytest.mark.parametrize("who", ["theirs", "ours"])
async def test_in_a_flow_a_key_names_who_has_pressed_it(server, ended, entry, who):
    far = {NUMBER: FarEnd(1.0, acts=(Wait(6.0), Press("1"), Wait(30.0))) if who == "theirs" else LISTENS}
    call = outbound(server, far | {HUMAN: PRESSES if who == "ours" else LISTENS}, FLOW.replace("ENTRY", entry))
    record = await call.play()
    assert record.outcome == who
    assert len(told(call, "leg.human.dtmf.1")) == (who == "ours")
    ended(call)


async def test_keys_that_are_sent_go_to_all_and_the_record_says_so(server, ended):
    far = {NUMBER: LISTENS, HUMAN: FarEnd(1.0, acts=(Wait(8.0), HangUp()))}
    call = outbound(server, far, FLOW.replace("ENTRY", 'send_dtmf: "12"'))
    record = await call.play()
    assert [one.digits for one in call.phone.calls] == ["12", "12"]
    assert record.notes == (
        "keys were sent while several telephones were on the line: LiveKit sends them to every one",
    )
    ended(call)
