"""Row 12: the close hangs on a caller who hangs up in mid-speech: its drain has no bound (livekit/agents#5497, #6071,
#5035).

Every step of a flow's close has a bound, and escalates: speech that nobody hears is cut, a drain or a session that does
not close is left behind, and the record names it.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import AgentSession

from callflow.testing import Pause, Tool
from callflow.testing.play import hangs_up, offline_session, talks
from tests.guarantees.conftest import GREETING
from tests.support import raw

ENDLESS = "And then there is the story of how it all began, which is a long one. " * 4


class Stuck(AgentSession):
    """A session whose drain and close never end."""

    async def drain(self) -> None:
        await asyncio.sleep(1_000_000)

    async def aclose(self) -> None:
        await asyncio.sleep(1_000_000)


def stuck(turns):
    models = offline_session(turns)
    return Stuck(llm=models.llm, stt=models.stt, tts=models.tts, **raw.SPEECH)


@pytest.mark.parametrize("turn", [ENDLESS, [GREETING, Pause(3600)]], ids=["long speech", "model hangs"])
async def test_a_flow_cuts_what_nobody_hears(stage, ended, turn):
    call = stage(model=[turn], caller=hangs_up(after=3))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.forced, record.error) == ("hung_up", (), None)
    assert record.ended - record.line_dropped < 3
    ended(call)


async def test_a_flow_leaves_behind_a_session_that_does_not_close(stage, ended):
    call = stage(session=stuck([ENDLESS]), caller=hangs_up(after=3))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "hung_up"
    assert record.ended - record.line_dropped < 12
    assert any("did not close in time" in note for note in record.notes)
    ended(call)


async def test_a_drain_that_does_not_end_keeps_nobody_on_the_line(stage, ended):
    call = stage(session=stuck([GREETING, Tool("end_call")]), caller=talks("bye"))
    record = await call.play()
    assert record.outcome == "completed"
    assert call.far_end.dead_air < 1.0
    assert record.seconds < 25
    ended(call)
