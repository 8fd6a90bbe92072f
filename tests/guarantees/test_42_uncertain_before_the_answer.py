"""Row 42: answering machine detection says "uncertain" before anybody has answered: its clock runs while it rings
(livekit/agents#6187).

Detection starts with the dial, so that nothing of the greeting is missed; its time counts from the answer, and somebody
who is not there (yet) is not "uncertain".
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import AMD, Agent

from callflow.telephony.network import FAR_ENDS, FarEnd, Hear, Say, Wait
from callflow.testing import Fault
from tests.support.phone import told
from tests.support.rawphone import raw_phone
from tests.support.screening import HELLO, calls_ann, model, picks_up, session, verdicts


async def test_by_itself_somebody_who_joins_late_is_uncertain():
    async def listens(ctx):
        await asyncio.sleep(1)
        talking = session(model())
        await talking.start(Agent(instructions="x"), room=ctx.room)
        async with AMD(talking, participant_identity="phone", suppress_compatibility_warning=True) as detector:
            asyncio.get_running_loop().call_later(6, phone.dial)  # the trunk takes its time
            verdict = await detector.execute()
            seen.append((verdict.category.value, verdict.reason, phone.seen()))

    seen = []
    async with raw_phone(picks_up("Hello?"), after_connect=listens) as phone:
        await asyncio.sleep(20)
        assert seen == [("uncertain", "participant_missing", {})]


@pytest.mark.parametrize("rings", [1.0, 8.0, 28.0])
async def test_a_flow_waits_for_the_answer(server, ended, rings):
    far = FarEnd(rings, acts=(Wait(0.4), Say("Hello?"), Hear(), Wait(20.0)))
    call = calls_ann(server, far)
    await call.play()
    [verdict] = verdicts(call)
    assert (verdict["category"], verdict["transcript"]) == ("human", "Hello?")
    assert call.heard.splitlines()[0] == HELLO
    ended(call)


@pytest.mark.parametrize("far", ["busy", "no_answer", "declines", "unreachable", "hangs_up_at_once"])
async def test_nobody_is_not_uncertain(server, ended, far):
    call = calls_ann(server, FAR_ENDS[far])
    await call.play()
    assert verdicts(call) == []
    assert not told(call, "amd.uncertain")
    ended(call)


async def test_a_flow_waits_for_a_telephone_that_joins_late(server, ended):
    server.faults["CreateSIPParticipant"] = [Fault(seconds=7)]  # LiveKit's detector gives up after 5 s
    call = calls_ann(server, picks_up("Hello?", then=(Hear(), Wait(20.0))))
    await call.play()
    [verdict] = verdicts(call)
    assert (verdict["category"], verdict["transcript"]) == ("human", "Hello?")
    ended(call)
