"""Recordings on the simulated server."""

from __future__ import annotations

import asyncio
import json

import pytest
from livekit.protocol.egress import EgressStatus

import callflow
from callflow.testing import Fault, SimulatedServer
from callflow.testing.play import Stage, silent

RECORDS = """
callflow: 1
name: records
initial: talking
states:
  talking:
    entry:
      - start_recording: {file: calls/a.ogg, as: recording}
      - say: This call is recorded.
    after: {5s: finishing}
    on:
      failed: {target: ending, do: [{log: "{{ event.error }}"}, {outcome: failed}]}
  finishing:
    entry: [stop_recording, {say: Goodbye.}, {outcome: completed}]
    on: {done: ending}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def stage(server, flow=RECORDS, **parts):
    return Stage(callflow.loads(flow), server, caller=silent, **parts)


async def settled(server):
    """Every recording has ended, and where it ended."""
    await asyncio.sleep(1)
    return [EgressStatus.Name(one.status) for one in server.egress.recordings]


async def test_a_recording_begins_and_ends_with_the_flow(server):
    call = stage(server)
    record = await call.play()
    [egress] = server.egress.recordings
    assert (egress.room_composite.audio_only, egress.room_composite.file_outputs[0].filepath) == (True, "calls/a.ogg")
    assert record.outcome == "completed"
    assert record.effects[0].result == {"egress_id": egress.egress_id}
    assert await settled(server) == ["EGRESS_COMPLETE"]
    assert [method for _, method in server.requests].count("StopEgress") == 1


@pytest.mark.parametrize("service", ["not_connected", "absent"])
async def test_where_there_is_no_recorder_the_action_fails_with_a_clear_error(server, service):
    server.egress.service = service
    record = await stage(server).play()
    assert record.outcome == "failed"
    assert "egress service" in record.effects[0].error


async def test_stopping_what_has_ended_is_fine(server):
    server.egress.service = "fails"
    record = await stage(server).play()
    assert record.outcome == "completed"
    assert record.notes == ("a recording came to nothing: egress with status EGRESS_FAILED cannot be stopped",)


ROOM_STAYS = (
    RECORDS.replace("finishing:\n    entry: [stop_recording,", "finishing:\n    entry: [").replace(
        "on: {done: ending}", "on: {done: left}"
    )
    + "  left: {entry: [{hang_up: {for: agent}}], on: {done: over}}\n  over: {final: true}\n"
)


@pytest.mark.parametrize("faults", [[], [Fault(500)], [Fault(503, works=True)], [Fault(500), Fault(500, 1.0)]])
async def test_what_the_flow_does_not_stop_is_stopped_where_the_room_stays(server, faults):
    server.faults["StopEgress"] = faults
    record = await stage(server, ROOM_STAYS).play()
    assert record.outcome == "completed"
    assert "call" in server.rooms
    assert await settled(server) == ["EGRESS_COMPLETE"]


async def test_a_start_that_is_left_behind_is_undone(server):
    server.faults["StartRoomCompositeEgress"] = [Fault(seconds=3)]
    flow = RECORDS.replace("5s: finishing", "1s: waiting") + "  waiting: {after: {20s: finishing}}\n"
    record = await stage(server, flow).play()
    assert record.effects[0].status == "cancelled"
    starts, stops = [
        [at for at, method in server.requests if method == name] for name in ("StartRoomCompositeEgress", "StopEgress")
    ]
    assert stops[0] - starts[0] == pytest.approx(3, abs=0.1)
    assert await settled(server) == ["EGRESS_COMPLETE"]


async def test_a_tool_that_waits_for_the_end_and_is_stopped_ends_no_recording(server):
    async def impatient():
        await asyncio.wait_for(callflow.current_call().run(), 1)

    flow = RECORDS.replace("initial: talking", "python: {impatient: {}}\ninitial: talking").replace(
        "- say: This", "- python: {name: impatient, optional: true}\n      - say: This"
    )
    call = stage(server, flow, options={"actions": {"impatient": impatient}})
    record = await call.play()
    assert record.effects[1].error.startswith("TimeoutError")
    assert (record.outcome, record.effects[2].result["spoken"]) == ("completed", "This call is recorded.")
    [stopped] = [at for at, method in server.requests if method == "StopEgress"]
    [said] = [one for one in record.effects if one.verb == "stop_recording"]
    assert stopped == pytest.approx(said.started - record.started, abs=0.3), "by the flow alone"


async def test_an_undoing_that_fails_is_made_up_for_at_the_end(server):
    server.faults |= {"StartRoomCompositeEgress": [Fault(seconds=3)], "StopEgress": [Fault(500)]}
    flow = ROOM_STAYS.replace("5s: finishing", "1s: waiting") + "  waiting: {after: {10s: finishing}}\n"
    await stage(server, flow).play()
    assert await settled(server) == ["EGRESS_COMPLETE"]


async def test_a_recorder_that_stops_nothing_holds_no_call_up_and_is_in_the_record(server, tmp_path):
    server.faults["StopEgress"] = [Fault(500, 2.0) for _ in range(9)]
    call = stage(server, ROOM_STAYS, journal=tmp_path)
    record = await call.play()
    assert record.outcome == "completed"
    assert call.job.over - call.job.began < 20
    [egress] = server.egress.recordings
    [note] = record.notes
    assert note.startswith(f"a recording may run on ({egress.egress_id}): ")
    [file] = tmp_path.glob("*.json")
    assert json.loads(file.read_text())["notes"] == [note]
