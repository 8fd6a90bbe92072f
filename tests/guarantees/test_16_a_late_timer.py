"""Row 16: a timer that fires after the close raises "AgentSession isn't running".

A flow's timers belong to its states: once they are left nothing of them fires, and speech that comes too late is
recorded and does nothing.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing.play import hangs_up, silent
from tests.guarantees.conftest import GREETING
from tests.support import raw

TIMERS = """
callflow: 1
name: timers
initial: talking
states:
  talking:
    entry: [generate_reply]
    every: {4s: {do: [{say: "Are you still there?"}]}}
    after: {6s: {do: [{say: "I am still here."}]}}
    silence: {5s: {do: [{say: "Hello?"}]}}
"""

SPEAKS_LATE = """
callflow: 1
name: late
initial: talking
states:
  talking:
    entry: [generate_reply]
    on: {call.hangup: {target: leaving, do: [{outcome: hung_up}]}}
  leaving:
    entry: [{say: "Are you still there?"}]
    on: {done: ending}
"""


async def test_by_itself_it_raises():
    error = await raw.speech_after_the_close()
    assert isinstance(error, RuntimeError)
    assert "isn't running" in str(error)


@pytest.mark.parametrize("after", [1.0, 3.99, 4.0, 4.5, 5.0, 6.0, 9.0])
async def test_a_flows_timers_end_with_their_state(stage, ended, caplog, after):
    call = stage(TIMERS, model=[GREETING], caller=hangs_up(after=after))
    record = await call.play()
    await asyncio.sleep(60)
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.fault, record.error) == ("hung_up", None, None)
    assert not [effect for effect in record.effects if effect.status in ("failed", "timed_out")]
    assert "isn't running" not in caplog.text
    ended(call)


async def test_speech_that_comes_too_late_is_recorded_as_unheard(stage, ended):
    call = stage(SPEAKS_LATE, model=[GREETING], caller=hangs_up(after=3))
    record = await call.play()
    assert call.trace == ["talking", "leaving", "ending", "closed"]
    late = next(effect for effect in record.effects if effect.verb == "say")
    assert (late.status, late.result["heard"], late.seconds < 0.1) == ("ok", False, True)
    assert call.heard == GREETING
    ended(call)


async def test_a_call_that_is_only_silent_ends(stage, ended):
    call = stage(TIMERS, model=[GREETING], caller=silent)
    record = await call.play()
    assert record.outcome == "timed_out"
    ended(call)
