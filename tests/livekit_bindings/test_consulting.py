"""`consult`, live in all but the network: a caller, a human at a telephone, and who hears whom at each moment."""

from __future__ import annotations

import asyncio
import math
import wave

import pytest
from livekit import rtc

import callflow
from callflow.telephony.network import FarEnd, HangUp, Hear, PhoneNetwork, Press, Say, Wait
from callflow.testing import Caller, SimulatedServer, Tool
from callflow.testing.play import Stage, silent
from callflow.testing.server import Fault
from tests.support.phone import told

HUMAN = "+15550100100"
BRIEFING = "Ann asks for a refund. Press one to take the call."

WARM = """
callflow: 1
name: warm
initial: asking
tools:
  take_call: {description: The colleague takes the call.}
  refuse_call: {description: The colleague does not take the call.}
states:
  asking:
    tools: [take_call, refuse_call]
    entry: [{say: One moment please.}, {consult: CONSULT}]
    on:
      consult.accepted: joined
      consult.*: {target: alone, do: [{outcome: "{{ event.result }}"}]}
  joined:
    entry: [{say: {text: You are connected., interruptible: false}}, {outcome: transferred}, stand_by]
    on: {done: ending}
  alone:
    entry: [{say: Nobody is free.}]
    on: {done: ending}
"""
BY_KEY = f'{{to: "{HUMAN}", trunk: ST_1, briefing: "{BRIEFING}", accept: {{key: "1"}}, decline: {{key: "2"}}}}'


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def warm(server, human, consult=BY_KEY, caller=silent, flow=WARM, **parts):
    network = PhoneNetwork({HUMAN: human})
    return Stage(callflow.loads(flow.replace("CONSULT", consult)), server, phone=network, caller=caller, **parts)


def results(stage):
    return [
        step.event.result["result"]
        for step in stage.steps
        if getattr(step.event, "result", None) and step.event.result.get("to") == HUMAN
    ]


def human_of(stage):
    return stage.telephones.legs["human"]


async def talk(caller):
    """Says something all the time: whoever is not to hear it does not."""
    for n in range(12):
        await asyncio.sleep(2)
        await caller.say(f"caller {n}")


ACCEPTS = FarEnd(
    rings=2.0, acts=(Hear(), Say("hello human"), Press("1"), Wait(2.0), Say("how can I help"), Wait(3.0), HangUp())
)


async def test_what_the_human_sees_of_the_call(server):
    shown = (
        'sip_number: "+15550100300", display_name: "{{ call.identity }}", headers: {X-Case: "4711"}, dtmf: ww12,'
        " hide_phone_number: true, krisp_enabled: true, media_encryption: allow, max_call_duration: 5m}"
    )
    stage = warm(server, ACCEPTS, consult=f"{BY_KEY[:-1]}, {shown}")
    record = await stage.play()
    [call] = stage.phone.calls
    request = call.request
    assert (request.trunk_number, request.display_name, request.headers) == (
        "+15550100300",
        "caller",
        {"X-Case": "4711"},
    )
    assert (request.dtmf, request.hide_phone_number, request.krisp, request.max_call_duration) == (
        "ww12",
        True,
        True,
        300,
    )
    assert (request.media_encryption, call.digits[:2]) == ("SIP_MEDIA_ENCRYPT_ALLOW", "12")
    assert record.outcome == "transferred"
    [answered] = told(stage, "leg.human.answered")
    assert answered["number"] is None


async def test_a_human_who_accepts(server):
    stage = warm(server, ACCEPTS, caller=talk)
    record = await stage.play()
    human, caller = human_of(stage), stage.far_end
    assert results(stage) == ["accepted"]
    assert stage.trace == ["asking", "joined", "ending", "closed"]
    assert (record.outcome, record.notes) == ("transferred", ())
    # The briefing is the human's alone, and what they say before they accept reaches the agent alone.
    assert caller.heard_text == "One moment please.\nYou are connected."
    assert human.heard_text == f"{BRIEFING}\nYou are connected."
    assert [sound.text for sound in caller.heard_from(human) if sound.text] == ["how can I help"]
    [accepted] = [step.event.time for step in stage.steps if step.entered == ("joined",)]
    heard = human.heard_from(caller)
    assert heard
    began = record.started
    assert all(sound.start + 0.5 >= accepted - began - 1 for sound in heard)
    # The human hangs up: the line drops for the caller, too.
    assert not caller.on_line
    assert server.rooms == {}


@pytest.mark.parametrize(
    ("human", "result", "cause"),
    [
        (FarEnd(rings=2.0, acts=(Hear(), Press("2"), Wait(60))), "declined", "asked"),
        (FarEnd(rings=2.0, acts=(Hear(), HangUp())), "declined", "hung_up"),
        (FarEnd(rings=2.0, acts=(Wait(0.5), HangUp())), "declined", "hung_up"),
        (FarEnd(rings=2.0, acts=(Wait(90),)), "no_answer", "undecided"),
        (FarEnd(rings=2.0, acts=(Press("5"), Wait(90))), "no_answer", "undecided"),
        (FarEnd(0.5, 486), "declined", "busy_here"),
        (FarEnd(3.0, 603), "declined", "decline"),
        (FarEnd(math.inf), "no_answer", "ringing_timeout"),
        (FarEnd(0.2, 404), "failed", "not_found"),
        (FarEnd(0.2, 503), "failed", "service_unavailable"),
    ],
    ids=[
        "declines",
        "hangs_up",
        "hangs_up_at_once",
        "says-nothing",
        "wrong-key",
        "busy",
        "refuses",
        "rings",
        "nobody",
        "trunk",
    ],
)
async def test_a_human_who_does_not_accept(server, human, result, cause):
    stage = warm(server, human)
    record = await stage.play()
    assert results(stage) == [result]
    [data] = [s.event.result for s in stage.steps if getattr(s.event, "result", None) and s.event.result.get("to")]
    assert data["cause"] == cause
    assert stage.trace == ["asking", "alone", "ending", "closed"]
    assert (record.outcome, record.notes) == (result, ())
    assert stage.far_end.heard_text == "One moment please.\nNobody is free."
    call = stage.phone.calls[-1]
    assert (
        not call.got("INVITE")
        or {"BYE", "CANCEL"} & set(call.messages)
        or {"> BYE"} & set(call.messages)
        or human.code >= 300
    )


async def test_a_caller_who_leaves_while_it_rings_stops_the_ringing(server):
    async def leaves(caller):
        await asyncio.sleep(5)
        caller.hang_up()

    stage = warm(server, FarEnd(math.inf), caller=leaves)
    record = await stage.play()
    call = stage.phone.call_of(HUMAN)
    assert call.got("CANCEL")[0].at == pytest.approx(5.0, abs=0.2)
    assert (record.outcome, record.notes) == ("hung_up", ())
    assert stage.trace == ["asking", "ending", "closed"]


async def test_a_caller_who_leaves_during_the_briefing_drops_the_human(server):
    async def leaves(caller):
        await asyncio.sleep(5)
        caller.hang_up()

    stage = warm(server, FarEnd(rings=2.0, acts=(Wait(90),)), caller=leaves)
    record = await stage.play()
    assert stage.phone.call_of(HUMAN).got("BYE")[0].at == pytest.approx(5.0, abs=0.4)
    assert record.outcome == "hung_up"


KEEPS = WARM.replace("      consult.*:", "      call.hangup: {do: [{log: The caller has gone.}]}\n      consult.*:")


async def test_a_flow_that_stays_hears_that_the_caller_has_gone(server):
    async def leaves(caller):
        await asyncio.sleep(5)
        caller.hang_up()

    flow = KEEPS.replace("  asking:\n", "  asking:\n    must_finish: true\n").replace(
        "      call.hangup: {do: [{log: The caller has gone.}]}\n", ""
    )
    stage = warm(server, FarEnd(math.inf), caller=leaves, flow=flow)
    await stage.play()
    assert results(stage) == ["failed"]
    assert stage.phone.call_of(HUMAN).got("CANCEL")[0].at == pytest.approx(5.0, abs=0.2)


async def test_the_state_is_left_while_it_rings(server):
    flow = WARM.replace("    on:\n      consult.accepted", "    after: {6s: alone}\n    on:\n      consult.accepted", 1)
    stage = warm(server, FarEnd(math.inf), flow=flow)
    record = await stage.play()
    assert results(stage) == []
    assert stage.trace == ["asking", "alone", "ending", "closed"]
    assert stage.phone.call_of(HUMAN).got("CANCEL")
    assert stage.far_end.heard_text == "One moment please.\nNobody is free."
    assert record.notes == ()


async def test_by_the_star(server):
    human = FarEnd(rings=2.0, acts=(Hear(), Press("*"), Wait(8.0), HangUp()))
    consult = BY_KEY.replace('{key: "1"}', '{key: "*"}')
    stage = warm(server, human, consult)
    await stage.play()
    assert results(stage) == ["accepted"]


async def test_the_time_of_the_action_bounds_the_ringing(server):
    consult = f'{{to: "{HUMAN}", trunk: ST_1, briefing: Hi., ringing_timeout: 40s, timeout: 8s}}'
    stage = warm(server, FarEnd(math.inf), consult)
    record = await stage.play()
    assert results(stage) == ["no_answer"]
    [asked] = [effect for effect in record.effects if effect.verb == "consult"]
    assert asked.result["cause"] == "ringing_timeout"
    assert asked.seconds < 8


async def test_a_human_who_talks_into_the_briefing_hears_all_of_it(server):
    human = FarEnd(
        rings=2.0, acts=(Wait(0.5), Say("hello hello who is this"), Wait(4.0), Press("1"), Wait(5.0), HangUp())
    )
    stage = warm(server, human)
    await stage.play()
    assert human_of(stage).heard_text.startswith(BRIEFING)


async def test_what_is_being_said_to_the_caller_is_said_first(server):
    flow = WARM.replace("{say: One moment please.}", "{say: {text: One moment please., wait: false}}")
    stage = warm(server, ACCEPTS, flow=flow)
    await stage.play()
    assert stage.far_end.heard_text == "One moment please.\nYou are connected."


async def test_a_caller_who_is_on_hold_already_hears_their_music_on(server, tmp_path):
    file = tmp_path / "music.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(b"\x00\x20\x00\xe0" * 8_000)
    flow = WARM.replace("{say: One moment please.}", f"{{hold: {{music: {file}}}}}")
    stage = warm(server, FarEnd(rings=8.0, acts=(Wait(0.5), Press("2"), Wait(60))), flow=flow)
    await stage.play()
    assert results(stage) == ["declined"]
    [heard] = stage.far_end.music
    assert heard.end - heard.start == pytest.approx(8.5, abs=1.0)


async def test_after_a_refusal_the_agent_hears_the_caller_again(server):
    flow = WARM.replace(
        "entry: [{say: Nobody is free.}]\n    on: {done: ending}",
        "entry: [{say: Nobody is free.}]\n    after: {15s: ending}",
    )

    async def asks(caller):
        await asyncio.sleep(12)
        await caller.say("then call me back")

    human = FarEnd(rings=2.0, acts=(Wait(0.3), Press("2"), Wait(60)))
    stage = warm(server, human, caller=asks, flow=flow)
    record = await stage.play()
    assert results(stage) == ["declined"]
    assert [line["text"] for line in record.transcript if line["role"] == "user"] == ["then call me back"]


async def test_by_a_tool(server):
    consult = f'{{to: "{HUMAN}", trunk: ST_1, briefing: Ann wants a refund., accept: {{tool: take_call}}}}'
    human = FarEnd(rings=2.0, acts=(Hear(), Say("yes please"), Wait(4.0), HangUp()))
    stage = warm(server, human, consult, caller=silent, model=[[Tool("take_call")]])
    record = await stage.play()
    assert results(stage) == ["accepted"]
    assert record.outcome == "transferred"
    assert stage.far_end.heard_text == "One moment please.\nYou are connected."
    assert human_of(stage).heard_text == "Ann wants a refund.\nYou are connected."


@pytest.mark.parametrize(
    ("tool", "result", "heard"),
    [
        ("take_call", "accepted", "One moment please.\nYou are connected."),
        ("refuse_call", "declined", "One moment please.\nNobody is free."),
    ],
)
async def test_what_the_model_says_as_it_calls_the_tool_the_human_hears_and_nobody_else(server, tool, result, heard):
    consult = (
        f'{{to: "{HUMAN}", trunk: ST_1, briefing: Ann wants a refund., '
        "accept: {tool: take_call}, decline: {tool: refuse_call}}"
    )
    words = "Very well, thank you for telling me, and have a good day."
    human = FarEnd(rings=2.0, acts=(Hear(), Say("well then"), Wait(8.0), HangUp()))
    stage = warm(server, human, consult, caller=silent, model=[[words, Tool(tool)]])
    await stage.play()
    assert results(stage) == [result]
    assert human_of(stage).heard_text.splitlines()[:2] == ["Ann wants a refund.", words]
    assert stage.far_end.heard_text == heard


async def test_whoever_hangs_up_over_those_words_holds_up_nobody(server):
    consult = f'{{to: "{HUMAN}", trunk: ST_1, briefing: Ann wants a refund., accept: {{tool: take_call}}}}'
    human = FarEnd(rings=2.0, acts=(Hear(), Say("yes please"), Wait(2.0), HangUp()))
    stage = warm(server, human, consult, caller=silent, model=[["and so on " * 20, Tool("take_call")]])
    record = await stage.play()
    assert record.line_dropped - record.started < 13


async def test_unless_said_otherwise_the_briefing_to_its_end_is_the_acceptance(server):
    consult = f'{{to: "{HUMAN}", trunk: ST_1, briefing: Ann wants a refund.}}'
    stage = warm(server, FarEnd(rings=2.0, acts=(Wait(8.0), HangUp())), consult)
    await stage.play()
    assert results(stage) == ["accepted"]
    assert human_of(stage).heard_text == "Ann wants a refund.\nYou are connected."


async def test_a_server_that_keeps_nobody_apart_connects_nobody(server):
    server.faults["UpdateSubscriptions"] = [Fault(500)] * 50
    stage = warm(server, ACCEPTS)
    record = await stage.play()
    assert results(stage) == []
    assert told(stage, "consult.accepted") == []
    assert stage.far_end.heard_text == "One moment please.\nNobody is free."
    assert record.outcome == "failed"


async def test_a_human_who_has_gone_keeps_no_caller_in_silence(server, monkeypatch):
    """A server behind redis has no answer to a request about somebody who leaves."""
    do = SimulatedServer._do

    async def answers_for_the_others(self, method, body):
        if method == "UpdateSubscriptions" and b"callflow-human" in body:
            await asyncio.sleep(3600)
        return await do(self, method, body)

    monkeypatch.setattr(SimulatedServer, "_do", answers_for_the_others)
    stage = warm(server, FarEnd(0.5, 486))
    record = await stage.play()
    assert results(stage) == ["declined"]
    before, after = stage.far_end.heard_text.splitlines()
    assert before == "One moment please."
    assert "obody is free" in after  # its edge is where they hear again
    assert record.seconds < 6


@pytest.mark.parametrize("after", [6.5, 6.6, 6.62, 6.64, 6.66, 6.68, 6.7, 6.8, 6.9, 7.0])
async def test_a_caller_who_leaves_at_the_moment_of_the_acceptance(server, after):
    """Whatever comes first: one result at most, and nobody is left on the line."""
    stage = warm(server, FarEnd(rings=2.0, acts=(Wait(4.0), Press("1"), Wait(600))))

    async def leaves(caller):
        await asyncio.sleep(after)
        caller.hang_up()

    stage.caller = leaves
    record = await stage.play()
    assert len(results(stage)) <= 1
    assert not human_of(stage).on_line
    assert record.seconds < 15
    assert server.rooms == {}


@pytest.mark.parametrize("after", [6.0, 6.3, 6.5, 6.6, 6.7, 6.8, 6.9, 7.0])
async def test_a_state_that_is_left_at_the_moment_of_the_acceptance_keeps_no_human(server, after):
    flow = WARM.replace(
        "    on:\n      consult.accepted",
        f"    after: {{{round(after * 1000)}ms: alone}}\n    on:\n      consult.accepted",
        1,
    )
    flow = flow.replace("entry: [{say: Nobody is free.}]", "entry: [{say: Nobody is free.}, {say: Nobody at all.}]")
    stage = warm(server, FarEnd(rings=2.0, acts=(Wait(4.0), Press("1"), Wait(600))), flow=flow)
    gone = []
    server.loop.call_later(9.0, lambda: gone.append(stage.trace[-1] == "joined" or not human_of(stage).on_line))
    stage.caller = silent
    server.loop.call_later(30.0, lambda: stage.far_end.hang_up())
    await stage.play()
    assert gone == [True]


async def test_a_tool_that_is_called_before_the_human_is_there_decides_nothing(server):
    consult = (
        f'{{to: "{HUMAN}", trunk: ST_1, briefing: Ann wants a refund., accept: {{tool: take_call}}, timeout: 20s}}'
    )

    async def talks(caller):
        await caller.say("is somebody there")

    stage = warm(server, FarEnd(rings=8.0, acts=(Wait(60),)), consult, caller=talks, model=[[Tool("take_call")]])
    await stage.play()
    assert results(stage) == ["no_answer"]


async def test_a_third_party_hears_nothing_of_it(server):
    human = FarEnd(rings=2.0, acts=(Hear(), Say("hello human"), Wait(1.0), Press("2"), Wait(60)))
    stage = warm(server, human)
    third = Caller(server, "call", "third")
    server.loop.call_later(1.5, third.join)

    async def talks():
        await asyncio.sleep(5.5)
        await third.say("what is this about")

    talking = asyncio.ensure_future(talks())
    await stage.play()
    await talking
    assert results(stage) == ["declined"]
    assert third.heard_text == "Nobody is free."
    assert list(third.heard_from(human_of(stage))) == []
    assert list(human_of(stage).heard_from(third)) == []


async def test_a_server_that_does_not_connect_the_two_leaves_no_human_on_the_line(server):
    """The human has accepted, and the server does not let them hear each other; for a while it takes nothing at all."""
    stage = warm(server, FarEnd(rings=2.0, acts=(Wait(4.0), Press("1"), Wait(600))))

    def breaks():
        server.faults["UpdateSubscriptions"] = [Fault(500)] * 40

    server.loop.call_later(6.3, breaks)
    record = await stage.play()
    assert [step.entered for step in stage.steps if "joined" in step.entered] == []
    assert human_of(stage).reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
    assert record.outcome == "failed"
    assert server.rooms == {}


async def test_a_human_who_cannot_be_taken_off_the_line_hears_nobody_and_is_not_heard(server):
    flow = WARM.replace("on: {done: ending}\n", "after: {12s: ending}\n")
    human = FarEnd(
        rings=2.0, acts=(Hear(), Press("2"), *(act for n in range(20) for act in (Wait(1.0), Say(f"human {n}"))))
    )
    stage = warm(server, human, caller=talk, flow=flow)
    server.faults["RemoveParticipant"] = [Fault(500)] * 200
    record = await stage.play()
    assert results(stage) == ["declined"]
    assert record.outcome == "declined"
    assert "Nobody is free." in stage.far_end.heard_text
    assert "free" not in human_of(stage).heard_text
    assert list(human_of(stage).heard_from(stage.far_end)) == []
    assert list(stage.far_end.heard_from(human_of(stage))) == []
    assert server.rooms == {}
