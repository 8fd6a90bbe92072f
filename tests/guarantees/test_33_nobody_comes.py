"""Row 33: `wait_for_participant` has no time limit: an agent waits alone for a caller who never comes.

Every wait of a flow is bounded: for the far end too.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.guarantees.conftest import FRONT_DESK, GREETING
from tests.support import raw


async def test_by_itself_the_wait_lasts_as_long_as_the_room():
    waited = []

    async def wait(ctx, session):
        try:
            await ctx.wait_for_participant(identity="somebody-else")
        finally:
            waited.append(call.now)

    async with raw.raw_call(raw.Agent(instructions="x"), after_start=wait) as call:
        await asyncio.sleep(3600)
        assert waited == []


async def test_a_flow_waits_for_a_minute(stage, server, ended):
    call = stage(model=[GREETING], caller=None)
    record = await call.play()
    assert record.answered is record.fault is None
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("no_answer", "nobody_came", "system")
    assert record.seconds == pytest.approx(60, abs=5)
    assert not [effect for effect in record.effects if effect.verb in ("say", "generate_reply")]
    assert call.trace[-2:] == ["ending", "closed"]
    ended(call)


async def test_or_for_as_long_as_it_says(stage, ended):
    call = stage(FRONT_DESK + "limits: {answer: 5s}\n", model=[GREETING], caller=None)
    record = await call.play()
    assert record.seconds == pytest.approx(5, abs=3)
    ended(call)
