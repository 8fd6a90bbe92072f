"""Row 81: the line stands although LiveKit has said that there is no such room: its redis came back empty, and everybody
is where they were.

In a flow `not_found` is the end of the line only where the agent's own room agrees; else the room is made known again,
and deleted. LiveKit writes its lists anew as somebody leaves, or as something of a participant changes: so the agent
leaves first, and a colleague who alone is to go is muted first.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FAR_ENDS
from callflow.testing import Fault, Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import FRONT_DESK, GREETING
from tests.support.phone import OUTBOUND, calls, outbound, rings_on
from tests.support.rawphone import raw_phone

SHORT = OUTBOUND.replace("40s", "4s")


async def test_by_itself_not_found_is_taken_for_the_end():
    async with raw_phone(FAR_ENDS["answers"]) as raw:
        await raw.dial()
        raw.server.forget()
        await raw.job.ctx.delete_room("room")
        await asyncio.sleep(60)
        assert rings_on(raw.calls[0])
        assert "phone" in raw.seen()


@pytest.mark.parametrize("when", [2.0, 6.0, 8.5], ids=["while it rings", "mid-call", "in the goodbye"])
async def test_a_flow_goes_on(server, ended, when):
    flow = SHORT.replace("{4s: ending}", "{4s: {target: ending, do: [{say: Goodbye and thank you.}]}}")
    stage = outbound(server, FAR_ENDS["answers"], flow)
    asyncio.get_running_loop().call_later(when, server.forget)
    record = await stage.play()
    [call] = calls(stage)
    assert not rings_on(call)
    assert (record.cause.event, record.line, record.forced) == ("delete_room", "dropped", ())
    assert [note for note in record.notes if "made known again" in note]
    ended(stage)


@pytest.mark.parametrize("verb", ["delete_room", "hang_up", "{remove_participant: {}}", "final"])
async def test_whatever_drops_the_line(server, verb):
    flow = (
        OUTBOUND.replace("{40s: ending}", "{4s: over}")
        + f"  over: {{entry: [{verb}], on: {{done: gone}}}}\n  gone: {{final: true}}\n"
    )
    if verb == "final":
        flow = OUTBOUND.replace("{40s: ending}", "{4s: gone}") + "  gone: {final: true}\n"
    stage = outbound(server, FAR_ENDS["answers"], flow)
    asyncio.get_running_loop().call_later(6, server.forget)
    record = await stage.play()
    assert not rings_on(calls(stage)[0])
    assert record.line == "dropped"
    assert [one.verb for one in record.effects if one.status in ("failed", "timed_out")] == []
    assert record.seconds < 20


async def test_a_caller_in_a_browser(stage, server, ended):
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"))
    asyncio.get_running_loop().call_later(1, server.forget)
    record = await call.play()
    assert (record.outcome, record.line) == ("completed", "dropped")
    ended(call)


@pytest.mark.parametrize("seconds", [14, 17])
async def test_a_redis_that_comes_back_empty_after_an_outage(server, seconds):
    """The agent's own connection is away, and its room tells nothing."""
    stage = outbound(server, FAR_ENDS["answers"], OUTBOUND)
    asyncio.get_running_loop().call_later(5, lambda: server.go_away(seconds, callers=500.0, agents=None, forgets=True))
    record = await stage.play()
    assert record.outcome == "hung_up"
    assert "call" not in server.rooms


async def test_one_that_cannot_be_made_known_stands(server):
    stage = outbound(server, FAR_ENDS["answers"], SHORT)
    server.faults |= {method: [Fault(500)] * 500 for method in ("CreateRoom", "MutePublishedTrack")}
    asyncio.get_running_loop().call_later(6, server.forget)
    record = await stage.play()
    assert rings_on(calls(stage)[0])
    assert (record.line, record.line_dropped, record.forced) == ("stands", None, ("line",))


async def test_a_room_that_is_gone_is_done(server, stage, ended):
    """Somebody else has deleted it, and LiveKit says so to the flow before it says so to the room."""
    server.room_first = True

    async def deletes(caller):
        await caller.hear()
        server.faults["DeleteRoom"] = [Fault(404, code="not_found")]
        await caller.say("bye")
        asyncio.get_running_loop().call_later(1.9, server.delete_room, "call")

    call = stage(FRONT_DESK, model=[GREETING, Tool("end_call")], caller=deletes)
    await call.play()
    assert "CreateRoom" not in [method for _, method in server.requests]
    ended(call)
