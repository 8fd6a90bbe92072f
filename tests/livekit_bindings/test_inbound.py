"""Telephones that call in: what the flow learns of them, and two calls from one number."""

from __future__ import annotations

import asyncio

import callflow
from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage
from tests.support.phone import story, told

DESK = """
callflow: 1
name: desk
initial: talking
states:
  talking:
    entry: [{say: "You call {{ call.trunk_number }} from {{ call.number }}."}]
    after: {30s: ending}
"""


async def test_a_flow_knows_who_calls_whom():
    async with SimulatedServer() as server:
        stage = Stage(callflow.loads(DESK), server, calls_in=FarEnd(hangs_up=20))
        record = await stage.play()
        [answered] = told(stage, "call.answered")
        assert (answered["kind"], answered["trunk"]) == ("sip", "ST_inbound")
        assert answered["trunk_number"] == "+15550100"
        assert answered["number"] == "+15550199"
        assert answered["identity"] == "sip_+15550199"
        assert answered["sip_call_id"] == answered["attributes"]["sip.callID"]
        assert answered["attributes"]["sip.ruleID"] == "SDR_inbound"
        assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")
        assert stage.heard.startswith("You call +15550100 from +15550199.")


async def test_a_second_call_from_the_same_number_takes_the_place_of_the_first():
    """Its identity is the number: LiveKit throws the first call out, and the flow goes on with the second."""
    async with SimulatedServer() as server:
        stage = Stage(callflow.loads(DESK), server, calls_in=FarEnd(), caller=None)
        again = []

        async def call_again():
            await asyncio.sleep(10)
            again.append(await stage.telephones.call_in("call", FarEnd(), number="+15550199"))

        calling = asyncio.ensure_future(call_again())
        record = await stage.play()
        await calling
        assert story(stage) == ["call.ringing", "call.answered", "call.dropped", "call.restored"]
        assert (record.outcome, record.hung_up_by) == ("none", "agent")
        assert not again[0].on_line
