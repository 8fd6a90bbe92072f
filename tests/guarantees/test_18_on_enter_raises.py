"""Row 18: `on_enter` raises, which is only logged: a mute, live call.

In a flow it is a failure of the state that is active: handled by a row, or it leads to the ending.
"""

from __future__ import annotations

import pytest
from livekit.agents import Agent

from callflow.testing.play import silent
from tests.support import raw

PLAIN = """
callflow: 1
name: front-desk
initial: talking
states:
  talking: {waits: the caller decides}
"""
HANDLED = PLAIN.replace(
    "{waits: the caller decides}",
    "{waits: the caller decides, on: {failed: {target: sorry}}}\n"
    "  sorry: {entry: [{say: Sorry. Please call again.}, {outcome: failed}], on: {done: ending}}",
)


@pytest.fixture(autouse=True)
async def _quiet():
    raw.log_nothing_late()


class Broken(Agent):
    async def on_enter(self) -> None:
        raise ValueError("no such customer")


async def test_by_itself_the_caller_hears_nothing_for_ever():
    seen = await raw.on_enter_raises(600)
    assert seen == raw.MuteCall(heard="", on_line=True, session_closed=False, job_over=False)


async def test_a_flow_ends_the_call(stage, ended):
    call = stage(PLAIN, agent=Broken(instructions="x"), caller=silent)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "failed"
    assert "no such customer" in record.fault
    assert call.far_end.left - call.far_end.joined < 3
    ended(call)


async def test_a_flow_may_say_that_it_is_sorry(stage, ended):
    call = stage(HANDLED, agent=Broken(instructions="x"), caller=silent)
    record = await call.play()
    assert call.trace == ["talking", "sorry", "ending", "closed"]
    assert (record.outcome, record.fault) == ("failed", None)
    assert call.heard == "Sorry. Please call again."
    ended(call)
