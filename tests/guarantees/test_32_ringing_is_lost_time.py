"""Row 32: the time in which it rings is lost: the session is set up only when somebody has picked up
(livekit/agents#5271), who says "hello?" to nobody.

A flow's session starts beside the dial, and is there when it is answered.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api
from livekit.agents import Agent, AgentSession

from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from callflow.testing.play import offline_session
from tests.support.phone import NUMBER, outbound
from tests.support.rawphone import raw_phone

SET_UP = 3.0
"""Seconds that the session's start takes: its models, a customer's file."""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.fixture(autouse=True)
def slow(monkeypatch):
    start = AgentSession.start

    async def slow_start(self, *args, **options):
        await asyncio.sleep(SET_UP)
        return await start(self, *args, **options)

    monkeypatch.setattr(AgentSession, "start", slow_start)


def silence(telephone):
    """Seconds from the answer to the first sound."""
    picked_up = telephone.call.sent("200")[0].at
    return telephone.heard[0].start - picked_up


async def test_by_itself_who_picks_up_waits_for_the_session():
    async def calls(ctx):
        request = api.CreateSIPParticipantRequest(sip_call_to=NUMBER, room_name="room", sip_trunk_id="ST_1")
        request.wait_until_answered, request.participant_identity = True, "phone"
        await ctx.api.sip.create_sip_participant(request)
        session = offline_session()
        await session.start(Agent(instructions="x"), room=ctx.room)
        session.say("Hello there.")

    async with raw_phone(FarEnd(6), after_connect=calls) as raw:
        await asyncio.sleep(20)
        assert silence(raw.phone.legs["phone"]) > SET_UP


async def test_a_flow_is_ready(server):
    stage = outbound(server, FarEnd(6))
    await stage.play()
    assert stage.heard == "Hello there."
    assert silence(stage.far_end) < 0.3
