"""What happens to callers without callflow, on a real server. When one of these fails, LiveKit has changed: good news,
and a guarantee to look at again.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.proxy import hangs

GOODBYE = "Goodbye, and thank you for your call."
SECONDS = len(GOODBYE) * 0.05


async def say_bye(line, scenario, **arguments):
    """The call up to the caller's "bye": it has been greeted."""
    caller = await line.caller()
    job = await line.agent(scenario, **arguments)
    await caller.wait_for_sounds(1, within=20)
    await caller.write("bye")
    return caller, job


async def still_on_the_line(line, caller, *, for_seconds):
    await asyncio.sleep(for_seconds)
    assert caller.events("disconnected") == []
    assert "caller" in await line.view.participants(line.room)


@pytest.mark.parametrize("how", ["drain", "aclose"])
async def test_a_tool_that_waits_for_the_close_hangs_the_call(line, how):
    caller, job = await say_bye(line, "raw:close_in_a_tool", how=how)
    await job.note("tool", within=10)
    await still_on_the_line(line, caller, for_seconds=6)
    assert job.notes("tool_done") == job.notes("close") == []


async def test_a_tool_that_waits_for_its_own_speech_is_refused(line):
    caller, job = await say_bye(line, "raw:close_in_a_tool", how="speech")
    raised = await job.note("tool_raised", within=10)
    assert "circular wait" in raised["error"]
    await still_on_the_line(line, caller, for_seconds=1)


async def test_the_close_waits_for_a_tool_when_the_caller_is_long_gone(line):
    caller, job = await say_bye(line, "raw:close_in_a_tool", how="slow")
    tool = await job.note("tool", within=10)
    await caller.leave()
    closed = await job.note("close", within=15)
    assert closed["at"] - tool["at"] > 5.5


async def test_end_call_tool_leaves_the_caller_in_silence_for_as_long_as_the_last_hook_takes(line):
    caller, job = await say_bye(line, "raw:end_call_tool", text=GOODBYE)
    dropped = await caller.dropped(within=20)
    voice = caller.agent_voice()
    assert voice.sounds()[-1].seconds == pytest.approx(SECONDS, abs=0.1)
    assert dropped.at - voice.last_sound_at() > 1.9
    await job.process_gone(within=10)


async def test_shutdown_cuts_the_goodbye_and_leaves_the_caller_alone(line):
    caller = await line.caller()
    job = await line.agent("raw:shutdown", text=GOODBYE)
    await job.process_gone(within=20)
    assert caller.agent_voice().seconds_at(440) < 0.5  # the greeting, no goodbye
    await still_on_the_line(line, caller, for_seconds=3)
    assert set(await line.view.participants(line.room)) == {"caller"}


async def test_a_room_that_is_deleted_too_early_cuts_the_goodbye(line):
    caller = await line.caller()
    await line.agent("raw:delete_while_speaking", text=GOODBYE)
    await caller.dropped(within=20)
    assert caller.agent_voice().sounds()[-1].seconds < SECONDS - 0.5


async def test_a_deletion_that_nobody_waits_for_dies_with_the_job(line, proxy):
    caller = await line.caller()
    with proxy.answering("livekit.RoomService/DeleteRoom", hangs):
        job = await line.agent("raw:delete_unawaited")
        await job.note("delete_lost", within=20)
        await job.process_gone(within=20)
    await still_on_the_line(line, caller, for_seconds=1)


async def test_an_agent_whose_on_enter_raises_is_mute_and_stays(line):
    caller = await line.caller()
    job = await line.agent("raw:broken_on_enter")
    await job.note("started", within=20)
    await still_on_the_line(line, caller, for_seconds=3)
    assert job.notes("close") == job.notes("raised") == []
    assert len(await line.view.participants(line.room)) == 2
    assert all(hearing.sounds() == [] for hearing in caller.heard.values())


async def test_an_agent_waits_for_a_caller_without_end(line):
    job = await line.agent("raw:nobody")
    await job.note("waiting", within=20)
    await asyncio.sleep(6)
    assert job.notes("somebody") == job.notes("entrypoint_done") == []
    assert len(await line.view.participants(line.room)) == 1
