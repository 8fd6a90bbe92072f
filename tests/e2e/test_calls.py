"""Calls that flows run, on a real server: judged by what the caller heard and by what the server says of the room.

Whatever happens, a call ends with one record, and with no room, participant, task or process left.
"""

from __future__ import annotations

import asyncio
import time

import pytest
from livekit import api

from callflow.testing.models import tone
from tests.e2e.crowd import AT_ONCE
from tests.e2e.proxy import fails
from tests.e2e.worker import worker

GOODBYE = "Goodbye, and thank you for your call."
DELETE = "livekit.RoomService/DeleteRoom"


async def greeted(line, scenario, **options):
    """A caller in a call that has said "Hello."."""
    caller = await line.caller()
    job = await line.agent(scenario, **options)
    await caller.wait_for_sounds(1, within=40)
    return caller, job


async def ended(line, job, *, room=False, within=10):
    """The call's one record, when all that it had is gone."""
    done = await job.note("entrypoint_done", within=within)
    assert job.notes("raised") == []
    [record] = job.notes("record")
    assert done["tasks"] == []
    assert record["forced"] == []
    assert record["fault"] is record["error"] is None
    if not room:
        await line.view.wait_until_gone(line.room, within=3)
        assert await line.view.participants(line.room) == {}
    await job.process_gone(within=15)
    assert len(job.notes("close")) == 1
    return record


def assert_goodbye_was_heard_whole(caller, bye):
    """From its first word to its last, and nothing after it; `bye` is when the caller said goodbye."""
    voice = caller.agent_voice()
    assert len(GOODBYE) * 0.05 - 0.05 < voice.seconds_since(bye) < len(GOODBYE) * 0.05 + 0.5
    assert voice.sounds()[-1].hz == pytest.approx(440, abs=10)


async def say_bye(caller):
    await caller.write("bye")
    return time.monotonic()


async def test_a_caller_joins_talks_and_leaves(line):
    caller, job = await greeted(line, "calls:desk")
    await caller.say(tone(600, 0.6))
    await caller.wait_for_sounds(2, within=10)
    await caller.leave()
    record = await ended(line, job)
    assert record["outcome"] == "hung_up"
    assert record["hung_up_by"] == "caller"
    assert [m["text"] for m in record["transcript"]] == ["Hello.", "yes", "All right."]


@pytest.mark.smoke
async def test_the_model_ends_the_call_and_the_caller_hears_the_whole_goodbye(line):
    caller, job = await greeted(line, "calls:ends_the_call")
    bye = await say_bye(caller)
    dropped = await caller.dropped(within=20)
    assert dropped.reason == "ROOM_DELETED"
    assert_goodbye_was_heard_whole(caller, bye)
    assert dropped.at - caller.agent_voice().last_sound_at() < AT_ONCE
    record = await ended(line, job)
    assert record["outcome"] == "completed"
    assert record["hung_up_by"] == "agent"


@pytest.mark.smoke
async def test_slow_hooks_and_a_wrap_up_keep_no_caller_waiting(line):
    caller, job = await greeted(line, "calls:wraps_up")
    bye = await say_bye(caller)
    dropped = await caller.dropped(within=20)
    assert_goodbye_was_heard_whole(caller, bye)
    assert dropped.at - caller.agent_voice().last_sound_at() < AT_ONCE
    record = await ended(line, job, within=20)
    assert record["outcome"] == "completed"
    [began], [done] = job.notes("summarising"), job.notes("summarised")
    assert began["at"] > dropped.at - 0.1
    assert done["at"] - began["at"] > 1.9
    assert len(job.notes("session_end_done")) == 1


async def test_the_room_is_deleted_from_outside(line):
    caller, job = await greeted(line, "calls:desk")
    await line.lk.room.delete_room(api.DeleteRoomRequest(room=line.room))
    await caller.dropped(within=5)
    record = await ended(line, job)
    assert record["outcome"] in ("line_lost", "hung_up")  # whichever LiveKit says first


@pytest.mark.smoke
async def test_the_caller_is_removed(line):
    caller, job = await greeted(line, "calls:desk")
    await line.lk.room.remove_participant(api.RoomParticipantIdentity(room=line.room, identity="caller"))
    assert (await caller.dropped(within=5)).reason == "PARTICIPANT_REMOVED"
    record = await ended(line, job)
    assert record["outcome"] == "hung_up"


async def test_the_agent_leaves_two_people_talking(line):
    alice, job = await greeted(line, "calls:leaves_them_talking")
    bob = await line.caller("bob")
    await alice.wait_for("track_subscribed", identity="bob", within=5)
    await alice.write("there you are")
    record = await ended(line, job, room=True, within=20)
    assert record["outcome"] == "transferred"
    await line.view.wait_for_participants(line.room, {"caller", "bob"}, within=3)
    await bob.say(tone(700, 1.0))
    await asyncio.sleep(0.5)
    assert alice.voice_of("bob").seconds_at(700) == pytest.approx(1.0, abs=0.1)
    assert alice.events("disconnected") == bob.events("disconnected") == []


async def test_a_deletion_that_fails_once_is_tried_again(line, proxy):
    caller, job = await greeted(line, "calls:ends_the_call")
    with proxy.answering(DELETE, fails(500, times=1)):
        await caller.write("bye")
        await caller.dropped(within=20)
        record = await ended(line, job)
    assert [call.status for call in proxy.calls(DELETE, line.room)] == [500, 200]
    assert record["outcome"] == "completed"


async def test_a_room_that_is_found_already_gone_is_done(line, proxy):
    caller, job = await greeted(line, "calls:ends_the_call")
    with proxy.answering(DELETE, fails(500, times=1, done=True)):  # the room goes, the answer says it did not
        await caller.write("bye")
        await caller.dropped(within=20)
        record = await ended(line, job)
    assert [call.status for call in proxy.calls(DELETE, line.room)] == [500, 404]
    assert record["outcome"] == "completed"


async def test_a_deploy_lets_the_call_go_on(line, proxy, tmp_path):
    with worker(proxy.url, tmp_path, name=f"deployed-{line.room}") as deployed:
        caller, job = await greeted(line, "calls:ends_the_call", by=deployed)
        deployed.terminate()
        await asyncio.sleep(2)
        assert caller.events("disconnected") == []
        bye = await say_bye(caller)
        await caller.dropped(within=20)
        assert_goodbye_was_heard_whole(caller, bye)
        record = await ended(line, job)
        assert record["outcome"] == "completed"
        assert await asyncio.to_thread(deployed.process.wait, 20) == 0


async def test_a_deploy_that_cannot_wait_does_not_leave_the_caller_in_silence(line, proxy, tmp_path):
    with worker(proxy.url, tmp_path, name=f"hasty-{line.room}", drain=2) as hasty:
        caller, job = await greeted(line, "calls:desk", by=hasty)
        hasty.terminate()
        await caller.dropped(within=25)
        record = await ended(line, job, within=25)
        assert record["outcome"] == "cancelled"
        assert record["hung_up_by"] == "worker"


async def test_a_handoff_and_a_task_in_mid_flow(line):
    caller, job = await greeted(line, "calls:takes_an_address")
    for number, text in enumerate(["my bill", "I have moved", "12 Elm Street"], start=2):
        await caller.write(text)
        await caller.wait_for_sounds(number, within=20)
    await caller.write("bye")
    await caller.dropped(within=20)
    voices = [round(sound.hz, -1) for sound in caller.agent_voice().sounds()]
    assert voices == [440, 660, 880, 660, 660]  # the desk, billing, the task, and billing again to the end
    record = await ended(line, job)
    assert record["outcome"] == "completed"
