"""Row 55: shutdown callbacks are killed after 10 s: the process's time runs from the moment at which the job leaves the
room (livekit/agents#4850, #4455).

What a flow has to do at last, its `wrap_up`, is done before the job is told to end, and after the line has dropped.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing import Tool
from callflow.testing.play import hangs_up, talks
from tests.guarantees.conftest import FRONT_DESK, GREETING

REPORTS = (
    FRONT_DESK
    + """
wrap_up:
  - python: {name: upload, timeout: 45s}
python:
  upload: {}
"""
)


@pytest.mark.parametrize(
    ("caller", "outcome"), [(talks("bye"), "completed"), (hangs_up(after=4), "hung_up")], ids=["agent", "caller"]
)
async def test_a_flow_does_it_before_the_job_ends(stage, server, ended, caller, outcome):
    done = []

    async def upload():
        await asyncio.sleep(40)
        done.append(server.loop.time())

    call = stage(REPORTS, model=[GREETING, Tool("end_call")], caller=caller, options={"actions": {"upload": upload}})
    with pytest.raises(asyncio.CancelledError):  # LiveKit's own clock: the entrypoint is told after 15 s, and is held
        await call.play()
    record = call.record = call.call.record
    assert record.outcome == outcome
    effect = next(effect for effect in record.effects if effect.verb == "python")
    assert (effect.status, effect.seconds) == ("ok", pytest.approx(40, abs=0.1))
    assert call.far_end.left + 39 < done[0] <= call.job.over
    ended(call)


async def test_where_the_worker_closes_it_has_to_share_what_is_left(stage, ended):
    async def upload():
        await asyncio.sleep(40)

    async def caller(who):
        await asyncio.sleep(4)
        told.append(call.call.loop.time())
        call.job.request_shutdown()

    told = []
    call = stage(REPORTS, model=[GREETING], caller=caller, options={"actions": {"upload": upload}})
    record = await call.play()
    assert record.outcome == "cancelled"
    effect = next(effect for effect in record.effects if effect.verb == "python")
    assert effect.status in ("running", "cancelled")
    assert call.job.over - told[0] < 10
    ended(call)
