"""Row 71: an entrypoint that returns early leaks its process: nothing ends the job.

`callflow.run` ends the job, and drops the line, on every way out: after the call, when the flow does not fit the
program, when its variables do not, when it is cancelled.
"""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.errors import BindError
from callflow.testing import Caller, Fault, SimulatedJob, Tool
from callflow.testing.play import offline_session
from tests.guarantees.conftest import FRONT_DESK, GREETING

NEEDS = FRONT_DESK + "vars: {customer: {type: string}}\n"
PYTHON = FRONT_DESK + "wrap_up: [{python: {name: report}}]\npython: {report: {}}\n"


async def test_by_itself_the_job_lives_on(server):
    async def entrypoint(ctx):
        return None  # a customer who is not to be called, for instance

    job, caller = SimulatedJob(server, entrypoint), Caller(server, "room")
    caller.join()
    job.start()
    await asyncio.sleep(3600)
    assert job.over is None
    assert caller.on_line
    job.request_shutdown()
    await job.ended()


@pytest.mark.parametrize("faults", [[], [Fault(500)], [Fault(seconds=10_000)]], ids=["", "500", "hangs"])
@pytest.mark.parametrize("flow", [NEEDS, PYTHON], ids=["variable", "python"])
async def test_a_flow_that_does_not_fit_ends_the_job(server, flow, faults):
    server.faults["DeleteRoom"] = list(faults)

    async def entrypoint(ctx):
        await callflow.run(callflow.loads(flow), ctx, offline_session())

    job, caller = SimulatedJob(server, entrypoint), Caller(server, "room")
    caller.join()
    with pytest.raises(BindError):
        await job.run()
    assert job.over - job.began < 10
    assert not caller.on_line or faults
    assert job.reason in ("failed", "room disconnected")


async def test_a_call_that_is_over_ends_the_job(server):
    async def entrypoint(ctx):
        return await callflow.run(callflow.loads(FRONT_DESK), ctx, offline_session([GREETING, Tool("end_call")]))

    job, caller = SimulatedJob(server, entrypoint), Caller(server, "room")
    caller.join()
    job.start()
    await caller.hear()
    await caller.say("bye")
    record = await job.ended()
    assert (record.outcome, server.rooms) == ("completed", {})
    assert not caller.on_line


async def test_a_run_that_is_cancelled_ends_the_job(server):
    tasks = []

    async def entrypoint(ctx):
        tasks.append(asyncio.ensure_future(callflow.run(callflow.loads(FRONT_DESK), ctx, offline_session([GREETING]))))
        await asyncio.wait(tasks)

    job, caller = SimulatedJob(server, entrypoint), Caller(server, "room")
    caller.join()
    job.start()
    await asyncio.sleep(4)
    tasks[0].cancel()
    await job.ended()
    assert tasks[0].cancelled()
    assert job.over - job.began < 14
    assert (server.rooms, caller.on_line) == ({}, False)
