"""Row 39: `max_call_duration` counts from the dial, and cuts the talk short of somebody who was slow to pick up
(livekit/sip#353).

A flow's own timers count from the answer: a state's from its entry.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import calls, outbound, told
from tests.support.rawphone import raw_phone

LIMITED = """
callflow: 1
name: limited
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: ending}
  talking:
    after: {20s: {target: ending, do: [{say: Our time is up.}, {outcome: timed_out}]}}
"""


def talked(call):
    return call.got("BYE")[0].at - call.sent("200")[0].at


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_the_ringing_counts():
    async with raw_phone(FarEnd(15)) as phone:
        await phone.dial(max_call_duration={"seconds": 20})
        await asyncio.sleep(30)
        assert talked(phone.calls[0]) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("rings", [1, 15, 25])
async def test_a_flow_counts_from_the_answer_and_says_goodbye(server, rings):
    stage = outbound(server, FarEnd(rings), LIMITED)
    record = await stage.play()
    assert 20 < talked(calls(stage)[0]) < 23
    assert stage.heard == "Our time is up."
    assert (record.outcome, record.hung_up_by) == ("timed_out", "agent")


async def test_a_bridges_limit_that_a_flow_asks_for_is_nobody_elses_hang_up(server):
    flow = LIMITED.replace("trunk: ST_1", "trunk: ST_1, max_call_duration: 10s")
    stage = outbound(server, FarEnd(5), flow)
    record = await stage.play()
    [hangup] = told(stage, "call.hangup")
    assert (hangup["by"], hangup["cause"], record.hung_up_by) == ("agent", "max_call_duration", "agent")
