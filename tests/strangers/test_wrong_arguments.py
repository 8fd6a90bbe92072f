"""The Python interface in the hands of somebody in a hurry."""

from __future__ import annotations

import asyncio
import pickle

import pytest
from livekit.agents import Agent, AgentSession
from livekit.agents.testing import fake_job_context

import callflow
from callflow.core.codec import from_json, to_json
from callflow.errors import Defect
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, hangs_up

FLOW = callflow.loads("callflow: 1\nname: t\ninitial: a\nstates: {a: {ignore: [dtmf.1]}}")


@pytest.mark.parametrize(
    ("flow", "session", "agent", "says"),
    [
        (
            "flows/inbound.yaml",
            None,
            None,
            "flow takes an instance of Flow, not 'flows/inbound.yaml': callflow.load(…) makes one",
        ),
        (FLOW, AgentSession, None, "session takes an instance of AgentSession, not AgentSession itself"),
        (FLOW, None, Agent, "agent takes an instance of Agent, not Agent itself"),
    ],
)
async def test_what_is_no_flow_no_session_no_agent_is_said(flow, session, agent, says):
    with fake_job_context() as ctx, pytest.raises(callflow.BindError) as caught:
        callflow.bind(flow, ctx, session or AgentSession(), agent)
    ctx._tempdir.cleanup()
    assert says in str(caught.value)


def test_errors_come_whole_from_another_process():
    for error in (
        callflow.FlowFileError([Defect("tab", "a tab", "f.yaml", 1, 2, 1, 3)]),
        callflow.StartError(["vars.x is missing", "vars.y is missing"]),
        callflow.BindError(["vars.x is missing", "vars.y is missing"]),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("configuration", [[[1]], [None], ["b"], 5])
def test_a_snapshot_that_names_no_state_is_refused(configuration):
    written = to_json(FLOW, callflow.start(FLOW).snapshot)
    with pytest.raises(callflow.SnapshotError):
        from_json(FLOW, {**written, "configuration": configuration})
    with pytest.raises(callflow.SnapshotError):
        from_json(FLOW, {**written, "memory": {**written["memory"], "configuration": configuration, "timers": 5}})


async def test_a_goodbye_that_is_no_text_does_not_leave_the_caller_waiting_for_it():
    async with SimulatedServer() as server:
        stage = Stage(FLOW, server, caller=hangs_up(after=5))

        async def goodbye() -> None:
            await asyncio.sleep(1)
            with pytest.raises(TypeError, match="a goodbye is text, not 5"):
                await stage.call.hang_up(5)

        saying = asyncio.create_task(goodbye())
        record = await stage.play()
        await saying
    assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")
