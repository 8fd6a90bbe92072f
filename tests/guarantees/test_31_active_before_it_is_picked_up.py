"""Row 31: the carrier says `active` while the phone still rings, and the greeting is spoken into the ringing
(livekit/sip#436).

A flow that listens who has answered says nothing before somebody has spoken; where nobody does, nobody has answered.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent
from livekit.agents.utils.participant import wait_for_participant_attribute

from callflow.telephony.network import Hear, Say, Wait
from tests.support.phone import calls
from tests.support.rawphone import raw_phone
from tests.support.screening import HELLO, calls_ann, model, picks_up, session

LATER = 7.0  # seconds from the bridge's "active" until somebody picks up


class Greets(Agent):
    async def on_enter(self) -> None:
        await self.session.generate_reply(instructions="greet")


async def test_by_itself_the_greeting_is_over_before_anybody_picks_up():
    async def starts(ctx):
        await ctx.wait_for_participant()
        await wait_for_participant_attribute(ctx.room, identity="phone", attribute="sip.callStatus", value="active")
        await session(model([HELLO])).start(Greets(instructions="x"), room=ctx.room)

    async with raw_phone(picks_up("Hello?", after=LATER), after_connect=starts) as phone:
        await phone.dial()
        active = asyncio.get_running_loop().time()
        await asyncio.sleep(LATER)
        [spoken] = phone.job.room.voice.speeches
        assert spoken[-1].end < active + LATER


@pytest.mark.parametrize("later", [3.0, LATER])
async def test_a_flow_greets_who_picks_up(server, ended, later):
    call = calls_ann(server, picks_up("Hello?", after=later, then=(Hear(), Say("that is all, bye"), Wait(20.0))))
    record = await call.play()
    [active] = [signal.at for signal in calls(call)[0].sent("200") if signal.about == "INVITE"]
    assert call.heard.splitlines()[0] == HELLO
    assert call.far_end.heard[0].start > active + later
    assert record.outcome == "completed"
    ended(call)


async def test_nobody_picks_up(server, ended):
    call = calls_ann(server, picks_up(after=60.0))
    record = await call.play()
    assert (record.outcome, call.heard) == ("no_answer", "")
    assert record.seconds < 20
    ended(call)
