"""A livekit-server that dies in the middle of a call, and comes back, or does not."""

from __future__ import annotations

import asyncio
import json
import time

from tests.e2e.aftermath import events, one_record
from tests.e2e.own_line import own_line
from tests.e2e.test_calls import greeted, say_bye

AWAY = 5
"""Seconds between the death of a server and the next one."""


async def test_a_server_that_is_killed_and_started_again_costs_no_call(tmp_path, ports):
    async with own_line(tmp_path, ports) as line:
        caller, job = await greeted(line, "faults:desk")
        line.server.kill()
        await asyncio.sleep(AWAY)
        line.server.start()
        await caller.wait_for("reconnected", within=20)
        await line.view.wait_for_participants(line.room, {"caller", *agents(caller)}, within=30)
        await asyncio.sleep(3)  # the sound finds its way again
        bye = await say_bye(caller)
        await caller.dropped(within=20)
        assert heard_since(caller, bye) > 1.7  # the goodbye is 1.85 s
        record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"
    assert record["hung_up_by"] == "agent"
    assert "call.hangup" not in events(job)


async def test_a_server_that_never_comes_back_ends_the_call(tmp_path, ports):
    """Nobody can know whether the line stands: the record says so, before LiveKit cancels the entrypoint, after 15 s."""
    async with own_line(tmp_path, ports) as line:
        caller, job = await greeted(line, "faults:desk")
        line.server.kill()
        killed = time.monotonic()
        done = await job.note("entrypoint_done", within=60)
        assert done["tasks"] == []
        [record] = job.notes("record")
        assert job.notes("raised") == []
        assert time.monotonic() - killed < 55
        [path] = (tmp_path / "journal").glob("*.json")
        assert json.loads(path.read_text())["cause"] == record["cause"]
        await caller.dropped(within=30)
    # Whichever of our patiences ends first: with who is out of reach, or with our own connection.
    assert (record["outcome"], record["hung_up_by"]) in (("hung_up", "network"), ("line_lost", "system"))
    assert (record["forced"], record["line"], record["line_dropped"]) == (["line"], "stands", None)
    assert any("may still be up" in note for note in record["notes"])


def agents(caller):
    return {identity for identity in caller.heard if identity.startswith("agent-")}


def heard_since(caller, at):
    return sum(hearing.seconds_since(at) for identity, hearing in caller.heard.items() if identity.startswith("agent-"))
