"""Row 15: an AgentSession that is started again ignores `shutdown()`: the closing task of its first life is still there.

A call of a flow has one AgentSession, started by callflow, once; one that has been started already is refused before
the call begins, and nobody is left on the line.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent

import callflow
from callflow.errors import BindError
from callflow.testing import Caller, SimulatedJob, Tool
from callflow.testing.play import offline_session, talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING
from tests.support import raw


async def test_by_itself_the_second_shutdown_does_nothing():
    async with raw.raw_call(raw.Agent(instructions="x")) as call:
        call.session.shutdown()
        await asyncio.sleep(5)
        assert len(call.closed) == 1
        await call.session.start(raw.Agent(instructions="x"), room=call.job.ctx.room)
        call.session.shutdown()
        await asyncio.sleep(600)
        assert len(call.closed) == 1
        assert call.caller.on_line
        call.session._closing_task = None
        await call.session.aclose()


async def test_a_session_that_runs_already_is_refused_and_the_line_dropped(server):
    session = offline_session([GREETING])
    await session.start(Agent(instructions="x"))

    async def entrypoint(ctx):
        await callflow.run(callflow.loads(FRONT_DESK), ctx, session)

    job, caller = SimulatedJob(server, entrypoint), Caller(server, "room")
    caller.join()
    try:
        with pytest.raises(BindError, match="has been started"):
            await job.run()
        assert not caller.on_line
        assert server.rooms == {}
    finally:
        await session.aclose()


async def test_two_calls_have_two_sessions_and_each_ends(stage, ended):
    for n in range(2):
        call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"), room=f"call-{n}")
        record = await call.play()
        assert (record.outcome, record.forced) == ("completed", ())
        assert call.heard == f"{GREETING}\n{GOODBYE}"
        ended(call)
