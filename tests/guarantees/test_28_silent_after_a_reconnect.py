"""Row 28: after a reconnect of its own the agent stays silent (livekit/agents#4028, #4705).

A flow speaks again once it is back; a reconnect that does not come, or comes in name only, has a deadline of its own,
`limits.reconnecting`: then the line is lost, and drops.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from callflow.testing import Tool
from callflow.testing.play import silent, talks
from callflow.testing.server import Fault
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

LONG = "Good morning, this is the front desk of the Hotel Astoria, what can I do for you today?"

OWN = (
    FRONT_DESK.replace("    on:\n", "    on:\n      room.reconnecting: offline\n")
    + """
  offline:
    after:
      10s: {target: ending, do: [{outcome: line_lost}]}
    on:
      room.reconnected: talking
"""
)


def loses_network(call, seconds=None, *, carries=True):
    """It is back after so many seconds."""

    async def script(caller):
        await caller.hear()
        call.job.room.lose_network()
        if seconds is not None:
            await asyncio.sleep(seconds)
            call.job.room.find_network(carries=carries)
            await caller.say("are you there?")
            await talks("that is all")(caller)

    return script


def limited(seconds):
    return FRONT_DESK.replace("initial:", f"limits: {{reconnecting: {seconds}s}}\ninitial:")


def assert_was_lost(call, record, *, after):
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("line_lost", "room.disconnected", "system")
    assert record.cause.detail == {"reason": "OUT_OF_REACH"}
    [gone] = [step.event.time for step in call.steps if getattr(step.event, "name", "") == "room.reconnecting"]
    assert record.cause.time - gone == pytest.approx(after, abs=0.01)
    assert record.line_dropped - record.cause.time < 0.5
    assert record.forced == ()
    assert call.far_end.dead_air < after + 3


@pytest.mark.parametrize("seconds", [3, 15, 19.9])
async def test_a_flow_speaks_again(stage, ended, seconds):
    call = stage(model=[GREETING, "I am here.", Tool("end_call")])
    call.caller = loses_network(call, seconds)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "completed"
    assert call.heard == f"{GREETING}\nI am here.\n{GOODBYE}"
    ended(call)


@pytest.mark.parametrize("limit", [20, 5, 60])
async def test_a_reconnect_that_does_not_come_has_a_deadline(stage, ended, limit):
    call = stage(FRONT_DESK if limit == 20 else limited(limit), model=[GREETING])
    call.caller = loses_network(call)
    record = await call.play()
    assert_was_lost(call, record, after=limit)
    ended(call)


async def test_so_has_one_that_comes_in_name_only(stage, ended):
    """LiveKit's client says that it is back, while the transport of what it publishes is not."""
    call = stage(model=[GREETING])
    call.caller = loses_network(call, 2, carries=False)
    record = await call.play()
    assert_was_lost(call, record, after=20)
    ended(call)


async def test_a_transport_that_follows_is_back_in_time(stage, ended):
    call = stage(model=[GREETING, "I am here.", Tool("end_call")])

    async def script(caller):
        await caller.hear()
        call.job.room.lose_network()
        await asyncio.sleep(5)
        call.job.room.find_network(carries=False)
        await asyncio.sleep(5)
        call.job.room.carries = True
        await asyncio.sleep(25)
        await caller.say("are you there?")
        await talks("that is all")(caller)

    call.caller = script
    record = await call.play()
    assert record.outcome == "completed"
    ended(call)


async def test_each_outage_has_the_whole_time(stage, ended):
    call = stage(model=[GREETING, "I am here.", Tool("end_call")])

    async def script(caller):
        await caller.hear()
        for _ in range(3):
            call.job.room.lose_network()
            await asyncio.sleep(12)
            call.job.room.find_network()
            await asyncio.sleep(3)
        await caller.say("are you there?")
        await talks("that is all")(caller)

    call.caller = script
    record = await call.play()
    assert record.outcome == "completed"
    ended(call)


@pytest.mark.parametrize("carries", [True, False], ids=["at once", "its transport later"])
async def test_what_is_being_said_as_the_connection_goes_is_said_again(stage, ended, carries):
    """LiveKit plays it to its end, to nobody."""
    call = stage(model=[LONG, LONG, Tool("end_call")])

    async def script(caller):
        await asyncio.sleep(1.5)
        call.job.room.lose_network()
        await asyncio.sleep(8)
        call.job.room.find_network(carries=carries)
        await asyncio.sleep(2)
        call.job.room.carries = True
        await asyncio.sleep(8)
        before, again = caller.heard
        assert LONG.startswith(before.text)
        assert before.text != LONG
        assert again.text == LONG
        await caller.say("that is all")

    call.caller = script
    record = await call.play()
    assert record.outcome == "completed"
    [greeting] = [effect for effect in record.effects if effect.verb == "generate_reply"]
    assert greeting.result == {"interrupted": False, "spoken": LONG, "heard": True}
    ended(call)


async def test_a_client_that_comes_back_too_late_changes_nothing(stage, server, ended):
    """It is back while the line is being dropped, with everybody in the room anew."""
    call = stage(model=[GREETING])

    async def script(caller):
        await caller.hear()
        call.job.room.lose_network()
        server.faults["DeleteRoom"] = [Fault(seconds=2)]
        await asyncio.sleep(20.5)
        call.job.room.find_network()
        await caller.say("are you there?")

    call.caller = script
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "line_lost"
    ended(call)


async def test_the_line_drops_once_the_server_can_be_reached(stage, server, ended):
    """An outage takes the API along: for more than half a minute each request is lost."""
    call = stage(model=[GREETING])
    call.caller = loses_network(call)
    server.faults["DeleteRoom"] = [Fault(seconds=60)] * 6
    server.faults["RemoveParticipant"] = [Fault(seconds=60)]
    record = await call.play()
    assert (record.outcome, record.cause.detail) == ("line_lost", {"reason": "OUT_OF_REACH"})
    assert 30 < record.line_dropped - record.cause.time < 45
    assert record.forced == ("line",)
    ended(call)


async def test_a_line_that_could_not_be_dropped_is_said_to_stand(stage, server):
    call = stage(model=[GREETING])
    call.caller = loses_network(call)
    server.faults["DeleteRoom"] = [Fault(seconds=60)] * 100
    server.faults["RemoveParticipant"] = [Fault(seconds=60)] * 100
    record = await call.play()
    assert (record.outcome, record.line_dropped) == ("line_lost", None)
    assert any("may still be up" in note for note in record.notes)
    assert record.ended - record.cause.time < 90


def loses_server(call, server, fault, after):
    """It has died: every request meets `fault`, and LiveKit's client gives up after so many seconds."""

    async def script(caller):
        await caller.hear()
        server.faults |= {method: [fault] * 100 for method in ("DeleteRoom", "RemoveParticipant", "ListParticipants")}
        call.job.room.lose_network()
        await asyncio.sleep(after)
        call.job.room.dropped(rtc.DisconnectReason.UNKNOWN_REASON)

    return script


@pytest.mark.parametrize("fault", [Fault(503, code="unavailable"), Fault(seconds=600)], ids=["refuses", "is silent"])
@pytest.mark.parametrize("after", [19, 20.5, 24])
async def test_a_server_that_is_dead_for_good_costs_no_record(stage, server, fault, after):
    """LiveKit gives a job 15 s once its client has given up. The line may stand then, and the record says so in time."""
    call = stage(model=[GREETING])
    call.caller = loses_server(call, server, fault, after)
    record = await call.play()  # nobody has cancelled the entrypoint
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("line_lost", "room.disconnected", "system")
    assert (record.forced, record.line_dropped) == (("line",), None)
    assert [note for note in record.notes if "may still be up" in note]
    assert record.ended - record.started - call.job.room.stays[-1][1] < 14.5
    assert call.job.over - call.job.room.stays[-1][1] < 14.5 + 95, "its process has tried on"
    assert call.job.reason == "room disconnected"


async def test_who_is_out_of_reach_is_not_said_to_have_been_dropped(stage, server):
    """As the agent's connection goes the caller seems to leave, and LiveKit's client tries on; `reconnect_grace` ends it."""
    call = stage(limited(600), model=[GREETING])

    async def script(caller):
        await caller.hear()
        server.faults |= {method: [Fault(503)] * 100 for method in ("DeleteRoom", "RemoveParticipant")}
        call.job.room.lose_network()
        call.job.room.emit("participant_disconnected", call.job.room.remote_participants["caller"])
        await asyncio.sleep(600)

    call.caller = script
    record = await call.play()
    assert (record.outcome, record.cause.detail["cause"]) == ("hung_up", "out_of_reach")
    assert (record.forced, record.line_dropped) == (("line",), None)


async def test_an_agent_who_is_thrown_out_takes_the_line_along(stage, ended):
    """The agent is out of the room, and the far end is not: the line is dropped."""
    call = stage(model=[GREETING])

    async def script(caller):
        await caller.hear()
        call.job.room.dropped(rtc.DisconnectReason.PARTICIPANT_REMOVED)

    call.caller = script
    record = await call.play()
    assert (record.outcome, record.forced) == ("line_lost", ())
    assert record.cause.detail == {"reason": "PARTICIPANT_REMOVED"}
    assert record.line_dropped - record.cause.time < 0.5
    ended(call)


async def test_a_line_that_an_agent_cannot_drop_any_more_is_said_to_stand(stage, server):
    call = stage(model=[GREETING])

    async def script(caller):
        await caller.hear()
        server.faults["DeleteRoom"] = [Fault(500)] * 100
        call.job.room.dropped(rtc.DisconnectReason.PARTICIPANT_REMOVED)

    call.caller = script
    record = await call.play()
    assert (record.outcome, record.forced, record.line_dropped) == ("line_lost", ("line",), None)


async def test_a_flow_may_do_something_else_meanwhile(stage, ended):
    call = stage(OWN, model=[GREETING])
    call.caller = loses_network(call)
    record = await call.play()
    assert call.trace == ["talking", "offline", "ending", "closed"]
    assert record.outcome == "line_lost"
    assert call.far_end.dead_air < 13
    ended(call)


async def test_a_room_that_the_client_gives_up_ends_the_call(stage, ended):
    call = stage(model=[GREETING])

    async def script(caller):
        await caller.hear()
        call.job.room.lose_network()
        await asyncio.sleep(12)
        call.job.room.dropped(rtc.DisconnectReason.UNKNOWN_REASON)

    call.caller = script
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("line_lost", "room.disconnected", "system")
    assert call.far_end.dead_air < 15
    ended(call)


async def test_a_silence_in_which_nobody_can_be_heard_is_none_and_the_limit_that_was_written_ends_it(stage, ended):
    call = stage(limited(600), model=[GREETING], caller=silent)
    call.caller = loses_network(call)
    record = await call.play()
    assert_was_lost(call, record, after=600)
    ended(call)
