"""Row 7: dead air after the goodbye: the room is deleted in a shutdown callback, after the close, the hooks and the
upload (livekit/agents-js#2375).

A flow drops the line right after the goodbye; what takes long happens when nobody waits for it.
"""

from __future__ import annotations

import asyncio

from livekit import api

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING
from tests.support import raw

WRAP_UP = (
    FRONT_DESK
    + """
wrap_up:
  - python: {name: write_summary, arguments: {last: "{{ call.transcript[len(call.transcript) - 1].text }}"}}
python:
  write_summary: {parameters: {last: {type: string}}}
"""
)


async def test_by_itself_deleting_in_a_shutdown_callback_waits_for_the_hooks():
    async def say_goodbye(ctx, session):
        async def hang_up():
            await ctx.api.room.delete_room(api.DeleteRoomRequest(room=ctx.room.name))

        ctx.add_shutdown_callback(hang_up)
        await session.say(GOODBYE)
        ctx.shutdown("done")

    async def slow(ctx):
        await asyncio.sleep(2)

    call = raw.raw_call(raw.Agent(instructions="x"), after_start=say_goodbye, on_session_end=slow)
    async with call as call:
        await call.job.ended()
        assert call.caller.heard_text == GOODBYE
        assert call.caller.dead_air >= 2.0


async def test_a_flow_drops_the_line_first(stage, server, ended):
    summaries = []

    async def write_summary(last):
        await asyncio.sleep(2)
        summaries.append((server.loop.time(), last))

    async def slow(ctx):
        await asyncio.sleep(2)

    call = stage(
        WRAP_UP,
        model=[GREETING, Tool("end_call")],
        caller=talks("bye"),
        on_session_end=slow,
        options={"actions": {"write_summary": write_summary}},
    )
    record = await call.play()
    assert record.outcome == "completed"
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.far_end.dead_air < 0.4
    [(at, last)] = summaries
    assert at > call.far_end.left
    assert last == GOODBYE
    ended(call)
