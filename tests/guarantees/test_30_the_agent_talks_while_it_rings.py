"""Row 30: the agent talks while it rings: the telephone is in the room from the dial on (livekit/sip#114,
livekit/agents#1863).

In a flow nothing is said, and no agent is entered, before `call.answered`.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, AgentSession

from callflow.telephony.network import FAR_ENDS
from callflow.testing import ScriptedLLM, SimulatedServer, SpelledSTT, SpelledTTS
from tests.support import raw
from tests.support.phone import calls, outbound
from tests.support.rawphone import raw_phone

GREETING = "Good morning, this is your dentist."


class Greets(Agent):
    async def on_enter(self) -> None:
        await self.session.generate_reply(instructions="greet")


def session():
    return AgentSession(llm=ScriptedLLM([GREETING]), stt=SpelledSTT(), tts=SpelledTTS(), **raw.SPEECH)


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_the_greeting_goes_to_a_phone_that_rings():
    async def greets(ctx):
        await ctx.wait_for_participant()
        await session().start(Greets(instructions="x"), room=ctx.room)

    async with raw_phone(FAR_ENDS["voicemail"], after_connect=greets) as phone:
        phone.dial()
        await asyncio.sleep(10)
        assert phone.seen() == {"phone": "ringing"}
        [spoken] = phone.job.room.voice.speeches
        assert spoken[-1].end < 18  # all of it before anybody has picked up
        await asyncio.sleep(15)
        assert phone.phone.legs["phone"].heard_text == ""


@pytest.mark.parametrize("far", ["answers", "voicemail"])
async def test_a_flow_greets_who_has_picked_up(server, far):
    flow = """
callflow: 1
name: greets
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: ending}
  talking: {after: {20s: ending}}
"""
    stage = outbound(server, FAR_ENDS[far], flow, session=session(), agent=Greets(instructions="x"))
    await stage.play()
    assert stage.heard == GREETING
    [call] = calls(stage)
    assert stage.far_end.heard[0].start > call.sent("200")[0].at
    [spoken] = stage.job.room.voice.speeches
    assert spoken[0].start > call.sent("200")[0].at
