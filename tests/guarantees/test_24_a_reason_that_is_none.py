"""Row 24: `disconnect_reason` is None, which code that looks for reasons takes for no disconnect at all: UNKNOWN_REASON
reaches Python as None (livekit/sip#294).

In a flow None is a party that may come back: `call.dropped`, and after `reconnect_grace` a hang-up that says who is to
blame (nobody knows) and what was seen.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from tests.guarantees.conftest import FRONT_DESK, GREETING
from tests.support import raw

DROPPED = FRONT_DESK.replace("    on:\n", "    on:\n      call.dropped: {do: [{log: dropped}]}\n")


async def leaves_without_a_reason(caller):
    await asyncio.sleep(4)
    caller.leave(rtc.DisconnectReason.UNKNOWN_REASON)


async def test_by_itself_the_agent_stays_alone():
    async with raw.raw_call(raw.Agent(instructions="x")) as call:
        seen = []
        call.job.ctx.room.on("participant_disconnected", lambda who: seen.append(who.disconnect_reason))
        await leaves_without_a_reason(call.caller)
        await asyncio.sleep(15)
        assert seen == [None]
        assert not call.closed


@pytest.mark.parametrize("grace", [None, 5.0])
async def test_a_flow_ends_after_the_grace_and_names_it(stage, ended, grace):
    flow = DROPPED if grace is None else DROPPED.replace("initial:", f"reconnect_grace: {grace:g}s\ninitial:")
    call = stage(flow, model=[GREETING], caller=leaves_without_a_reason)
    record = await call.play()
    assert [step.event.name for step in call.steps if getattr(step.event, "name", "").startswith("call.")] == [
        "call.answered",
        "call.dropped",
        "call.hangup",
    ]
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by) == ("hung_up", "unknown")
    assert record.cause.detail["cause"] == "vanished"
    assert record.cause.detail["disconnect_reason"] == "UNKNOWN_REASON"
    assert record.ended - record.started == pytest.approx(4 + (grace or 12.0), abs=2.5)
    ended(call)
