"""Row 28: after a reconnect of its own the agent stays silent (livekit/agents#4028, #4705).

A flow speaks again once it is back; one that does not come back is bounded: by a row for `room.reconnecting`, by the
silence, and by the room, which LiveKit's client gives up after some 20 s on a real server.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from callflow.testing import Tool
from callflow.testing.play import silent, talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

DEADLINE = (
    FRONT_DESK.replace("    on:\n", "    on:\n      room.reconnecting: offline\n")
    + """
  offline:
    after:
      20s: {target: ending, do: [{outcome: line_lost}]}
    on:
      room.reconnected: talking
"""
)


def loses_network(call, seconds=None):
    async def script(caller):
        await caller.hear()
        call.job.room.lose_network()
        if seconds is not None:
            await asyncio.sleep(seconds)
            call.job.room.find_network()
            await caller.say("are you there?")
            await talks("that is all")(caller)

    return script


@pytest.mark.parametrize("seconds", [3, 15])
async def test_a_flow_speaks_again(stage, ended, seconds):
    call = stage(model=[GREETING, "I am here.", Tool("end_call")])
    call.caller = loses_network(call, seconds)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "completed"
    assert call.heard == f"{GREETING}\nI am here.\n{GOODBYE}"
    ended(call)


async def test_a_flow_may_say_how_long_it_waits(stage, ended):
    call = stage(DEADLINE, model=[GREETING])
    call.caller = loses_network(call)
    record = await call.play()
    assert call.trace == ["talking", "offline", "ending", "closed"]
    assert record.outcome == "line_lost"
    assert call.far_end.dead_air < 23
    ended(call)


async def test_a_room_that_the_client_gives_up_ends_the_call(stage, ended):
    call = stage(model=[GREETING])

    async def script(caller):
        await caller.hear()
        call.job.room.lose_network()
        await asyncio.sleep(20)
        call.job.room.dropped(rtc.DisconnectReason.UNKNOWN_REASON)

    call.caller = script
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("line_lost", "room.disconnected", "system")
    assert call.far_end.dead_air < 23
    ended(call)


async def test_without_any_of_these_the_silence_ends_it(stage, ended):
    call = stage(model=[GREETING], caller=silent)
    call.caller = loses_network(call)
    record = await call.play()
    assert record.outcome == "timed_out"
    assert call.far_end.dead_air < 125
    ended(call)
