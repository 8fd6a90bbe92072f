"""Row 38: the entrypoint runs on after a failed dial, and greets nobody: `ctx.shutdown()` only sets a future.

In a flow dialling is a state; what follows it follows its result.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from livekit.agents import AgentSession

import callflow
from callflow.telephony.network import FAR_ENDS, PhoneNetwork
from callflow.testing import ScriptedLLM, SpelledSTT, SpelledTTS
from callflow.testing.play import Stage
from tests.support import raw

OUTBOUND = Path(__file__).parents[2] / "flows" / "outbound.yaml"
NUMBER = "+15550123456"


async def test_by_itself_the_greeting_is_made_all_the_same():
    model_asked = []

    async def dials(ctx, session):
        answered = False  # what a dial that has failed leaves behind
        if not answered:
            ctx.shutdown("busy")
        await session.generate_reply(instructions="greet the customer")
        model_asked.append(len(session.llm.requests))

    async with raw.raw_call(raw.Agent(instructions="x"), ["Hello Ada."], after_start=dials) as call:
        await call.job.ended()
        assert model_asked == [1]


@pytest.mark.parametrize(
    ("far_end", "outcome", "by", "most"),
    [
        ("busy", "busy", "callee", 1),
        ("no_answer", "no_answer", "callee", 31),
        ("declines", "declined", "callee", 4),
        ("invalid", "invalid", "system", 1),
        ("fails", "failed", "system", 1),
    ],
)
async def test_a_flow_ends_with_what_became_of_the_dial(server, ended, monkeypatch, far_end, outcome, by, most):
    monkeypatch.setenv("SIP_OUTBOUND_TRUNK_ID", "ST_test")
    model = ScriptedLLM(["Hello Ada."])
    call = Stage(
        callflow.load(OUTBOUND),
        server,
        phone=PhoneNetwork({NUMBER: FAR_ENDS[far_end]}),
        session=AgentSession(llm=model, stt=SpelledSTT(), tts=SpelledTTS(), **raw.SPEECH),
        vars={"phone_number": NUMBER},
    )
    record = await call.play()
    assert call.trace == ["dialing", "ending", "closed"]
    assert (record.outcome, record.hung_up_by) == (outcome, by)
    assert record.line_dropped - record.started < most
    assert model.requests == []
    assert call.phone.dialled == [NUMBER]
    ended(call)


TWO = """
callflow: 1
name: two
initial: first
states:
  first:
    entry: [{dial: {to: "+15550123456", trunk: ST_test}}]
    on: {dial.busy: pause, dial.answered: talking}
  pause:
    after: {2s: second}
  second:
    entry: [{dial: {to: "+15550123457", trunk: ST_test}}]
    on: {dial.answered: talking}
  talking:
    entry: [{say: Good morning.}, {outcome: completed}]
    on: {done: ending}
"""


async def test_a_leg_that_was_never_answered_has_no_hangup_and_the_next_one_is_the_far_end(server, ended):
    """The dial's result says what became of it; a hang-up beside it would end the call."""
    network = PhoneNetwork({NUMBER: FAR_ENDS["busy"], "+15550123457": FAR_ENDS["answers"]})
    call = Stage(callflow.loads(TWO), server, phone=network)
    record = await call.play()
    assert call.trace == ["first", "pause", "second", "talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by) == ("completed", "agent")
    assert call.heard == "Good morning."
    ended(call)
