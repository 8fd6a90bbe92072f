"""Row 56: one callback that fails abandons the rest: they run in one `gather`, and its first exception is the end of it.

A flow's hooks run one after the other, each on its own: one that raises, hangs or swallows its cancellation costs the
others nothing, and the record was written before.
"""

from __future__ import annotations

import asyncio
import json

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GREETING


async def test_a_flow_runs_them_all(stage, server, ended, tmp_path):
    ran, written = [], []

    def raises(record):
        ran.append("raises")
        raise ValueError("a bad hook")

    async def hangs(record):
        ran.append("hangs")
        await asyncio.sleep(1_000_000)

    async def is_cancelled(record):
        ran.append("is cancelled")
        raise asyncio.CancelledError

    async def last(record):
        ran.append("last")
        [path] = tmp_path.glob("*.json")
        written.append(json.loads(path.read_text())["outcome"])

    call = stage(
        model=[GREETING, Tool("end_call")],
        caller=talks("bye"),
        journal=tmp_path,
        options={"on_end": [raises, hangs, is_cancelled, last]},
    )
    record = await call.play()
    assert ran == ["raises", "hangs", "is cancelled", "last"]
    assert written == ["completed"]
    assert (record.outcome, record.error, record.fault) == ("completed", None, None)
    assert call.job.over - call.far_end.left < 15
    ended(call)
