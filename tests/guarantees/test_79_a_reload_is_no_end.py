"""Row 79: a page that is reloaded is taken for the end of the call: the caller leaves, and joins again
(livekit/agents-js#706, livekit/agents#4675).

A flow may wait for them in a state of its own; the record says what ended the call, and when, and not who left before.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent

from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import Tool
from callflow.testing.caller import Caller
from callflow.testing.play import talks
from tests.support import raw
from tests.support.phone import OUTBOUND, outbound

RELOAD = """
callflow: 1
name: reload
tools: {end_call: {description: Done.}}
initial: talking
on: {call.hangup: away}
states:
  talking:
    entry: [{generate_reply: Greet.}]
    after: {5m: ending}
  away:
    after: {20s: {target: ending, do: [{outcome: hung_up}]}}
    on:
      room.participant_connected: back
      call.hangup: ending
  back:
    entry: [{say: Welcome back.}]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}
    after: {5m: ending}
"""


def reloads(then, *, times=1):
    async def script(caller):
        await caller.hear()
        for _ in range(times):
            caller.hang_up()
            await asyncio.sleep(3)
            caller.join()
            await caller.hear()
        await then(caller)

    return script


async def says_it_is_all(caller):
    await caller.say("that is all")


async def leaves(caller):
    await asyncio.sleep(5)
    caller.hang_up()


def ended_by(call, record):
    dropped = record.line_dropped - record.started
    assert dropped == pytest.approx(call.far_end.left, abs=0.05)
    return record.outcome, record.hung_up_by, record.cause.event, record.line


async def test_by_itself_the_session_closes():
    async with raw.raw_call(Agent(instructions="")) as call:
        call.caller.hang_up()
        await asyncio.sleep(3)
        call.caller.join()
        await asyncio.sleep(60)
        assert [reason for _, reason in call.closed] == ["participant_disconnected"]
        assert call.caller.on_line


@pytest.mark.parametrize("times", [1, 3])
async def test_what_ended_it_is_in_the_record(stage, ended, times):
    call = stage(RELOAD, model=["Good day.", Tool("end_call")], caller=reloads(says_it_is_all))
    record = await call.play()
    assert call.trace == ["talking", "away", "back", "ending", "closed"]
    assert ended_by(call, record) == ("completed", "agent", "delete_room", "dropped")
    assert record.cause.state == "ending"
    ended(call)


async def test_who_comes_back_and_hangs_up_has_hung_up(stage, ended):
    call = stage(RELOAD, model=["Good day."], caller=reloads(leaves))
    record = await call.play()
    assert ended_by(call, record) == ("hung_up", "caller", "call.hangup", "dropped")
    assert record.cause.state == "back"
    ended(call)


async def test_who_does_not_come_back_has_ended_it(stage):
    call = stage(RELOAD.replace("20s", "10s"), model=["Good day."], caller=talks("bye", then_leaves=True))
    record = await call.play()
    assert (record.outcome, record.hung_up_by, record.cause.event) == ("hung_up", "caller", "call.hangup")
    assert record.cause.state == "talking"
    assert record.line_dropped - record.started == pytest.approx(call.far_end.left, abs=0.05)


async def test_a_browser_that_comes_back_under_another_name(stage, server):
    """Its page has made a name for it anew."""
    came = []

    async def script(caller):
        await caller.hear()
        caller.hang_up()
        await asyncio.sleep(3)
        came.append(Caller(server, "call", "caller-2"))
        came[0].join()
        await asyncio.sleep(5)

    flow = RELOAD.replace(
        "    after: {5m: ending}\n", "    after: {15s: {target: ending, do: [{outcome: completed}]}}\n"
    )
    record = await stage(flow, model=["Good day."], caller=script).play()
    assert (record.outcome, record.hung_up_by, record.cause.event) == ("completed", "agent", "delete_room")
    assert record.line_dropped - record.started == pytest.approx(came[0].left, abs=0.05)


REDIALS = (
    OUTBOUND.replace("    after: {40s: ending}", "    after: {5s: ending}\n    on: {call.hangup: again}")
    + """
  again:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 10s}}]
    on:
      dial.answered: once_more
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  once_more: {entry: [{say: Hello again.}], after: {5s: {target: ending, do: [{outcome: completed}]}}}
"""
)


@pytest.mark.parametrize(
    ("second", "outcome", "by", "cause"),
    [("answers", "completed", "agent", "delete_room"), ("busy", "busy", "callee", "dial.busy")],
)
async def test_who_is_called_again_has_not_ended_it(server, second, outcome, by, cause):
    stage = outbound(server, [FarEnd(hangs_up=2.0), FAR_ENDS[second]], REDIALS)
    record = await stage.play()
    assert (record.outcome, record.hung_up_by, record.cause.event) == (outcome, by, cause)


@pytest.mark.parametrize("before", [0.005, 0.015, 0.035])
async def test_a_telephone_that_hangs_up_as_we_do_has_hung_up(server, before):
    """Its BYE is under way as the room is deleted, and LiveKit's reason says so."""
    loop, flow = asyncio.get_running_loop(), OUTBOUND.replace("40s", "5s")
    began = loop.time()
    await outbound(server, FAR_ENDS["answers"], flow, room="first").play()
    [deleted] = [at - began for at, method in server.requests if method == "DeleteRoom"]
    stage = outbound(server, FAR_ENDS["answers"], flow)
    loop.call_later(deleted - before, lambda: stage.telephones.legs["far_end"].hang_up())
    record = await stage.play()
    assert (record.hung_up_by, record.cause.event, record.line) == ("caller", "call.hangup", "dropped")


TOGETHER = """
callflow: 1
name: together
initial: asking
states:
  asking:
    entry: [{consult: {to: "+15550123456", trunk: ST_1, briefing: A caller is on the line.}}]
    on: {consult.accepted: together, consult.*: ending}
  together:
    must_finish: true
    entry: [{outcome: transferred}, stand_by]
    on: {done: over}
  over: {final: true}
"""


@pytest.mark.parametrize("at", [6.0, 30.0])  # as the session closes still, and long after it
async def test_a_caller_who_hangs_up_on_the_colleague_has_ended_it(server, at):
    async def script(caller):
        await asyncio.sleep(at)
        caller.hang_up()

    record = await outbound(server, FarEnd(rings=1.0), TOGETHER, caller=script).play()
    assert (record.outcome, record.hung_up_by, record.cause.event) == ("transferred", "caller", "call.hangup")
    assert record.cause.time - record.started == pytest.approx(at, abs=0.1)


async def test_a_colleague_who_hangs_up_on_the_caller_leaves_the_line_to_be_dropped(server):
    stage = outbound(server, FarEnd(rings=1.0, hangs_up=30.0), TOGETHER, caller=talks())
    record = await stage.play()
    assert (record.outcome, record.hung_up_by, record.cause.event) == ("transferred", "agent", "stand_by")
    assert record.cause.time - record.started == pytest.approx(31.0, abs=0.5), "not when it began to stand by"
    assert stage.far_end.left == pytest.approx(record.line_dropped - record.started, abs=0.1)


async def test_a_worker_that_closes_while_two_talk_has_ended_it(server):
    loop = asyncio.get_running_loop()
    stage = outbound(server, FarEnd(rings=1.0), TOGETHER, caller=talks())
    loop.call_later(30.0, lambda: stage.call.job_ends("drained", worker=True))
    record = await stage.play()
    assert (record.outcome, record.hung_up_by, record.cause.event) == ("transferred", "worker", "job.shutdown")
    assert not stage.far_end.on_line
