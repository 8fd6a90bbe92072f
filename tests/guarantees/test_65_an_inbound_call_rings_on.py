"""Row 65: an inbound telephone call rings on although the agent is there: LiveKit answers it when somebody publishes a
track.

A flow answers at once by publishing, greeting or not, or decides (`answer: manual`).
"""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedJob
from callflow.testing.phone import PhoneNetwork, SimulatedPhone
from callflow.testing.play import Stage

FLOW = """
callflow: 1
name: answers
initial: listening
states:
  listening: {after: {10s: {target: ending, do: [{outcome: completed}]}}}
"""
MANUAL = "answer: manual\n"


async def test_by_itself_an_agent_who_publishes_nothing_lets_it_ring(server):
    async def waits(ctx):
        await ctx.connect()
        await ctx.wait_for_participant()

    phone = SimulatedPhone(server, PhoneNetwork(), room="call")
    job = SimulatedJob(server, waits, room="call")
    telephone = await phone.call_in("call", FarEnd())
    job.start()
    await asyncio.sleep(60)
    assert telephone.info.attributes["sip.callStatus"] == "ringing"
    job.ctx.shutdown()
    await job.ended()
    await phone.close()


@pytest.mark.parametrize("says", ["", "    entry: [{say: Good morning.}]\n"], ids=["nothing", "a greeting"])
async def test_a_flow_answers_at_once(server, ended, says):
    flow = (
        FLOW.replace("  listening: {after", f"  listening:\n{says}    after").replace("}}]}}}", "}}]}}")
        if says
        else FLOW
    )
    call = Stage(callflow.loads(flow.replace("]}}}", "]}}") if says else flow), server, calls_in=FarEnd())
    record = await call.play()
    wire = call.far_end.call
    assert wire.got("200")[0].at - wire.sent("INVITE")[0].at < 0.5
    assert record.outcome == "completed"
    ended(call)


@pytest.mark.parametrize(("verb", "answer"), [("answer", "200"), ("reject", "486")])
async def test_a_flow_that_decides_takes_or_refuses_it(server, ended, verb, answer):
    flow = MANUAL + FLOW.replace(
        "{after:", "{entry: [{log: rings}], after: {2s: deciding}}\n  deciding: {entry: [VERB], after:"
    )
    call = Stage(callflow.loads(flow.replace("VERB", verb)), server, calls_in=FarEnd())
    await call.play()
    wire = call.far_end.call
    [final] = [
        signal
        for signal in wire.signals
        if not signal.by_telephone and signal.message in ("200", "486") and signal.about == "INVITE"
    ]
    assert final.message == answer
    assert final.at - wire.sent("INVITE")[0].at == pytest.approx(2.1, abs=0.2)
    ended(call)
