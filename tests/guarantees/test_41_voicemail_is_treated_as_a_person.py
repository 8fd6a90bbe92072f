"""Row 41: a voicemail is treated as a person: its 200 OK looks the same (livekit/agents#6125, livekit/sip#403).

A flow has a state in which it is not known yet who has answered; a message is left once the greeting is over.
"""

from __future__ import annotations

import asyncio

from livekit.agents import Agent

from callflow.telephony.network import Hear, Wait
from tests.support.phone import calls
from tests.support.rawphone import raw_phone
from tests.support.screening import GREETING, HELLO, MESSAGE, calls_ann, model, picks_up, seconds, session, verdicts


async def test_by_itself_the_agent_talks_to_the_greeting():
    async def talks(ctx):
        await session(model([HELLO] * 9)).start(Agent(instructions="x"), room=ctx.room)

    async with raw_phone(picks_up(*GREETING), after_connect=talks) as phone:
        phone.phone.greets = False
        await phone.dial()
        await asyncio.sleep(12)
        assert HELLO in phone.phone.legs["phone"].heard_text


async def test_a_flow_leaves_a_message_after_the_greeting(server, ended):
    call = calls_ann(server, picks_up(*GREETING, then=(Wait(20.0),)))
    record = await call.play()
    assert call.trace[:3] == ["dialing", "finding_out", "finding_out.listening"]
    assert (record.outcome, call.heard) == ("voicemail", MESSAGE)
    [verdict] = verdicts(call)
    assert (verdict["category"], verdict["transcript"]) == ("machine-vm", " ".join(GREETING))
    [picked_up] = [signal.at for signal in calls(call)[0].sent("200") if signal.about == "INVITE"]
    assert call.far_end.heard[0].start > picked_up + 0.4 + seconds(*GREETING)
    ended(call)


async def test_a_flow_talks_to_a_person(server, ended):
    call = calls_ann(server, picks_up("Hello?", then=(Hear(), Wait(20.0))))
    record = await call.play()
    assert call.heard.splitlines()[0] == HELLO
    assert record.transcript[0]["text"] == "Hello?"
    ended(call)
