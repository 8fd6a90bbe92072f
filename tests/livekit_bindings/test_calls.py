"""Whole calls: what the caller hears, when the line drops, what the record says."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from livekit import rtc
from livekit.agents import Agent, function_tool

import callflow
from callflow.errors import BindError
from callflow.livekit_bindings import lease, livekit_internals
from callflow.testing import Caller, Fault, Pause, ScriptedLLM, SimulatedJob, Tool

SMALLEST = """
    callflow: 1
    name: front-desk
    initial: talking
    tools:
      end_call: {description: The caller is done and wants to hang up.}
    states:
      talking:
        entry: [{generate_reply: {instructions: Greet the caller and help.}}]
        tools: [end_call]
        on:
          tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
"""

REASON = rtc.DisconnectReason


async def test_the_model_ends_the_call_and_the_caller_hears_the_whole_goodbye(stage):
    stage.begin(SMALLEST, ["Hello.", Tool("end_call")])
    await asyncio.sleep(2)
    await stage.caller.say("that is all")
    record = await stage.ended()
    assert stage.heard == "Hello.\nGoodbye."
    assert record.outcome == "completed"
    assert (record.cause.event, record.cause.by) == ("delete_room", "agent")
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4
    assert [visit.state for visit in record.states] == ["talking", "ending", "closed"]
    spoken = [(effect.verb, effect.result) for effect in record.effects if effect.result]
    assert spoken == [
        ("generate_reply", {"interrupted": False, "spoken": "Hello.", "heard": True}),
        ("say", {"interrupted": False, "spoken": "Goodbye.", "heard": True}),
    ]
    # Their order is LiveKit's, by a clock that a simulation cannot turn.
    assert sorted(message["text"] for message in record.transcript) == ["Goodbye.", "Hello.", "that is all"]
    assert stage.server.rooms == {}


async def test_the_line_drops_before_slow_hooks_run(stage):
    async def slow(ctx):
        await asyncio.sleep(2)

    stage.on_session_end = slow
    stage.begin(SMALLEST, ["Hello.", Tool("end_call")])
    await asyncio.sleep(2)
    await stage.caller.say("bye")
    await stage.ended()
    assert stage.heard == "Hello.\nGoodbye."
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4


async def test_the_caller_hangs_up(stage):
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(2)
    stage.caller.hang_up()
    record = await stage.ended()
    assert (record.outcome, record.cause.event, record.hung_up_by) == ("hung_up", "call.hangup", "caller")
    assert record.cause.detail["disconnect_reason"] == "CLIENT_INITIATED"
    assert stage.server.rooms == {}


async def test_nobody_comes(stage):
    record = await stage.play(SMALLEST, joins=False)
    assert record.outcome == "no_answer"
    assert stage.llm.requests == []  # nothing was said to nobody
    assert stage.server.rooms == {}


async def test_a_late_caller_is_greeted_by_the_agent_that_waited_in_silence(stage):
    class FrontDesk(Agent):
        async def on_enter(self):
            self.session.say("Front desk.")

    stage.begin(SMALLEST.replace("[{generate_reply: {instructions: Greet the caller and help.}}]", "[]"),
                agent=FrontDesk(instructions="Help."), joins=False)  # fmt: skip
    await asyncio.sleep(20)
    stage.caller.join()
    await asyncio.sleep(3)
    assert stage.heard == "Front desk."
    stage.caller.hang_up()
    assert (await stage.ended()).outcome == "hung_up"


@pytest.mark.parametrize("room_first", [False, True])
async def test_the_room_is_deleted_from_outside(stage, room_first):
    stage.server.room_first = room_first
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(2)
    stage.server.delete_room("room")
    stage.job.request_shutdown()  # a server that deletes a room ends its jobs, too
    record = await stage.ended()
    assert (record.outcome, record.cause.event) == ("line_lost", "room.disconnected")
    assert record.cause.detail["reason"] == "ROOM_DELETED"


async def test_the_caller_is_removed(stage):
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(2)
    stage.server.remove("room", "caller")
    record = await stage.ended()
    assert (record.outcome, record.cause.by, record.cause.detail["cause"]) == ("hung_up", "operator", "removed")


async def test_a_caller_whose_network_fails_comes_back_and_the_call_goes_on(stage):
    stage.begin(SMALLEST, ["Hello.", Tool("end_call")])
    await asyncio.sleep(2)
    stage.caller.vanish()
    await asyncio.sleep(5)
    stage.caller.join()
    await asyncio.sleep(2)
    assert not stage.call.over
    await stage.caller.say("bye")
    record = await stage.ended()
    assert stage.heard == "Hello.\nGoodbye."
    assert record.outcome == "completed"


async def test_who_is_taken_over_and_does_not_come_back_has_hung_up_after_the_grace(stage):
    stage.begin(SMALLEST.replace("initial:", "reconnect_grace: 5s\n    initial:"), ["Hello."])
    await asyncio.sleep(2)
    state = stage.server.rooms["room"]
    stage.server.leave(state, stage.caller, REASON.UNKNOWN_REASON)
    left = asyncio.get_running_loop().time()
    record = await stage.ended()
    assert (record.outcome, record.cause.by, record.cause.detail["cause"]) == ("hung_up", "unknown", "vanished")
    assert record.cause.time - record.started == pytest.approx(left + 5 - stage.job.began, abs=0.2)


async def test_a_second_caller_is_another_leg_whose_hang_up_ends_nothing(stage):
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(1)
    seen = []

    async def watch():
        events = [step.event async for step in stage.call.steps() if isinstance(step.event, callflow.Event)]
        seen.extend((one.name, one.data["identity"]) for one in events if one.name.startswith(("call.", "leg.")))

    watching = asyncio.create_task(watch())
    second = Caller(stage.server, "room", "second")
    second.join()
    await asyncio.sleep(1)
    second.hang_up()
    await asyncio.sleep(2)
    stage.caller.hang_up()
    assert (await stage.ended()).outcome == "hung_up"
    await watching
    assert seen == [
        ("leg.participant_1.answered", "second"),
        ("leg.participant_1.hangup", "second"),
        ("call.hangup", "caller"),
    ]


async def test_the_worker_closes(stage):
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(2)
    began = asyncio.get_running_loop().time()
    stage.job.request_shutdown()
    record = await stage.ended()
    assert (record.outcome, record.hung_up_by) == ("cancelled", "worker")
    assert stage.caller.left - began < 1
    assert stage.job.over - began < 8


async def test_the_session_does_not_start(stage):
    class Broken(Agent):
        pass

    session = stage.new_session(llm=None)

    async def start(*_, **__):
        raise RuntimeError("no models today")

    session.start = start
    record = await stage.play(SMALLEST.replace("generate_reply: {instructions: Greet the caller and help.}", "say: Hello."),
                              session=session)  # fmt: skip
    assert record.outcome == "failed"
    assert any("no models today" in note for note in record.notes)
    assert not stage.caller.on_line
    assert stage.server.rooms == {}


async def test_a_session_that_the_program_starts_before_the_call_does_ends_it_at_once(stage):
    async def entrypoint(ctx):
        stage.llm = ScriptedLLM()
        session = stage.new_session()
        call = callflow.bind(stage.flow(SMALLEST), ctx, session)
        await session.start(Agent(instructions="Be early."))  # LiveKit starts no session twice: it would be in no room
        return await call.run()

    stage.caller.join()
    stage.job = SimulatedJob(stage.server, entrypoint)
    record = await stage.job.run()
    assert (record.outcome, record.cause.event) == ("failed", "session.close")
    assert "the program has started it already" in record.cause.detail["error"]
    assert stage.caller.left - stage.caller.joined < 3
    assert stage.server.rooms == {}


@pytest.mark.parametrize("how", ["bound", "run"])
async def test_a_second_call_in_the_same_job_is_refused_and_costs_the_first_nothing(stage, how):
    refused = []

    async def entrypoint(ctx):
        stage.llm = ScriptedLLM(["Hello.", Tool("end_call")])
        flow, agent = stage.flow(SMALLEST), Agent(instructions="Be brief.")
        first = callflow.bind(flow, ctx, stage.new_session(), agent)
        second = callflow.bind(flow, ctx, stage.new_session()) if how == "bound" else None
        running = asyncio.create_task(first.run())
        await asyncio.sleep(3)
        with pytest.raises(BindError, match="another call runs in this job") as error:
            await (callflow.run(flow, ctx, stage.new_session()) if second is None else second.run())
        refused.append(error.value)
        return await running

    stage.caller.join()
    stage.job = SimulatedJob(stage.server, entrypoint)
    stage.job.start()
    await asyncio.sleep(5)
    assert refused
    assert stage.caller.on_line
    await stage.caller.say("that is all")
    record = await stage.ended()
    assert (record.outcome, record.forced, record.notes) == ("completed", (), ())


async def test_the_room_cannot_be_reached(stage, monkeypatch):
    async def connect(*_, **__):
        await asyncio.sleep(1)
        raise rtc.ConnectError("engine: signal failure")

    monkeypatch.setattr(rtc.Room, "connect", connect)
    monkeypatch.setattr("callflow.testing.room.SimulatedRoom.connect", connect)
    record = await stage.play(SMALLEST)
    assert record.outcome == "failed"
    assert any("signal failure" in note for note in record.notes)
    assert stage.job.reason == "failed"
    assert not stage.caller.on_line


async def test_a_model_that_fails_again_and_again_ends_the_call(stage):
    stage.begin(SMALLEST, [ValueError("out of credit")] * 40)
    record = await stage.ended()
    assert record.outcome == "failed"
    assert not stage.caller.on_line
    assert "out of credit" in record.fault


async def test_a_model_that_hangs_is_a_failure_and_the_caller_is_not_left_in_silence(stage):
    stage.begin(SMALLEST, [Pause(3600)])
    record = await stage.ended()
    assert record.outcome == "failed"
    assert not stage.caller.on_line
    assert stage.caller.left - stage.caller.joined < 65


async def test_the_program_hangs_up(stage):
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(2)
    await stage.call.hang_up("We are closing.")
    record = await stage.ended()
    assert stage.heard == "Hello.\nWe are closing."
    assert (record.outcome, record.hung_up_by) == ("cancelled", "program")


async def test_the_program_sends_an_event_and_watches_the_steps(stage):
    flow = """
    callflow: 1
    name: approvals
    events: {app.approved: {by: {type: string}}}
    initial: asking
    states:
      asking:
        entry: [{say: One moment.}]
        on:
          app.approved: {target: ending, do: [{say: "{{ event.by }} says yes."}, {outcome: completed}]}
    """
    stage.begin(flow)
    await asyncio.sleep(2)
    states = []

    async def watch():
        async for step in stage.call.steps():
            states.extend(step.entered)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match=r"app\.approve is no event"):
        stage.call.send("app.approve")
    stage.call.send("app.approved", {"by": "Ann"})
    await stage.ended()
    await watching
    assert stage.heard == "One moment.\nAnn says yes."
    assert states == ["ending", "closed"]
    with pytest.raises(callflow.CallEnded):
        stage.call.send("app.approved", {"by": "Ann"})


async def test_a_tool_finds_its_call(stage):
    found = []

    class Desk(Agent):
        @function_tool
        async def look(self) -> str:
            """Looks."""
            found.append(callflow.current_call())
            return "seen"

    stage.begin(SMALLEST, ["Hello.", Tool("look"), "I have looked."], agent=Desk(instructions="Help."))
    await asyncio.sleep(2)
    await stage.caller.say("look")
    await asyncio.sleep(3)
    assert found == [stage.call]
    stage.caller.hang_up()
    await stage.ended()


async def test_delete_room_fails_once(stage):
    stage.server.faults["DeleteRoom"] = [Fault(500)]
    stage.begin(SMALLEST, ["Hello.", Tool("end_call")])
    await asyncio.sleep(2)
    await stage.caller.say("bye")
    record = await stage.ended()
    assert record.outcome == "completed"
    assert [effect.tries for effect in record.effects if effect.verb == "delete_room"] == [2]
    assert not stage.caller.on_line


def telephone(stage, status):
    return Caller(
        stage.server,
        "room",
        "sip_caller",
        kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        attributes={
            "sip.callStatus": status,
            "sip.phoneNumber": "+15550001",
            "sip.trunkPhoneNumber": "+15550002",
            "sip.callID": "SCL_1",
        },
    )


async def test_an_inbound_phone_call_is_greeted_when_it_is_answered_and_its_numbers_are_known(stage):
    flow = SMALLEST.replace(
        "[{generate_reply: {instructions: Greet the caller and help.}}]",
        '[{say: "You call {{ call.trunk_number }} from {{ call.number }}."}]',
    )
    phone = telephone(stage, "ringing")
    phone.join(listens=False)
    stage.begin(flow, joins=False)
    await asyncio.sleep(3)
    assert stage.call.snapshot.configuration == ()
    phone.set_attributes({"sip.callStatus": "active"})
    phone.listen()
    await asyncio.sleep(4)
    assert phone.heard_text == "You call +15550002 from +15550001."
    phone.hang_up()
    record = await stage.ended()
    assert (record.outcome, record.participant) == ("hung_up", "sip_caller")


async def test_a_phone_that_rings_and_gives_up_ends_the_call(stage):
    phone = telephone(stage, "ringing")
    phone.join(listens=False)
    stage.begin(SMALLEST, joins=False)
    await asyncio.sleep(3)
    phone.hang_up()
    record = await stage.ended()
    assert (record.outcome, record.cause.detail["cause"]) == ("hung_up", "abandoned")
    assert stage.llm.requests == []


async def test_agents_and_recorders_are_nobodys_far_end(stage):
    kinds = rtc.ParticipantKind
    for n, kind in enumerate(
        (kinds.PARTICIPANT_KIND_EGRESS, kinds.PARTICIPANT_KIND_INGRESS, kinds.PARTICIPANT_KIND_AGENT)
    ):
        Caller(stage.server, "room", f"other-{n}", kind=kind).join()
    stage.begin(SMALLEST, ["Hello."], joins=False)
    await asyncio.sleep(5)
    assert stage.call.snapshot.configuration == ()
    stage.caller.join()
    await asyncio.sleep(2)
    assert stage.heard == "Hello."
    stage.caller.hang_up()
    assert (await stage.ended()).participant == "caller"


async def test_the_agent_of_a_flow_without_python_is_told_what_the_flow_says(stage):
    flow = SMALLEST.replace(
        "initial:",
        "vars: {shop: {type: string}}\n    agent: {instructions: 'You work at {{ vars.shop }}.'}\n    initial:",
    )
    stage.begin(flow, ["Hello."], agent=None, metadata='{"shop": "Elm Books"}', bare=True)
    await asyncio.sleep(2)
    system = next(item for item in stage.llm.requests[0].items if item.type == "message")
    assert system.text_content.startswith("You work at Elm Books.")
    stage.caller.hang_up()
    await stage.ended()


async def test_an_own_tool_with_the_name_of_one_of_the_flows_costs_that_tool_and_not_the_call(stage):
    class Second(Agent):
        async def on_enter(self):
            self.session.say("Second.")

        @function_tool
        async def end_call(self) -> None:
            """Another one."""

    class First(Agent):
        @function_tool
        async def second(self) -> Agent:
            """Hands over."""
            return Second(instructions="Second.")

    stage.begin(SMALLEST, ["Hello.", Tool("second"), Tool("end_call")], agent=First(instructions="First."))
    for words in ("", "hand over", "bye"):
        await asyncio.sleep(3)
        if words:
            await stage.caller.say(words)
    record = await stage.ended()
    assert stage.heard == "Hello.\nSecond.\nGoodbye."
    assert "the tool end_call of Second is left out: the flow has one of that name" in record.notes


async def test_keys_are_events_with_names_and_of_the_leg_that_pressed_them(stage):
    flow = (
        SMALLEST
        + """
          dtmf.1: {do: [{say: One.}]}
          dtmf.star: {do: [{say: Star.}]}
          dtmf.pound: {do: [{say: "{{ event.digit }}."}]}
"""
    )
    phone = telephone(stage, "active")
    phone.join()
    stage.begin(flow, ["Hello."], joins=False)
    await asyncio.sleep(2)
    second = Caller(stage.server, "room", "second")
    second.join()
    await asyncio.sleep(0.5)
    second.press("1")
    for key in "1*#":
        phone.press(key)
        await asyncio.sleep(1)
    assert phone.heard_text == "Hello.\nOne.\nStar.\n#."
    phone.hang_up()
    await stage.ended()


async def test_a_start_that_hangs_is_given_up_and_leaves_nothing_behind(stage):
    class Slow(Agent):
        pass

    closed = []
    session = stage.new_session(llm=None)
    start = session._update_activity

    async def never(*args, **kwargs):
        await start(*args, **kwargs)
        await asyncio.sleep(3600)

    session._update_activity = never
    session.on("close", closed.append)
    flow = SMALLEST.replace("generate_reply: {instructions: Greet the caller and help.}", "say: Hello.")
    record = await stage.play(flow, session=session)
    assert record.outcome == "failed"
    assert len(closed) == 1
    assert not stage.caller.on_line
    assert stage.caller.left - stage.caller.joined < 45


WRAPS_UP = (
    SMALLEST.replace("generate_reply: {instructions: Greet the caller and help.}", "say: Hello.")
    + """
    wrap_up: [{python: {name: summarise, timeout: 60s}}]
    python: {summarise: {}}
"""
)


@pytest.mark.parametrize("slow", ["the connection", "the start"])
async def test_a_call_that_is_over_before_its_session_runs_starts_none_while_it_is_wrapped_up(stage, slow):
    async def summarise():
        await asyncio.sleep(50)

    stage.begin(WRAPS_UP, joins=slow == "the start", actions={"summarise": summarise})
    owner, name = (stage.job.ctx, "connect") if slow == "the connection" else (stage.session, "_update_activity")
    real = getattr(owner, name)

    async def takes_long(*args, **options):
        await asyncio.sleep(15)
        return await real(*args, **options)

    setattr(owner, name, takes_long)
    await asyncio.sleep(2)
    await stage.call.hang_up()
    await asyncio.sleep(30)
    assert stage.call.snapshot.memory.phase == "wrap_up"
    assert not stage.session._started
    assert stage.server.rooms == {}, "nobody has made it anew"
    record = await stage.call_ended()
    assert (record.outcome, record.hung_up_by, record.late) == ("cancelled", "program", ())
    assert not livekit_internals.is_half_open(stage.session)
    with contextlib.suppress(asyncio.CancelledError):  # LiveKit cancels the entrypoint of a room that has ended
        await stage.ended()


async def test_a_room_that_is_never_reached_is_given_up(stage):
    async def never():
        await asyncio.sleep(3600)

    stage.begin(SMALLEST)
    stage.job.ctx.connect = never
    record = await stage.ended()
    assert (record.outcome, record.cause.event) == ("failed", "session.close")
    assert record.seconds < 25
    assert not stage.caller.on_line


@pytest.mark.parametrize("works", [True, False])
async def test_a_line_that_stands_is_left_to_whoever_guards_the_job(stage, tmp_path, monkeypatch, works):
    monkeypatch.setenv(lease.FOLDER, str(tmp_path))
    if not works:
        stage.server.faults |= {name: [Fault(500)] * 50 for name in ("DeleteRoom", "RemoveParticipant")}
    stage.begin(SMALLEST, ["Hello."])
    await asyncio.sleep(2)
    [held] = lease.leases(tmp_path).values()
    assert (held.room, held.stands) == ("room", False)
    await stage.call.hang_up()
    record = await stage.ended()
    assert [one.stands for one in lease.leases(tmp_path).values()] == ([] if works else [True])
    assert ("line" in record.forced) == (not works)
    assert stage.caller.on_line != works
