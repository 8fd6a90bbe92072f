"""Processes that stand still (SIGSTOP): starved of the processor, swapped out, held in a debugger, or hung for good."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.e2e.aftermath import events, one_record
from tests.e2e.caller_process import remote_caller
from tests.e2e.own_line import own_line
from tests.e2e.test_calls import greeted, say_bye
from tests.e2e.test_faults_jobs import assert_tells_of_the_death
from tests.e2e.test_faults_servers import heard_since
from tests.e2e.test_programs import record_in
from tests.e2e.worker import worker

pytestmark = pytest.mark.timeout(300)


async def stand_still(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


async def test_a_job_that_stands_still_for_a_while_goes_on(line):
    caller, job = await greeted(line, "faults:desk")
    await stand_still(job.notes("job")[0]["pid"], 6)
    await asyncio.sleep(4)
    bye = await say_bye(caller)
    await caller.dropped(within=20)
    assert heard_since(caller, bye) > 1.7  # the goodbye is 1.85 s
    record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"
    assert "call.hangup" not in events(job)


async def test_a_caller_whose_program_stands_still_for_good_is_given_up(line, server):
    async with remote_caller(server.url, server.token(line.room, "caller")) as caller:
        job = await line.agent("faults:desk")
        await caller.greeted()
        os.kill(caller.process.pid, signal.SIGSTOP)
        record = await one_record(line, job, within=40)
    assert record["outcome"] == "hung_up"
    assert record["hung_up_by"] == "network"


async def test_a_server_that_stands_still_for_a_while_costs_no_call(tmp_path, ports):
    async with own_line(tmp_path, ports) as line:
        caller, job = await greeted(line, "faults:desk")
        await stand_still(line.server.processes[-1].pid, 8)
        await asyncio.sleep(12)
        bye = await say_bye(caller)
        await caller.dropped(within=20)
        assert heard_since(caller, bye) > 1.7
        record = await one_record(line, job, within=10)
    assert record["outcome"] == "completed"


async def test_a_guarded_job_that_hangs_for_good_holds_no_caller(line, proxy, tmp_path):
    """livekit-server gives its connection up after 21 s and ends the job; its worker kills a process that does not answer
    within 10 s more; the guard does the rest."""
    with worker(proxy.url, tmp_path, name=f"hung-{line.room}", guarded=True) as guarded:
        caller, job = await greeted(line, "faults:desk", by=guarded)
        pid = job.notes("job")[0]["pid"]
        os.kill(pid, signal.SIGSTOP)
        await caller.dropped(within=60)
        record = await record_in(tmp_path, within=5)
        assert_tells_of_the_death(record, line, pid)
        await line.view.wait_until_gone(line.room, within=3)
