"""Endings: every way in which a line is dropped or left, and what happens when that fails or hangs."""

from __future__ import annotations

import asyncio
import functools

import pytest
from livekit import api, rtc
from livekit.agents import Agent

import callflow
from callflow.testing import Caller, Fault

REASON = rtc.DisconnectReason


def ends_with(entry):
    return f"""
    callflow: 1
    name: ends
    initial: talking
    ending: ending
    standard: false
    on:
      call.hangup: {{target: ending, do: [{{outcome: hung_up}}]}}
      room.disconnected: {{target: ending, do: [{{outcome: line_lost}}]}}
      job.shutdown: {{target: ending, do: [{{outcome: cancelled}}]}}
      session.close: {{target: ending, do: [{{outcome: failed}}]}}
    states:
      talking: {{entry: [{{say: Hello.}}, {{outcome: completed}}], on: {{done: ending}}, after: {{1m: ending}}}}
      ending: {{entry: [{entry}], on: {{done: closed}}}}
      closed: {{final: true}}
    """


def effects(record):
    return [(effect.verb, effect.status) for effect in record.effects]


async def test_hang_up_is_the_whole_ending_in_one_verb(stage):
    record = await stage.play(ends_with("{hang_up: Goodbye.}"))
    assert stage.heard == "Hello.\nGoodbye."
    assert record.outcome == "completed"
    assert effects(record) == [("say", "ok"), ("hang_up", "ok")]
    assert record.forced == ()
    assert stage.caller.reason == REASON.ROOM_DELETED
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4


async def test_hang_up_for_the_agent_leaves_the_others_talking(stage):
    second = Caller(stage.server, "room", "second")
    second.join()
    record = await stage.play(ends_with("{hang_up: {goodbye: I leave you., for: agent}}"))
    assert stage.heard == "Hello.\nI leave you."
    assert record.forced == ()
    assert (stage.caller.on_line, second.on_line) == (True, True)
    assert stage.caller.agents == []


async def test_hang_up_for_the_agent_refuses_to_leave_two_telephones_on_their_own(stage):
    phones = [
        Caller(stage.server, "room", name, kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
               attributes={"sip.callStatus": "active", "sip.phoneNumber": "+15550001"})
        for name in ("sip-1", "sip-2")
    ]  # fmt: skip
    for phone in phones:
        phone.join()
    record = await stage.play(ends_with("{hang_up: {for: agent}}"), joins=False)
    assert any("stand_by" in (effect.error or "") for effect in record.effects)
    assert not any(phone.on_line for phone in phones)


async def test_stand_by_waits_in_silence_until_one_of_two_leaves_and_drops_the_line_for_the_other(stage):
    second = Caller(stage.server, "room", "second")
    second.join()
    stage.begin(ends_with("stand_by"))
    await asyncio.sleep(2)
    await stage.caller.say("are you there")
    await asyncio.sleep(600)
    assert (stage.caller.on_line, second.on_line) == (True, True)
    assert stage.heard == "Hello."
    second.hang_up()
    record = await stage.ended()
    assert record.outcome == "completed"
    assert record.forced == ()
    assert stage.caller.reason == REASON.ROOM_DELETED


async def test_remove_participant_drops_one_party(stage):
    stage.caller.join()
    second = Caller(stage.server, "room", "second")
    second.join()
    record = await stage.play(ends_with("remove_participant, remove_participant, aclose, shutdown"), joins=False)
    assert stage.caller.reason == REASON.PARTICIPANT_REMOVED
    assert [status for verb, status in effects(record) if verb == "remove_participant"] == ["ok", "ok"]
    assert (record.forced, second.reason) == (("line",), REASON.ROOM_DELETED)


@pytest.mark.parametrize("ending", ["{hang_up: }", "delete_room, aclose, shutdown"])
@pytest.mark.parametrize(
    "fault",
    [Fault(500), Fault(503, seconds=3), Fault(seconds=60), Fault(404, code="not_found"), Fault(500, works=True)],
)
async def test_a_room_that_is_not_deleted_at_the_first_try_is_at_a_later_one(stage, ending, fault):
    stage.server.faults["DeleteRoom"] = [fault]
    record = await stage.play(ends_with(ending.replace("{hang_up: }", "hang_up")))
    assert record.outcome == "completed"
    assert fault.code == "not_found" or not stage.caller.on_line
    assert record.forced == ()


async def test_from_a_room_that_is_never_deleted_everybody_is_removed(stage):
    stage.server.faults["DeleteRoom"] = [Fault(500)] * 100
    record = await stage.play(ends_with("delete_room, aclose, shutdown"))
    assert ("delete_room", "failed") in effects(record)
    assert "line" in record.forced
    assert any("everybody in it was removed" in note for note in record.notes)
    assert not stage.caller.on_line
    assert record.outcome == "completed"


async def test_a_line_that_cannot_be_dropped_is_reported_and_the_job_ends_all_the_same(stage):
    stage.server.faults["DeleteRoom"] = [Fault(500)] * 100
    stage.server.faults["RemoveParticipant"] = [Fault(500)] * 100
    record = await stage.play(ends_with("delete_room, aclose, shutdown"))
    assert ("delete_room", "failed") in effects(record)
    assert "line" in record.forced
    assert any("could not be dropped" in note for note in record.notes)
    assert stage.job.over is not None


async def test_a_flow_that_closes_nothing_is_closed_by_force(stage):
    record = await stage.play(ends_with("{log: nothing}"))
    assert stage.heard == "Hello."
    assert sorted(record.forced) == ["line", "session"]
    assert not stage.caller.on_line


async def test_an_agent_whose_on_exit_hangs_holds_up_nobody(stage):
    class Clinging(Agent):
        async def on_exit(self):
            await asyncio.sleep(3600)

    record = await stage.play(ends_with("drain, delete_room, aclose, shutdown"), agent=Clinging(instructions=""))
    assert record.outcome == "completed"
    assert stage.caller.left - stage.caller.heard[-1].end < 0.6
    assert stage.job.over - stage.caller.left < 15


async def test_an_on_exit_may_say_goodbye(stage):
    class Polite(Agent):
        async def on_exit(self):
            await self.session.say("From me, too.")

    record = await stage.play(ends_with("drain, delete_room, aclose, shutdown"), agent=Polite(instructions=""))
    assert stage.heard == "Hello.\nFrom me, too."
    assert record.outcome == "completed"


async def test_a_close_handler_that_raises_breaks_nothing(stage):
    seen = []

    def bad(event):
        raise TypeError("I take no event")

    stage.begin(ends_with("drain, delete_room, aclose, shutdown"))
    stage.session.on("close", bad)
    stage.session.on("close", lambda event: seen.append(event.reason.value))
    record = await stage.ended()
    assert record.outcome == "completed"
    assert record.forced == ()
    assert not stage.caller.on_line


async def test_an_on_enter_that_raises_is_a_failure_and_not_a_mute_call(stage):
    class Broken(Agent):
        async def on_enter(self):
            raise ValueError("no greeting found")

    flow = """
    callflow: 1
    name: broken
    initial: talking
    states:
      talking:
        waits: for the caller
    """
    record = await stage.play(flow, agent=Broken(instructions=""))
    assert record.outcome == "failed"
    assert "no greeting found" in record.fault
    assert stage.caller.left - stage.caller.joined < 2


async def test_an_on_enter_that_raises_can_be_handled(stage):
    class Broken(Agent):
        async def on_enter(self):
            raise ValueError("no greeting found")

    flow = """
    callflow: 1
    name: broken
    initial: talking
    states:
      talking:
        waits: for the caller
        on: {failed: {target: ending, do: [{say: "Sorry: {{ event.error }}."}, {outcome: completed}]}}
    """
    record = await stage.play(flow, agent=Broken(instructions=""))
    assert stage.heard == "Sorry: no greeting found."
    assert record.outcome == "completed"


async def test_hooks_at_the_end_are_any_callable_bounded_and_on_their_own(stage):
    seen = []

    async def slow(record):
        await asyncio.sleep(60)

    def broken(record):
        raise ValueError("no CRM")

    async def named(where, record):
        seen.append((where, record.outcome))

    hooks = [slow, broken, functools.partial(named, "crm"), lambda: seen.append("done")]
    record = await stage.play(ends_with("hang_up"), on_end=hooks)
    assert seen == [("crm", record.outcome), "done"]
    assert stage.job.over is not None


async def test_a_flow_that_does_not_fit_drops_the_line_and_ends_the_job(stage):
    async def entrypoint(ctx):
        session = stage.new_session(tts=None, llm=None)
        return await callflow.run(stage.flow(ends_with("hang_up")), ctx, session)

    from callflow.testing import SimulatedJob

    stage.caller.join()
    stage.job = SimulatedJob(stage.server, entrypoint, room="room")
    with pytest.raises(callflow.BindError, match="say needs a TTS"):
        await stage.job.run()
    assert not stage.caller.on_line
    assert stage.server.rooms == {}


async def test_a_cancelled_entrypoint_still_ends_the_call_in_order(stage):
    stage.begin(ends_with("drain, delete_room, aclose, shutdown").replace("done: ending", "app.never: ending")
                .replace("    states:", "    events: {app.never: {}}\n    states:"))  # fmt: skip
    await asyncio.sleep(2)
    entry = next(task for task in asyncio.all_tasks() if task.get_name() == "job_user_entrypoint")
    entry.cancel()
    record = await stage.call_ended()
    assert record.hung_up_by == "worker"
    assert not stage.caller.on_line
    stage.job.ctx.shutdown("test")
    with pytest.raises(asyncio.CancelledError):
        await stage.ended()


async def test_the_rooms_api_is_asked_by_name_and_never_through_ctx_delete_room(stage):
    await stage.play(ends_with("delete_room, aclose, shutdown"))
    assert [method for _, method in stage.server.requests] == ["DeleteRoom"]
    with pytest.raises(api.ServerError):
        await stage.server.api.room.delete_room(api.DeleteRoomRequest(room="room"))


async def test_who_hangs_up_after_the_line_could_not_be_dropped_has_hung_up(stage):
    """A deletion that failed is no hang-up of the agent's."""
    stage.server.faults["DeleteRoom"] = [Fault(500)] * 3
    flow = """
    callflow: 1
    name: stays
    initial: talking
    states:
      talking: {after: {5m: ending}, entry: [{say: Hello.}, {delete_room: {optional: true}}, {say: Still here.}]}
    """
    stage.begin(flow)
    await asyncio.sleep(20)
    assert stage.heard == "Hello.\nStill here."
    stage.caller.hang_up()
    record = await stage.ended()
    assert (record.hung_up_by, record.cause.event, record.outcome) == ("caller", "call.hangup", "hung_up")
