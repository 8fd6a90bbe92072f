"""Row 14: after a call that nobody answered the final hooks never run: a greeting that was queued for nobody blocks the
close (livekit/agents#4152, #4345).

A flow says nothing before `call.answered`, and the end of every call runs: `wrap_up`, the record, the hooks.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc
from livekit.agents import Agent

from callflow.testing import Caller
from tests.guarantees.conftest import FRONT_DESK, GREETING

GREETS = FRONT_DESK.replace("generate_reply: {instructions: Greet the caller and help.}", 'say: "Good morning."') + (
    "wrap_up:\n  - python: {name: report, arguments: {outcome: '{{ call.outcome }}'}}\n"
    "python: {report: {parameters: {outcome: string}}}\n"
)


class Greets(Agent):
    async def on_enter(self) -> None:
        self.session.say("Hello from on_enter.")


@pytest.mark.parametrize(
    ("gives_up", "outcome", "most"), [(3.0, "hung_up", 10), (None, "no_answer", 65)], ids=["gives up", "rings for ever"]
)
async def test_a_flow_greets_nobody_and_ends(stage, server, ended, gives_up, outcome, most):
    ran = []
    phone = Caller(
        server,
        "call",
        "sip_caller",
        kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        attributes={"sip.callStatus": "ringing", "sip.phoneNumber": "+15550001"},
    )
    phone.join(listens=False)

    async def report(outcome):
        ran.append(("wrap_up", outcome))

    call = stage(
        GREETS,
        model=[GREETING],
        agent=Greets(instructions="x"),
        options={"actions": {"report": report}, "on_end": [lambda record: ran.append(("on_end", record.outcome))]},
    )
    if gives_up is not None:
        server.loop.call_later(gives_up, phone.hang_up)
    record = await call.play()
    assert call.trace == ["ending", "closed"]
    assert ran == [("wrap_up", outcome), ("on_end", outcome)]
    assert (record.outcome, record.answered, record.transcript) == (outcome, None, ())
    assert not [effect for effect in record.effects if effect.verb in ("say", "generate_reply")]
    assert list(call.job.room.voice.speeches) == []
    assert record.seconds < most
    assert not phone.on_line
    ended(call)


async def test_what_was_to_be_said_is_said_once_it_is_answered(stage, server, ended):
    async def report(outcome):
        await asyncio.sleep(0)

    phone = Caller(
        server,
        "call",
        "sip_caller",
        kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        attributes={"sip.callStatus": "ringing", "sip.phoneNumber": "+15550001"},
    )
    phone.join(listens=False)

    def pick_up():
        phone.set_attributes({"sip.callStatus": "active"})
        phone.listen()

    server.loop.call_later(5, pick_up)
    server.loop.call_later(10, phone.hang_up)
    call = stage(GREETS, options={"actions": {"report": report}})
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert phone.heard_text == "Good morning."
    assert record.answered is not None
    ended(call)
