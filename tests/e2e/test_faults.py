"""A server that does not do as it is told: the call ends all the same, once, and its record says what went wrong."""

from __future__ import annotations

import pytest

from tests.e2e.proxy import fails, hangs
from tests.e2e.test_calls import DELETE, assert_goodbye_was_heard_whole, greeted, say_bye


@pytest.mark.parametrize(("fault", "status"), [(fails(500), "failed"), (hangs, "timed_out")], ids=["fails", "hangs"])
async def test_a_room_that_cannot_be_deleted_holds_no_call(line, proxy, fault, status):
    caller, job = await greeted(line, "calls:ends_the_call")
    with proxy.answering(DELETE, fault):
        bye = await say_bye(caller)
        dropped = await caller.dropped(within=60)  # each try has 5 s
        assert (await job.note("entrypoint_done", within=10))["tasks"] == []
        await job.process_gone(within=20)
    assert_goodbye_was_heard_whole(caller, bye)
    [record] = job.notes("record")
    [deletion] = [effect for effect in record["effects"] if effect["verb"] == "delete_room"]
    assert (deletion["status"], deletion["tries"]) == (status, 3)
    assert record["outcome"] == "completed"
    assert record["forced"] == ["line"]
    assert [note for note in record["notes"] if "everybody in it was removed" in note]
    assert dropped.reason == "PARTICIPANT_REMOVED"
    assert 6 <= len(proxy.calls(DELETE, line.room)) <= 12  # the action's three tries, and those of the last resorts
