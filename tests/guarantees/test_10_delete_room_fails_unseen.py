"""Row 10: `delete_room` fails and nobody learns of it, or it hangs: the helper swallows errors, the client has no time
limit.

In a flow each try has its own time limit, it is tried again, and what became of it stands in the record.
"""

from __future__ import annotations

import pytest

from callflow.testing import Fault, Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GOODBYE, GREETING
from tests.support import raw


async def test_by_itself_a_failure_is_swallowed():
    seen = await raw.delete_room_meets(Fault(500))
    assert seen.raised is None
    assert seen.returned_after < 1.0
    assert seen.on_line


async def test_by_itself_a_server_that_does_not_answer_is_waited_for():
    assert (await raw.delete_room_meets(Fault(seconds=10_000))).returned_after is None
    assert await raw.api_delete_room_hangs(3600)


@pytest.mark.parametrize(
    ("faults", "tries", "most"),
    [
        ([], 1, 0.4),
        ([Fault(500)], 2, 3.0),
        ([Fault(seconds=10_000)], 2, 8.0),
        ([Fault(500), Fault(503)], 3, 6.0),
        ([Fault(404, code="not_found")], 1, None),
        ([Fault(500, works=True)], 2, 0.4),
    ],
)
async def test_a_flow_tries_again_and_records_it(stage, server, ended, faults, tries, most):
    server.faults["DeleteRoom"] = list(faults)
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"))
    record = await call.play()
    deletion = next(effect for effect in record.effects if effect.verb == "delete_room")
    assert (deletion.status, deletion.tries) == ("ok", tries)
    assert record.outcome == "completed"
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    if most is None:  # the server says that the room is gone, so the flow believes it
        return
    assert call.far_end.dead_air < most
    ended(call)


async def test_a_flow_whose_every_try_fails_still_ends_with_a_record_that_says_so(stage, server):
    server.faults["DeleteRoom"] = [Fault(500)] * 500
    server.faults["RemoveParticipant"] = [Fault(500)] * 500
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"))
    record = await call.play()
    deletion = next(effect for effect in record.effects if effect.verb == "delete_room")
    assert (deletion.status, deletion.tries) == ("failed", 3)
    assert "simulated fault" in deletion.error
    assert "line" in record.forced
    assert (record.line, record.line_dropped) == ("stands", None)
    assert any("may still be up" in note for note in record.notes)
    assert call.far_end.on_line
    assert record.seconds < 60
    assert call.job.over is not None
