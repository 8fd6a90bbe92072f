"""The tests' own tools, on an agent that does without callflow: who hears what, and who is left."""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing.models import tone
from tests.e2e.crowd import AT_ONCE
from tests.e2e.proxy import fails

GOODBYE = "Goodbye, and thank you for your call."  # 37 characters: 1.85 s


@pytest.mark.smoke
async def test_a_goodbye_is_heard_whole_and_the_room_is_gone(line):
    caller = await line.caller()
    job = await line.agent("raw:goodbye", text=GOODBYE)
    dropped = await caller.dropped(within=20)

    voice = caller.agent_voice()
    assert [round(sound.hz, -1) for sound in voice.sounds()] == [440]
    assert len(GOODBYE) * 0.05 - 0.05 < voice.seconds_at(440) < len(GOODBYE) * 0.05 + 0.5
    assert dropped.reason == "ROOM_DELETED"
    assert dropped.at - voice.last_sound_at() < AT_ONCE
    await line.view.wait_until_gone(line.room, within=2)
    assert await line.view.participants(line.room) == {}
    await job.process_gone(within=10)


async def test_two_callers_hear_each_other_and_the_server_sees_both(line):
    alice, bob = await line.caller("alice"), await line.caller("bob")
    await line.view.wait_for_participants(line.room, {"alice", "bob"}, within=5)
    await bob.wait_for("track_subscribed", identity="alice", within=5)
    await alice.say(tone(600, 1.0))
    await bob._until(lambda: bob.voice_of("alice").seconds_at(600) > 0.9, 3, "a tone of one second")
    await alice.leave()
    gone = await bob.wait_for("participant_disconnected", identity="alice", within=5)
    assert gone.reason == "CLIENT_INITIATED"
    await line.view.wait_for_participants(line.room, {"bob"}, within=5)


async def test_a_fault_is_what_the_agent_sees_and_the_server_does_not(line, proxy):
    caller = await line.caller()
    with proxy.answering("livekit.RoomService/DeleteRoom", fails(500)):
        job = await line.agent("raw:goodbye", text="Goodbye.")
        await job.note("deleted", within=20)  # ctx.delete_room() swallows every failure
        await line.view.wait_for_participants(line.room, {"caller", await _agent_of(line)}, within=2)
    assert [call.status for call in proxy.calls("livekit.RoomService/DeleteRoom", line.room)] == [500]
    assert caller.events("disconnected") == []


async def test_the_worker_has_room_for_the_next_call_while_it_starts_one(line):
    """A dispatch that finds the worker full is lost, and says so nowhere."""
    jobs = await asyncio.gather(*(line.agent("raw:goodbye", text="Goodbye.") for _ in range(3)))
    for job in jobs:
        await job.note("job", within=30)


async def _agent_of(line):
    return next(identity for identity in await line.view.participants(line.room) if identity.startswith("agent-"))
