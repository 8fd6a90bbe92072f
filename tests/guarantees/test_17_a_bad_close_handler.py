"""Row 17: one handler of `close` that raises a TypeError stops the later handlers, and makes `aclose()` raise.

A flow's own handlers stand first and never raise; a program's bad one costs the call nothing.
"""

from __future__ import annotations

import pytest

from callflow.testing import Tool
from callflow.testing.play import hangs_up, offline_session, talks
from tests.guarantees.conftest import GOODBYE, GREETING
from tests.support import raw


async def test_by_itself_it_breaks_the_close():
    seen = await raw.a_close_handler_raises()
    assert isinstance(seen.raised, TypeError)
    assert not seen.later_handler_ran


@pytest.mark.parametrize(("caller", "outcome"), [(talks("bye"), "completed"), (hangs_up(after=4), "hung_up")])
async def test_a_flow_ends_all_the_same(stage, ended, caller, outcome):
    session = offline_session([GREETING, Tool("end_call")])
    closed = []

    def bad(event):
        closed.append(event.reason)
        raise TypeError("an author's mistake")

    session.on("close", bad)
    call = stage(session=session, caller=caller)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.fault, record.error) == (outcome, None, None)
    assert len(closed) == 1
    if outcome == "completed":
        assert call.heard == f"{GREETING}\n{GOODBYE}"
        assert call.far_end.dead_air < 0.4
    ended(call)
