"""Row 68: the last syllable is cut: `delete_room` overtakes the sound that is still on its way to the ear.

A flow's `drain` has a `tail`, 200 ms unless the flow says otherwise, between the end of the playout and the drop. Here
the network is a delay; how much a real one cuts with its jitter buffers is a real server's to show.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api

from callflow.testing import Tool
from callflow.testing.play import silent, talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING
from tests.support import raw

DELAYS = [0.04, 0.1, 0.18]


@pytest.mark.parametrize("delay", DELAYS[1:])
async def test_by_itself_the_end_is_cut(delay):
    async with raw.raw_call(raw.Agent(instructions="x")) as call:
        call.caller._delay = delay
        await call.session.say(GOODBYE)
        await call.job.ctx.api.room.delete_room(api.DeleteRoomRequest(room="room"))
        await asyncio.sleep(1)
        assert GOODBYE.startswith(call.caller.heard_text)
        assert 0 < len(call.caller.heard_text) < len(GOODBYE)


def flow(tail):
    return (
        FRONT_DESK
        if tail is None
        else FRONT_DESK
        + f"""
  ending:
    entry: [{{drain: {{tail: {tail}}}}}, delete_room, aclose, shutdown]
    on: {{done: closed}}
"""
    )


async def play(stage, tail, delay):
    async def caller(who):
        who._delay = delay
        await talks("that is all, bye")(who)

    call = stage(flow(tail), model=[GREETING, Tool("end_call")], caller=caller)
    await call.play()
    return call


@pytest.mark.parametrize("delay", DELAYS)
async def test_a_flow_is_heard_to_the_last_letter(stage, ended, delay):
    call = await play(stage, None, delay)
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.far_end.dead_air < 0.4
    ended(call)


@pytest.mark.parametrize(("tail", "whole"), [("0s", False), ("100ms", False), ("600ms", True)])
async def test_the_tail_can_be_set(stage, ended, tail, whole):
    call = await play(stage, tail, 0.4)
    assert (call.heard == f"{GREETING}\n{GOODBYE}") == whole
    ended(call)


LAST = """
callflow: 1
name: last
ending: over
initial: talking
states:
  talking: {entry: [{say: Hello.}], after: {3s: over}}
  over: {entry: [{SAYS}, wait_for_speech, ACT, delete_room, aclose, shutdown], on: {done: closed}}
"""


@pytest.mark.parametrize("act", ["delete_room", "remove_participant"])
@pytest.mark.parametrize("wait", [True, False])
async def test_what_acts_at_once_waits_where_the_flow_says_so(stage, ended, act, wait):
    says = f'say: {{text: "{GOODBYE}", wait: {str(wait).lower()}}}'
    call = stage(LAST.replace("SAYS", says).replace("ACT, ", "" if act == "delete_room" else f"{act}, "), caller=silent)
    await call.play()
    assert call.heard == f"Hello.\n{GOODBYE}"
    assert call.far_end.dead_air < 0.4
    ended(call)
