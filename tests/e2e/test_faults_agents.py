"""Tools, models, agents and hooks that fail or hang: nobody waits for them longer than the flow allows."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.e2e.aftermath import one_record
from tests.e2e.agent import SESSION_END_SECONDS
from tests.e2e.proxy import fails
from tests.e2e.test_calls import DELETE, assert_goodbye_was_heard_whole, greeted, say_bye


@pytest.mark.parametrize(("scenario", "process"), [("slow_tool", 15), ("stubborn_tool", 90)])
async def test_a_caller_hangs_up_while_a_tool_runs_for_20_s(line, scenario, process):
    caller, job = await greeted(line, f"faults:{scenario}")
    await caller.write("please look it up")
    await job.note("looking", within=10)
    await caller.leave()
    left = time.monotonic()
    record = await one_record(line, job, within=10, process=process)
    assert (await job.note("record", within=1))["at"] - left < 8
    assert record["outcome"] == "hung_up"
    assert record["hung_up_by"] == "caller"
    assert len(job.notes("look_up_cancelled")) >= 1


async def test_a_model_that_fails_on_each_reply(line):
    caller, job = await greeted(line, "faults:failing_model")
    asked = await say_bye(caller)
    dropped = await caller.dropped(within=20)
    record = await one_record(line, job, within=10)
    assert record["outcome"] == "out_of_order"
    assert record["trigger"] == "session.error"
    answer = caller.agent_voice().sounds()[-1]
    assert answer.began - asked < 8  # the session's own four tries take about 4 s
    assert dropped.at - answer.ended < 1


async def test_an_on_enter_that_raises(line):
    caller = await line.caller()
    job = await line.agent("faults:broken_on_enter")
    await caller.dropped(within=20)
    record = await one_record(line, job, within=10)
    assert record["outcome"] == "failed"
    assert record["cause"]["event"] == "fault"
    assert record["hung_up_by"] == "system"
    assert "the database is away" in record["fault"]


async def test_a_hook_that_hangs_holds_neither_the_caller_nor_the_record(line):
    caller, job = await greeted(line, "faults:hanging_hook")
    bye = await say_bye(caller)
    dropped = await caller.dropped(within=20)
    assert_goodbye_was_heard_whole(caller, bye)
    record = await one_record(line, job, within=5, process=SESSION_END_SECONDS + 15)
    assert record["outcome"] == "completed"
    assert (await job.note("record", within=1))["at"] - dropped.at < 6  # the close of the session comes before it
    assert job.notes("session_end_done") == []


async def test_a_server_that_says_the_room_is_gone(line, proxy):
    caller, job = await greeted(line, "faults:desk")
    with proxy.answering(DELETE, fails(404, code="not_found", done=True)):
        bye = await say_bye(caller)
        await caller.dropped(within=20)
        record = await one_record(line, job, within=10)
    assert_goodbye_was_heard_whole(caller, bye)
    assert record["outcome"] == "completed"
    assert [call.status for call in proxy.calls(DELETE, line.room)] == [404]
    assert record["forced"] == []


async def test_two_calls_end_apart_when_one_of_them_hangs(line):
    """A tool that nobody can stop holds its own process, and nobody else's call."""
    caller, job = await greeted(line, "faults:stubborn_tool")
    await caller.write("please look it up")
    await job.note("looking", within=10)
    await asyncio.sleep(0.2)
    await caller.leave()
    await job.note("record", within=8)
    await line.view.wait_until_gone(line.room, within=3)
    again = await line.caller("another")
    second = await line.agent("faults:desk")
    await again.wait_for_sounds(1, within=20)
    bye = await say_bye(again)
    await again.dropped(within=20)
    assert_goodbye_was_heard_whole(again, bye)
    assert (await second.note("record", within=10))["outcome"] == "completed"
