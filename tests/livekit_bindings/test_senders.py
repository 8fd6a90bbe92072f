"""Who may send a flow an event: whom its `senders:` name, whatever others put on the wire."""

from __future__ import annotations

import asyncio
import json

import pytest
from livekit import rtc

import callflow
from callflow.livekit_bindings import messages
from callflow.telephony.network import FarEnd, Wait
from callflow.testing import Caller
from callflow.testing.room import SimulatedRoom
from tests.support.phone import NUMBER, outbound

WAITING = """
callflow: 1
name: waiting
HEAD
initial: waiting
outcomes: [approved, other]
vars: {sender: {type: string, default: nobody}}
events: {app.approved: {by: {type: string, required: false}}, app.other: {}}
states:
  waiting:
    entry: [{say: Hello.}]
    on:
      app.approved: {target: ending, do: [{set: {sender: "{{ event.sender }}"}}, {outcome: approved}]}
      app.*: {do: [{set: {sender: "{{ event.sender }}"}}]}
    after: {30s: ending}
"""
APPROVED = json.dumps({"event": "app.approved", "data": {"by": "Ann"}})


def waiting(senders="", legs=""):
    head = f"senders: {{app.approved: {senders}}}\n" if senders else ""
    return WAITING.replace("HEAD", head + (f"legs: {legs}" if legs else ""))


@pytest.fixture
async def others(server):
    """Somebody else in the room: a person, or another agent, with this identity."""
    there = []

    async def come(identity, kind="person"):
        if kind == "agent":
            one = SimulatedRoom(server, "room", identity)
            await one.connect("", "")
        else:
            one = Caller(server, "room", identity)
            one.join()
        there.append(one)
        await asyncio.sleep(0.5)
        return one

    yield come
    for one in there:
        if isinstance(one, SimulatedRoom):
            await one.disconnect()


async def begun(stage, flow, **options):
    stage.begin(flow, **options)
    await asyncio.sleep(2)


async def refused(caller, payload=APPROVED):
    with pytest.raises(rtc.RpcError) as error:
        await caller.rpc(messages.METHOD, payload)
    return error.value


@pytest.mark.parametrize("senders", ["", "[program]", "[agents, supervisor]"])
async def test_a_caller_cannot_forge_an_event(stage, senders):
    await begun(stage, waiting(senders, "{supervisor: {identity: supervisor}}"))
    error = await refused(stage.caller)
    assert (error.code, str(error)) == (messages.FORBIDDEN, "app.approved is not taken from far_end")
    stage.caller.send_data(APPROVED, topic=messages.TOPIC)
    record = await stage.ended()
    assert (record.outcome, record.vars["sender"]) == ("none", "nobody")
    assert record.notes == ("app.approved was not taken from far_end: `senders` does not name them",)


@pytest.mark.parametrize("how", ["packet", "rpc"])
@pytest.mark.parametrize("senders", ["far_end", "[program, far_end]", "anyone", "[anyone]"])
async def test_whom_the_flow_names_is_heard_and_the_row_knows_who_it_was(stage, senders, how):
    await begun(stage, waiting(senders))
    if how == "rpc":
        assert await stage.caller.rpc(messages.METHOD, APPROVED) == "ok"
    else:
        stage.caller.send_data(APPROVED, topic=messages.TOPIC)
    record = await stage.ended()
    assert (record.outcome, record.vars["sender"], record.notes) == ("approved", "far_end", ())


@pytest.mark.parametrize(
    ("senders", "sent"), [("", True), ("program", True), ("anyone", True), ("far_end", False), ("agents", False)]
)
async def test_the_program_may_send_what_nobody_else_is_named_for(stage, senders, sent):
    await begun(stage, waiting(senders))
    if sent:
        stage.call.send("app.approved", {"by": "Ann"})
        record = await stage.ended()
        assert (record.outcome, record.vars["sender"]) == ("approved", "program")
    else:
        with pytest.raises(ValueError, match=r"app.approved is not the program's to send: `senders` of waiting"):
            stage.call.send("app.approved", {"by": "Ann"})
        assert (await stage.ended()).vars["sender"] == "nobody"


@pytest.mark.parametrize(
    ("senders", "identity", "kind", "taken"),
    [
        ("agents", "crm", "agent", True),
        ("agents", "crm", "person", False),
        ("agents", "agent-1", "person", False),
        ("supervisor", "supervisor", "person", True),
        ("supervisor", "supervisor", "agent", False),
        ("supervisor", "supervisor-2", "person", False),
        ("anyone", "ann", "person", True),
        ("far_end", "far_end", "person", False),
        ("program", "program", "person", False),
        ("[agents]", "agents", "person", False),
        ("program", "anyone", "person", False),
    ],
)
async def test_who_joins_is_what_the_server_says_and_not_what_it_calls_itself(
    stage, others, senders, identity, kind, taken
):
    await begun(stage, waiting(senders, "{supervisor: {identity: supervisor}}"))
    other = await others(identity, kind)
    if kind == "agent":
        await other.local_participant.publish_data(APPROVED, topic=messages.TOPIC)
    else:
        other.set_attributes({"callflow.leg": "supervisor", "lk.agent.state": "listening"})
        await asyncio.sleep(0.2)
        other.send_data(APPROVED, topic=messages.TOPIC)
    record = await stage.ended()
    assert record.outcome == ("approved" if taken else "none")
    word = senders if taken else "nobody"
    assert record.vars["sender"] == word


async def test_a_field_of_the_payload_that_is_called_so_wins(stage):
    flow = waiting("far_end").replace("by: {type: string, required: false}", "sender: {type: string}")
    await begun(stage, flow)
    stage.caller.send_data('{"event": "app.approved", "data": {"sender": "Ann"}}', topic=messages.TOPIC)
    assert (await stage.ended()).vars["sender"] == "Ann"


async def test_a_pattern_names_the_senders_of_what_no_longer_one_names(stage):
    flow = (
        waiting().replace("HEAD", "").replace("initial:", "senders: {app.*: far_end, app.approved: program}\ninitial:")
    )
    await begun(stage, flow)
    assert await stage.caller.rpc(messages.METHOD, '{"event": "app.other"}') == "ok"
    assert (await refused(stage.caller)).code == messages.FORBIDDEN
    assert (await stage.ended()).vars["sender"] == "far_end"


async def test_a_sender_who_has_gone_sends_no_more_as_what_they_were(server, stage, others):
    """The name of a leg is its bearer's; who bore it before, or comes after, is somebody else."""
    await begun(stage, waiting("supervisor", "{supervisor: {identity: supervisor}}"))
    one = await others("supervisor")
    one.hang_up()
    await asyncio.sleep(0.5)
    stranger = await others("ann")
    assert (await refused(stranger)).code == messages.FORBIDDEN
    again = await others("supervisor")  # by its identity it is the same
    assert await again.rpc(messages.METHOD, APPROVED) == "ok"
    assert (await stage.ended()).vars["sender"] == "supervisor"


@pytest.mark.parametrize("far", ["anyone", "human"])
async def test_a_stranger_is_no_leg_that_the_flow_calls(server, far):
    """Also while nobody is on that leg, and whatever its identity and attributes say."""
    flow = """
callflow: 1
name: calls
initial: dialing
outcomes: [approved]
events: {app.approved: {}}
senders: {app.approved: human}
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: ending}
  talking:
    entry: [{consult: {to: "+15550100100", trunk: ST_1, accept: {key: "1"}}}]
    on:
      app.approved: {target: ending, do: [{outcome: approved}]}
      consult.*: ending
    after: {20s: ending}
"""
    stage = outbound(
        server, {NUMBER: FarEnd(1.0, acts=(Wait(40.0),)), "+15550100100": FarEnd(8.0, acts=(Wait(40.0),))}, flow
    )
    stranger = Caller(server, "call", far)
    errors = []

    async def tries():
        await asyncio.sleep(1.5)
        stranger.join()
        for _ in range(4):
            await asyncio.sleep(2.5)
            stranger.set_attributes({"callflow.leg": "human"})
            errors.append((await refused(stranger, '{"event": "app.approved"}')).code)

    trying = asyncio.ensure_future(tries())
    record = await stage.play()
    await trying
    assert errors == [messages.FORBIDDEN] * 4
    assert record.outcome != "approved"


@pytest.mark.parametrize(
    ("payload", "code", "said"),
    [
        ("no", messages.MISFIT, "not JSON"),
        ('{"event": "app.approved", "data": {"by": NaN}}', messages.MISFIT, "NaN is no number"),
        ("[" * 5000, messages.MISFIT, "not JSON"),
        ("[]", messages.MISFIT, "a message is"),
        ('{"event": 1}', messages.MISFIT, "a message is"),
        ('{"event": "app.approved", "data": []}', messages.MISFIT, "a message is"),
        ('{"event": "app.approved", "data": {"by": 1}}', messages.MISFIT, "by takes text"),
        ('{"event": "app.approvd"}', messages.MISFIT, "is no event that waiting declares"),
        ('{"event": "done"}', messages.MISFIT, "done is no event"),
        ('{"event": "call.hangup", "data": {}}', messages.MISFIT, "call.hangup is no event"),
        (
            json.dumps({"event": "app.approved", "data": {"by": "x" * 16_000}}),
            messages.TOO_LARGE,
            "at most 15360 bytes",
        ),
    ],
)
async def test_what_is_no_message_is_answered_with_why(stage, payload, code, said, caplog):
    await begun(stage, waiting("far_end"))
    error = await refused(stage.caller, payload)
    assert error.code == code
    assert said in str(error)
    stage.caller.send_data(payload, topic=messages.TOPIC)
    await asyncio.sleep(1)
    assert not stage.call.over
    assert "no event of this flow" in caplog.text
    stage.caller.send_data(APPROVED, topic="another")
    assert (await stage.ended()).outcome == "none"


async def test_bytes_that_are_no_text_are_no_message(stage):
    await begun(stage, waiting("far_end"))
    stage.caller.send_data(b"\xff\xfe", topic=messages.TOPIC)
    assert (await stage.ended()).outcome == "none"


@pytest.mark.parametrize("payload", ['{"event": "app.other"}', "no", APPROVED.replace("app.approved", "app.nothing")])
async def test_who_sends_too_much_is_heard_no_more_and_others_are(stage, others, payload, caplog):
    flow = waiting("far_end", "{crm: {identity: crm}}").replace("app.approved: far_end", "app.*: [far_end, crm]")
    await begun(stage, flow)
    crm = await others("crm")
    for _ in range(messages.AT_ONCE + 200):
        stage.caller.send_data(payload, topic=messages.TOPIC)
    await asyncio.sleep(5)
    error = await refused(stage.caller)
    assert error.code == messages.TOO_MANY
    assert len(caplog.records) < messages.AT_ONCE + 10
    assert await crm.rpc(messages.METHOD, APPROVED) == "ok"
    record = await stage.ended()
    assert (record.outcome, record.vars["sender"]) == ("approved", "crm")
    assert record.notes == ("far_end has sent too many messages, and was not heard any more",)


async def test_who_sends_at_a_measured_pace_is_heard_for_as_long_as_they_like(stage):
    await begun(stage, waiting("far_end").replace("app.approved: far_end", "app.*: far_end"))
    for _ in range(200):
        assert await stage.caller.rpc(messages.METHOD, '{"event": "app.other"}') == "ok"
        await asyncio.sleep(0.11)
    assert await stage.caller.rpc(messages.METHOD, APPROVED) == "ok"
    assert (await stage.ended()).outcome == "approved"


async def test_an_event_of_a_sub_flow_has_its_senders(stage, tmp_path):
    (tmp_path / "inner.yaml").write_text(
        "callflow: 1\nname: inner\ninitial: asking\nevents: {app.approved: {}}\nsenders: {app.approved: far_end}\n"
        "states:\n  asking: {on: {app.approved: over}}\n  over: {final: true}\n"
    )
    (tmp_path / "main.yaml").write_text(
        "callflow: 1\nname: main\ninitial: asking\nuse: {inner: inner.yaml}\nstates:\n"
        "  asking: {flow: inner, after: {30s: ending}, on: {done: {target: ending, do: [{outcome: completed}]}}}\n"
    )
    await begun(stage, callflow.load(tmp_path / "main.yaml"))
    assert await stage.caller.rpc(messages.METHOD, '{"event": "app.approved"}') == "ok"
    assert (await stage.ended()).outcome == "completed"


def test_two_files_do_not_name_different_senders(tmp_path):
    inner = "callflow: 1\nname: inner\ninitial: a\nevents: {app.a: {}}\nsenders: {app.a: anyone}\nstates: {a: {on: {app.a: b}}, b: {final: true}}\n"
    (tmp_path / "inner.yaml").write_text(inner)
    (tmp_path / "main.yaml").write_text(
        "callflow: 1\nname: main\ninitial: a\nuse: {inner: inner.yaml}\nevents: {app.a: {}}\nsenders: {app.a: program}\n"
        "states: {a: {flow: inner, after: {30s: ending}, on: {done: ending}}}\n"
    )
    with pytest.raises(callflow.FlowFileError, match=r"says something else of `app.a` under `senders`"):
        callflow.load(tmp_path / "main.yaml")
