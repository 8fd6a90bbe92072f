"""A server that a program runs by itself: `await server.run()`, `drain()`, `aclose()`, with calls on its lines."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.e2e.caller import Caller
from tests.e2e.test_calls import greeted
from tests.e2e.test_programs import record_in
from tests.e2e.worker import worker

EXECUTORS = ["process", "thread"]


def embedding(proxy, folder, line, **more):
    return worker(proxy.url, folder, name=f"embedded-{line.room}", program=("tests.e2e.embedding",), **more)


async def told_to_end(line, job, *, room=None):
    """The one record of a call that the worker has ended."""
    done = await job.note("entrypoint_done", within=25)
    assert job.notes("raised") == []
    [record] = job.notes("record")
    assert done["tasks"] == []
    assert (record["cause"]["event"], record["hung_up_by"]) == ("job.shutdown", "worker")
    assert record["forced"] == []
    assert record["line_dropped"] is not None
    await line.view.wait_until_gone(room or line.room, within=3)
    return record


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("options", ["", "WorkerOptions"], ids=["AgentServer", "WorkerOptions"])
async def test_a_server_that_is_closed_drops_its_lines(line, proxy, tmp_path, executor, options):
    with embedding(proxy, tmp_path, line, executor=executor, options=options) as embedded:
        caller, job = await greeted(line, "calls:desk", by=embedded)
        began = time.monotonic()
        closing = asyncio.create_task(embedded.obeys("aclose", within=30))
        dropped = await caller.dropped(within=10)
        assert dropped.reason == "ROOM_DELETED"
        assert dropped.at - began < 3
        record = await told_to_end(line, job)
        assert record["outcome"] == "cancelled"
        assert (await closing)["came"] == "done"
        assert await asyncio.to_thread(embedded.process.wait, 20) == 0


@pytest.mark.parametrize("executor", EXECUTORS)
async def test_a_drain_that_runs_out_leaves_the_calls_to_the_close(line, proxy, tmp_path, executor):
    with embedding(proxy, tmp_path, line, executor=executor) as embedded:
        caller, job = await greeted(line, "calls:desk", by=embedded)
        drained = await embedded.obeys("drain 2", within=20)
        assert drained["came"] == "TimeoutError"
        assert 1.9 < drained["seconds"] < 5
        assert caller.events("disconnected") == []
        closing = asyncio.create_task(embedded.obeys("aclose", within=30))
        await caller.dropped(within=10)
        await told_to_end(line, job)
        await closing


async def test_a_drain_that_is_long_enough_lets_a_call_end_by_itself(line, proxy, tmp_path):
    with embedding(proxy, tmp_path, line) as embedded:
        caller, job = await greeted(line, "calls:ends_the_call", by=embedded)
        draining = asyncio.create_task(embedded.obeys("drain 60", within=60))
        await asyncio.sleep(1)
        await caller.write("bye")
        await caller.dropped(within=20)
        await job.note("entrypoint_done", within=25)
        [record] = job.notes("record")
        assert (record["outcome"], record["hung_up_by"]) == ("completed", "agent")
        drained = await draining
        assert drained["came"] == "done"
        assert drained["seconds"] < 40
        await embedded.obeys("aclose", within=30)
        assert await asyncio.to_thread(embedded.process.wait, 20) == 0


@pytest.mark.parametrize("executor", EXECUTORS)
async def test_several_calls_end_at_once_each_with_its_own_record(line, proxy, tmp_path, executor):
    rooms = [line.room, f"{line.room}-b", f"{line.room}-c"]
    with embedding(proxy, tmp_path, line, executor=executor, idle=3) as embedded:
        callers, jobs = [], []
        for number, room in enumerate(rooms):
            caller = await Caller.join(line.server.url, line.server.token(room, "caller"), "caller")
            callers.append(caller)
            jobs.append(await embedded.dispatch(line.lk, room, tmp_path / f"many-{number}.jsonl", "calls:desk"))
        try:
            await asyncio.gather(*(caller.wait_for_sounds(1, within=60) for caller in callers))
            closing = asyncio.create_task(embedded.obeys("aclose", within=40))
            dropped = await asyncio.gather(*(caller.dropped(within=15) for caller in callers))
            assert [one.reason for one in dropped] == ["ROOM_DELETED"] * 3
            records = [await told_to_end(line, job, room=room) for job, room in zip(jobs, rooms, strict=True)]
            assert len({record["call"] for record in records}) == 3
            assert [record["room"] for record in records] == rooms
            await closing
        finally:
            await asyncio.gather(*(caller.leave() for caller in callers))


async def test_a_call_in_its_goodbye_is_cut_and_dropped_at_once(line, proxy, tmp_path):
    with embedding(proxy, tmp_path, line) as embedded:
        caller, job = await greeted(line, "calls:ends_the_call", by=embedded)
        await caller.write("bye")
        await caller.wait_for_sounds(2, within=20)  # it has begun to say goodbye
        closing = asyncio.create_task(embedded.obeys("aclose", within=30))
        await caller.dropped(within=5)
        await job.note("entrypoint_done", within=25)
        [record] = job.notes("record")
        assert (record["outcome"], record["hung_up_by"], record["forced"]) == ("completed", "agent", [])
        assert record["line_dropped"] is not None
        await line.view.wait_until_gone(line.room, within=3)
        await closing


async def test_a_call_that_was_only_just_dispatched_ends_as_well(line, proxy, tmp_path):
    """Before its process has connected to the room; nobody is left alone with a line that stands."""
    with embedding(proxy, tmp_path, line) as embedded:
        caller = await line.caller()
        job = await line.agent("calls:desk", by=embedded)
        await job.note("job", within=20)
        await embedded.obeys("aclose", within=40)
        await caller.dropped(within=5)
        record = await told_to_end(line, job)
        assert record["outcome"] == "cancelled"


@pytest.mark.parametrize("how", ["SIGTERM twice", "SIGKILL"])
async def test_a_worker_that_is_gone_at_once_leaves_no_line_behind(line, proxy, tmp_path, how):
    """At a second signal LiveKit leaves without a word. The job's process finds itself alone, and ends its call."""
    with worker(proxy.url, tmp_path, name=f"gone-{line.room}") as stopped:
        caller, job = await greeted(line, "faults:desk", by=stopped)
        if how == "SIGKILL":
            stopped.process.kill()
        else:
            stopped.terminate()
            await asyncio.sleep(1)
            assert caller.events("disconnected") == []
            stopped.terminate()
        dropped = await caller.dropped(within=10)
        assert dropped.reason == "ROOM_DELETED"
        record = await record_in(tmp_path, within=5)
        assert (record["cause"]["event"], record["hung_up_by"]) == ("job.shutdown", "worker")
        await job.process_gone(within=15)
