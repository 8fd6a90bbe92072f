"""Processes of jobs that are killed, and workers that cannot wait: `callflow.guard` drops the line and writes the record."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time

import psutil
import pytest

from tests.e2e.test_calls import greeted
from tests.e2e.test_programs import dispatch, record_in, running
from tests.e2e.worker import worker

NOTICED = 8
"""Seconds: the guard looks once a second, and a busy machine needs a while."""


def assert_tells_of_the_death(record, line, pid):
    assert record["outcome"] == "failed"
    assert (record["cause"]["event"], record["cause"]["state"]) == ("job.killed", "talking")
    assert record["cause"]["detail"] == {"pid": pid}
    assert record["hung_up_by"] == "system"
    assert record["error"] == "the job's process has died"
    assert record["room"] == line.room
    assert record["line_dropped"] is not None


async def no_lease_is_left(process):
    folders = {child.environ().get("CALLFLOW_LEASES") for child in psutil.Process(process.pid).children(recursive=True)}
    [folder] = folders - {None}
    until = time.monotonic() + 5
    while os.listdir(folder):  # noqa: PTH208
        assert time.monotonic() < until, os.listdir(folder)  # noqa: PTH208
        await asyncio.sleep(0.05)
    return folder


async def test_without_a_guard_the_caller_is_left_in_silence(line):
    """The symptom, so that the tests below are known to test something."""
    caller, job = await greeted(line, "faults:desk")
    job.kill()
    await asyncio.sleep(NOTICED)
    assert caller.events("disconnected") == []
    assert job.notes("record") == []


async def test_one_line_guards_a_users_own_server(line, proxy, tmp_path):
    with worker(proxy.url, tmp_path, name=f"guarded-{line.room}", guarded=True) as guarded:
        caller, job = await greeted(line, "faults:desk", by=guarded)
        pid = job.notes("job")[0]["pid"]
        job.kill()
        assert (await caller.dropped(within=NOTICED)).reason == "ROOM_DELETED"
        record = await record_in(tmp_path, within=5)
        assert_tells_of_the_death(record, line, pid)
        await line.view.wait_until_gone(line.room, within=3)
        folder = await no_lease_is_left(guarded.process)
        guarded.terminate()
        assert await asyncio.to_thread(guarded.process.wait, 20) == 0
    assert not await asyncio.to_thread(os.path.exists, folder)


async def test_a_call_that_ends_by_itself_is_nothing_to_the_guard(line, proxy, tmp_path):
    with worker(proxy.url, tmp_path, name=f"calm-{line.room}", guarded=True) as guarded:
        caller, job = await greeted(line, "faults:desk", by=guarded)
        await caller.write("bye")
        await caller.dropped(within=20)
        await job.note("entrypoint_done", within=10)
        await job.process_gone(within=15)
        await asyncio.sleep(2.5)
        [path] = (tmp_path / "journal").glob("*.json")
        assert json.loads(path.read_text())["outcome"] == "completed"
        await no_lease_is_left(guarded.process)


async def test_callflow_run_guards_its_calls(line, server, tmp_path):
    with running(server, tmp_path, "start") as process:
        await dispatch(line, within=60)
        caller = await line.caller()
        await caller.wait_for_sounds(1, within=30)
        pid = job_process(process.pid)
        os.kill(pid, signal.SIGKILL)
        assert (await caller.dropped(within=NOTICED)).reason == "ROOM_DELETED"
        assert_tells_of_the_death(await record_in(tmp_path, within=5), line, pid)
        await line.view.wait_until_gone(line.room, within=3)


def job_process(worker_pid):
    """The one that holds a lease."""
    children = psutil.Process(worker_pid).children(recursive=True)
    [folder] = {child.environ().get("CALLFLOW_LEASES") for child in children} - {None}
    [path] = (one for one in os.listdir(folder) if one.endswith(".json"))  # noqa: PTH208
    with open(f"{folder}/{path}") as file:  # noqa: PTH123
        return json.load(file)["pid"]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_second_kill_does_not_confuse_the_guard(line, proxy, tmp_path, times):
    """Idle processes that die hold no call."""
    with worker(proxy.url, tmp_path, name=f"idle-{times}-{line.room}", guarded=True) as guarded:
        caller, job = await greeted(line, "faults:desk", by=guarded)
        pid = job.notes("job")[0]["pid"]
        if times == 2:
            for child in psutil.Process(guarded.process.pid).children(recursive=True):
                if child.pid != pid and "multiprocessing" in " ".join(child.cmdline()) and child.children() == []:
                    child.kill()
                    break
        await asyncio.sleep(2.5)
        assert caller.events("disconnected") == []
        job.kill()
        await caller.dropped(within=NOTICED)
        assert_tells_of_the_death(await record_in(tmp_path, within=5), line, pid)
