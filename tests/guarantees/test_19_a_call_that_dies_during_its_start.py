"""Row 19: no `close` if the call dies while it starts, since a close does nothing before the start is through
(livekit/agents#3771).

A flow's call ends exactly once, wherever it is: one record, the line dropped, the job over.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, AgentSession

from callflow.testing.play import offline_session, silent
from tests.guarantees.conftest import GREETING
from tests.support import raw


class BadStart(AgentSession):
    """A session whose start raises, or takes `seconds`."""

    seconds = 0.0
    error: Exception | None = None

    async def start(self, *args, **options):
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return await super().start(*args, **options)


def bad(seconds=0.0, error=None):
    models = offline_session([GREETING])
    session = BadStart(llm=models.llm, stt=models.stt, tts=models.tts, **raw.SPEECH)
    session.seconds, session.error = seconds, error
    return session


async def test_by_itself_a_close_before_the_start_is_through_does_nothing():
    session = offline_session()
    closed = []
    session.on("close", closed.append)
    await session.aclose()
    assert closed == []


async def test_a_session_that_does_not_start_ends_the_call(stage, ended):
    session = bad(error=RuntimeError("no such model"))
    call = stage(session=session, caller=silent)
    record = await call.play()
    assert record.outcome == "failed"
    assert record.cause.event == "session.close"
    assert "no such model" in str(record.to_json())
    assert call.far_end.left - call.far_end.joined < 5
    ended(call)


async def test_a_session_that_starts_for_ever_ends_the_call(stage, ended):
    call = stage(session=bad(seconds=10_000), caller=silent)
    record = await call.play()
    assert record.outcome == "failed"
    assert call.far_end.left - call.far_end.joined < 70
    ended(call)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.1, 1.0])
@pytest.mark.parametrize("what", ["caller leaves", "room deleted", "worker closes"])
async def test_a_call_that_dies_while_it_starts_ends_once(stage, server, ended, after, what):
    async def dies(caller):
        await asyncio.sleep(after)
        if what == "caller leaves":
            caller.hang_up()
        elif what == "room deleted":
            server.delete_room("call")
        else:
            call.job.request_shutdown()

    call = stage(session=bad(seconds=0.5), caller=dies, agent=Agent(instructions="x"))
    ends = []
    call.options = {"on_end": [ends.append]}
    record = await call.play()
    assert ends == [record]
    assert call.trace[-2:] == ["ending", "closed"]
    gone = {"hung_up", "no_answer", "line_lost"}
    assert record.outcome in ({"cancelled"} if what == "worker closes" else gone)
    ended(call)
