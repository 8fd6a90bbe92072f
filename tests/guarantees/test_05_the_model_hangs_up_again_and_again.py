"""Row 5: the model calls the hang-up tool again and again, and the call stays up: a latch waits for an edge that never
comes.

The hang-up of a flow is a state: idempotent, terminal, watched by timeouts.
"""

from __future__ import annotations

import pytest

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GOODBYE, GREETING


@pytest.mark.parametrize(
    "turns",
    [
        [[Tool("end_call"), Tool("end_call"), Tool("end_call")]],
        [Tool("end_call")] * 20,
        [["All right.", Tool("end_call")], Tool("end_call"), Tool("end_call")],
    ],
)
async def test_a_flow_hangs_up_once(stage, server, ended, turns):
    call = stage(model=[GREETING, *turns], caller=talks("bye", "hang up please", "hang up"))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.forced) == ("completed", ())
    assert [effect.verb for effect in record.effects].count("say") == 1
    assert [method for _, method in server.requests].count("DeleteRoom") == 1
    assert call.heard.endswith(GOODBYE)
    ended(call)
