"""Whole calls on the simulated telephone network: what the flow makes of a telephone, and what the telephone sees."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

import callflow
from callflow.telephony.network import FAR_ENDS, FarEnd, PhoneNetwork
from callflow.testing import SimulatedServer, Tool
from callflow.testing.play import Stage, hangs_up, talks

NUMBER, DESK = "+15550123456", "+15550100100"

OUTBOUND = """
callflow: 1
name: outbound
initial: dialing
tools: {end_call: {description: The customer is done.}}
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 20s, detect_machine: {timeout: 10s}}}]
    on:
      dial.answered: screening
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
    after: {8s: {target: ending, do: [{outcome: abandoned}]}}
  screening:
    on:
      amd.human: talking
      amd.*: {target: ending, do: [{outcome: machine}]}
    after: {20s: talking}
  talking:
    entry: [generate_reply]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
outcomes: [abandoned]
"""

TRANSFER = """
callflow: 1
name: transfer
initial: talking
states:
  talking:
    entry: [{say: One moment please.}, {transfer: {to: "+15550100100"}}]
    on:
      transfer.completed: {target: ending, do: [{outcome: transferred}]}
      transfer.failed: {target: ending, do: [{say: Nobody is there.}, {outcome: failed}]}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def outbound(server, far_end, **parts):
    network = PhoneNetwork({NUMBER: far_end})
    return Stage(callflow.loads(OUTBOUND), server, phone=network, model=["Hello Ada.", Tool("end_call")], **parts)


async def test_a_telephone_is_in_the_room_while_it_rings_and_hears_nothing(server):
    seen = []

    async def answered(telephone):
        seen.append((telephone.info.attributes["sip.callStatus"], telephone.heard_text))
        await talks("bye")(telephone)

    call = outbound(server, FAR_ENDS["answers"], caller=answered)
    statuses = []
    call.job.room.on(
        "participant_attributes_changed",
        lambda changed, who: statuses.append(changed.get("sip.callStatus")) if who.kind == 3 else None,
    )
    record = await call.play()
    assert call.trace == ["dialing", "screening", "talking", "ending", "closed"]
    assert [status for status in statuses if status] == ["ringing", "active"]
    assert seen == [("active", "")]
    assert call.heard == "Hello Ada.\nGoodbye."
    assert (record.outcome, record.notes) == ("completed", ())
    assert record.answered - record.started == pytest.approx(4.0, abs=0.1)
    assert call.far_end.reason == rtc.DisconnectReason.ROOM_DELETED


async def test_a_dial_that_is_left_stops_ringing(server):
    call = outbound(server, FarEnd(rings=18.0))
    record = await call.play()
    assert call.trace == ["dialing", "ending", "closed"]
    assert (record.outcome, record.effects[0].status) == ("abandoned", "cancelled")
    assert 8.0 < record.seconds < 10.5  # LiveKit's session waits 2 s for the last words of somebody who has said none
    assert call.heard == ""
    assert not call.far_end.on_line
    assert call.far_end.left - call.far_end.joined == pytest.approx(8.0, abs=0.1)


async def test_a_machine_is_hung_up_on(server):
    call = outbound(server, FarEnd(rings=2.0, category="machine-ivr"))
    record = await call.play()
    assert call.trace == ["dialing", "screening", "ending", "closed"]
    assert record.outcome == "machine"


async def test_who_hangs_up_before_it_is_known_who_it_is(server):
    call = outbound(server, FAR_ENDS["answers"], caller=hangs_up(after=0.5))
    record = await call.play()
    assert call.trace == ["dialing", "screening", "ending", "closed"]
    assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")
    await asyncio.sleep(30)
    assert not [step for step in call.steps if getattr(step.event, "name", "").startswith("amd.")]


@pytest.mark.parametrize(
    ("desk", "outcome", "heard"),
    [
        ("answers", "transferred", "One moment please."),
        ("busy", "failed", "One moment please.\nNobody is there."),
        ("no_answer", "failed", "One moment please.\nNobody is there."),
    ],
)
async def test_a_caller_is_transferred(server, desk, outcome, heard):
    network = PhoneNetwork({DESK: FAR_ENDS[desk]})
    call = Stage(callflow.loads(TRANSFER), server, phone=network, calls_in=FarEnd())
    record = await call.play()
    assert (record.outcome, call.heard) == (outcome, heard)
    assert network.dialled == [DESK]
