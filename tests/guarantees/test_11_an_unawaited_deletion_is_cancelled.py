"""Row 11: a delete or a transfer that nobody awaits is cancelled when the job ends.

A flow's effects are awaited before it shuts the job down.
"""

from __future__ import annotations

import pytest

from callflow.testing import Fault, Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GREETING
from tests.support import raw


async def test_by_itself_it_dies_with_the_job():
    async def fire_and_forget(ctx, session):
        ctx.delete_room()
        ctx.shutdown("done")

    call = raw.raw_call(raw.Agent(instructions="x"), after_start=fire_and_forget, faults=[Fault(seconds=4)])
    async with call as call:
        await call.job.ended()
        await raw.asyncio.sleep(60)
        assert call.caller.on_line


@pytest.mark.parametrize("seconds", [0.0, 1.0, 4.0])
async def test_a_flow_waits_for_it(stage, server, ended, seconds):
    server.faults["DeleteRoom"] = [Fault(seconds=seconds)]
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"))
    record = await call.play()
    deletion = next(effect for effect in record.effects if effect.verb == "delete_room")
    assert (deletion.status, deletion.tries) == ("ok", 1)
    assert deletion.seconds == pytest.approx(max(seconds, 0.002), abs=0.01)
    ended(call)
