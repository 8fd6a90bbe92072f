"""Row 47: the far end is music, a menu or a crowd that never pauses: no turn ever ends, the agent says nothing any more, and
the call lasts until somebody hangs up, 80 minutes later (livekit/agents#5862).

A flow's timers know nothing of turns: a state's `after`, the call's limit, and, where the flow itself goes round without
anybody's doing, `limits: {no_progress}`. The hold that a flow makes is bounded in the same way.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent

from callflow.testing import Caller, SimulatedJob
from callflow.testing.play import offline_session, silent

MUSIC = "la" * 6000  # four minutes of sound without a pause


async def goes_on(caller):
    await asyncio.sleep(2)
    await caller.say(MUSIC)


async def test_by_itself_nothing_is_said_any_more(server):
    async def entrypoint(ctx):
        await ctx.connect()
        session = offline_session(["Hello."])
        await session.start(Agent(instructions=""), room=ctx.room)
        await session.say("Good morning.").wait_for_playout()

    caller = Caller(server, "room")
    caller.join()
    job = SimulatedJob(server, entrypoint)
    job.start()
    await asyncio.sleep(1)
    talking = asyncio.ensure_future(caller.say(MUSIC))
    await asyncio.sleep(200)
    assert caller.on_line
    assert caller.heard_text == "Good morning."
    await talking
    server.delete_room("room")
    await job.ended()


LISTENS = """
callflow: 1
name: listens
limits: LIMITS
initial: greeting
states:
  greeting: {entry: [{say: Good morning.}], on: {done: listening}}
  listening:
    AFTER
    on: {app.never: ending}
"""


@pytest.mark.parametrize(
    ("limits", "after", "seconds"),
    [("{call: 2m}", "description: the call's limit", 120), ("{}", "after: {1m: ending}", 60)],
    ids=["the-call", "the-state"],
)
async def test_a_flow_ends_it(stage, ended, limits, after, seconds):
    call = stage(LISTENS.replace("LIMITS", limits).replace("AFTER", after), caller=goes_on)
    record = await call.play()
    assert record.seconds == pytest.approx(seconds, abs=5)
    assert not call.far_end.on_line
    ended(call)


ROUND = """
callflow: 1
name: round
initial: holding
states:
  holding:
    entry: [hold]
    on: {done: asking}
  asking:
    entry: [resume]
    on: {done: holding}
"""


async def test_a_hold_that_goes_round_without_anybodys_doing_is_ended(stage, ended):
    call = stage(ROUND, caller=silent)
    record = await call.play()
    assert (record.outcome, record.seconds < 30) == ("timed_out", True)
    assert len(call.trace) == 52  # fifty, the ending, and its end
    ended(call)


ON_HOLD = """
callflow: 1
name: on-hold
limits: {call: 20m}
initial: holding
states:
  holding:
    entry: [hold]
    on: {app.back: ending}
"""


async def test_a_hold_that_is_forgotten_ends_with_the_calls_limit(stage, ended):
    call = stage(ON_HOLD, caller=silent)
    record = await call.play()
    assert record.outcome == "timed_out"
    assert record.seconds == pytest.approx(1200, abs=5)
    ended(call)
