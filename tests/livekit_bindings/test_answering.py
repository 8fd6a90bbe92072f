"""Inbound calls on the simulated telephone network: answered at once, or as the flow decides."""

from __future__ import annotations

import pytest

import callflow
from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, silent

DECIDES = """
callflow: 1
name: decides
initial: deciding
answer: manual
vars: {number: {type: string, default: "", pii: true}}
states:
  deciding:
    entry: [{log: somebody rings}]
    after:
      3s: [{target: talking, when: 'call.number == "+15550199"'}, refusing]
  talking:
    entry: [answer, {say: Good morning.}, {outcome: completed}]
    on: {done: ending}
  refusing:
    entry: [{reject: busy}, {outcome: declined}]
    on: {done: ending}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def names(call):
    return [step.event.name for step in call.steps if getattr(step.event, "name", "").startswith("call.")]


async def test_a_call_that_is_taken(server):
    call = Stage(callflow.loads(DECIDES), server, calls_in=FarEnd())
    record = await call.play()
    wire = call.far_end.call
    assert names(call) == ["call.offered", "call.answered"]
    assert (record.outcome, call.heard) == ("completed", "Good morning.")
    assert wire.got("200")[0].at - wire.sent("INVITE")[0].at == pytest.approx(3.1, abs=0.15)
    assert record.answered - record.started == pytest.approx(3.1, abs=0.15)


async def test_a_call_that_is_refused(server):
    call = Stage(callflow.loads(DECIDES.replace("0199", "0000")), server, calls_in=FarEnd())
    record = await call.play()
    assert names(call) == ["call.offered"]
    assert record.outcome == "declined"
    assert call.far_end.call.messages == ["> INVITE", "180", "486", "> ACK"]
    assert record.answered is None


async def test_a_caller_who_gives_up_before(server):
    call = Stage(callflow.loads(DECIDES), server, calls_in=FarEnd(gives_up=2.0))
    record = await call.play()
    assert names(call) == ["call.offered", "call.hangup"]
    assert record.outcome == "hung_up"
    assert not [signal for signal in call.far_end.call.got("200") if signal.about == "INVITE"]


@pytest.mark.parametrize("after", [2.98, 2.999, 3.0, 3.001, 3.01, 3.03, 3.05, 3.2])
async def test_a_caller_who_gives_up_as_the_call_is_taken(server, after):
    call = Stage(callflow.loads(DECIDES), server, calls_in=FarEnd(gives_up=after))
    record = await call.play()
    assert names(call) in (["call.offered", "call.hangup"], ["call.offered", "call.answered"])
    assert (record.outcome, call.heard) == (
        ("completed", "Good morning.") if "call.answered" in names(call) else ("hung_up", "")
    )
    assert record.seconds < 8
    assert server.rooms == {}


async def test_a_call_that_was_taken_is_refused_no_more(server):
    flow = DECIDES.replace("entry: [answer,", "entry: [answer, {reject: {optional: true}},")
    call = Stage(callflow.loads(flow), server, calls_in=FarEnd())
    record = await call.play()
    [refused] = [effect for effect in record.effects if effect.verb == "reject"]
    assert "hang up instead" in refused.error
    assert (record.outcome, call.heard) == ("completed", "Good morning.")


async def test_a_call_whose_flow_ends_without_a_decision_is_refused(server):
    flow = callflow.loads(
        DECIDES.replace("3s:", "90s:") + "after: {5s: {target: ending, do: [{outcome: no_answer}]}}\n"
    )
    call = Stage(flow, server, calls_in=FarEnd())
    record = await call.play()
    assert record.outcome == "no_answer"
    assert call.far_end.call.messages == ["> INVITE", "180", "486", "> ACK"]


@pytest.mark.parametrize(("number", "outcome", "heard"), [("", "completed", "Good morning."), ("0", "declined", "")])
async def test_whoever_joins_by_webrtc_is_offered_too(server, number, outcome, heard):
    flow = DECIDES.replace('call.number == "+15550199"', 'vars.number == ""')
    call = Stage(callflow.loads(flow), server, caller=silent, vars={"number": number})
    record = await call.play()
    assert names(call)[0] == "call.offered"
    assert (record.outcome, call.heard) == (outcome, heard)


AUTOMATIC = """
callflow: 1
name: automatic
initial: listening
states:
  listening: {after: {10s: {target: ending, do: [{outcome: completed}]}}}
"""


async def test_a_call_is_answered_at_once_also_by_an_agent_who_says_nothing(server):
    call = Stage(callflow.loads(AUTOMATIC), server, calls_in=FarEnd())
    record = await call.play()
    wire = call.far_end.call
    assert wire.got("200")[0].at - wire.sent("INVITE")[0].at < 0.5
    assert names(call) == ["call.ringing", "call.answered"]
    assert (record.outcome, call.heard) == ("completed", "")
