"""The same call as a scenario on the pure core, and with a real session in a simulated room: the same states, words, outcome, cause."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

import callflow
from callflow.scenario import play, reads
from callflow.telephony.network import FAR_ENDS, FarEnd, Hear, PhoneNetwork, Press, Wait
from callflow.testing import SimulatedServer, Tool
from callflow.testing.play import Stage, hangs_up, silent, talks

DESK = "+15550100100"
NUMBER = "+15550123456"


def played(path: str, body: str):
    flow = callflow.load(path)
    [scenario], defects = reads(f"callflow: 1\nflow: x\nscenarios:\n  a:\n{indent(dedent(body), '    ')}", flows=flow)
    assert defects == []
    result = play(scenario)
    assert result.failure is None
    return result


async def agrees(path: str, body: str, *, within: float = 4.0, **stage):
    """Plays it in both ways; the times of both differ by no more than `within` seconds."""
    here = played(path, body)
    async with SimulatedServer(epoch=here.scenario.start) as server:
        call = Stage(here.scenario.flow, server, **stage)
        record = await call.play()
    assert here.record is not None
    states = [state for taken in here.taken for state in taken.step.entered if state]
    assert states == call.trace
    heard = [one.text for one in here.heard if "far_end" in one.legs and one.text]
    assert [line for line in heard if not line.startswith("(")] == [
        line for line in call.heard.split("\n") if line and not line.startswith("(")
    ]
    assert (here.record.outcome, here.record.hung_up_by, here.record.cause.event) == (
        record.outcome,
        record.hung_up_by,
        record.cause.event,
    )
    assert abs(here.record.seconds - record.seconds) < within


async def test_the_caller_is_done():
    body = """
        effects: {generate_reply: "Good day, what can I do for you?"}
        steps:
          - caller: That is all, thank you.
          - tool: end_call
        expect: {ended: true}
    """
    model = ["Good day, what can I do for you?", Tool("end_call")]
    await agrees("flows/smallest.yaml", body, model=model, caller=talks("That is all, thank you."))


async def test_the_caller_hangs_up_in_the_middle_of_a_word():
    body = """
        effects: {generate_reply: "Good day, what can I do for you?"}
        steps:
          - 2s: call.hangup
        expect: {ended: true}
    """
    here = played("flows/smallest.yaml", body)
    async with SimulatedServer() as server:
        call = Stage(here.scenario.flow, server, ["Good day, what can I do for you?"], hangs_up(after=2.0))
        record = await call.play()
    assert here.record is not None
    assert (here.record.outcome, here.record.cause[:2]) == (record.outcome, record.cause[:2])
    assert call.heard.startswith("Good day, what can I")
    assert here.heard[0].text.startswith("Good day, what can I")


async def test_nobody_says_anything():
    body = "effects: {generate_reply: Good day.}\nexpect: {ended: true}"
    await agrees("flows/silence-ladder.yaml", body, model=["Good day."], caller=silent)


async def test_a_message_is_taken_in_the_evening(monkeypatch):
    monkeypatch.setenv("FRONT_DESK_NUMBER", DESK)
    body = f"""
        at: 2026-11-27 18:30 Europe/Berlin
        env: {{FRONT_DESK_NUMBER: "{DESK}"}}
        effects: {{generate_reply: What can I do for you?}}
        steps:
          - caller: I want a person.
          - tool: speak_to_person
          - model: Who are you?
          - caller: Ada Byron.
          - tool: {{message_is_complete: {{caller: Ada, text: A loom.}}}}
          - caller: Yes.
          - tool: message_is_right
        expect: {{ended: true}}
    """
    model = [
        "What can I do for you?",
        Tool("speak_to_person"),
        "Who are you?",
        Tool("message_is_complete", {"caller": "Ada", "text": "A loom."}),
        Tool("message_is_right"),
    ]
    caller = talks("I want a person.", "Ada Byron.", "Yes.")
    await agrees("flows/inbound.yaml", body, model=model, caller=caller, within=10.0)


@pytest.mark.parametrize(
    ("far_end", "effects"),
    [
        ("busy", "{dial: busy}"),
        ("no_answer", "{dial: no_answer}"),
        ("declines", "{dial: declined}"),
        ("invalid", "{dial: invalid}"),
        ("voicemail", "{detect_machine: machine-vm}"),
        ("mailbox_full", "{detect_machine: machine-unavailable}"),
    ],
)
async def test_what_becomes_of_a_dial(far_end, effects, monkeypatch):
    monkeypatch.setenv("SIP_OUTBOUND_TRUNK_ID", "ST_test")
    given = {"phone_number": NUMBER}
    body = f'vars: {{phone_number: "{NUMBER}"}}\nenv: {{SIP_OUTBOUND_TRUNK_ID: ST_test}}\neffects: {effects}\nexpect: {{ended: true}}'
    network = PhoneNetwork({NUMBER: FAR_ENDS[far_end]})
    await agrees("flows/outbound.yaml", body, phone=network, vars=given, within=40.0)


async def test_keys(monkeypatch):
    monkeypatch.setenv("SHOP_URL", "https://shop.example.com")
    monkeypatch.setenv("OPERATOR_NUMBER", DESK)
    body = f"""
        env: {{SHOP_URL: "https://shop.example.com", OPERATOR_NUMBER: "{DESK}"}}
        effects: {{http: {{status: 200, body: {{state: on its way}}}}}}
        steps:
          - press: "1"
          - press: "1"
          - press: "123456#"
          - expect: {{heard: Your order is on its way.}}
        expect: {{ended: true}}
    """
    caller = FarEnd(acts=(Hear(), Press("1"), Hear(), Press("1"), Hear(), Press("123456#"), Wait(600)))
    await agrees(
        "flows/keypad-menu.yaml",
        body,
        calls_in=caller,
        http={"POST https://shop.example.com/orders": {"state": "on its way"}},
        within=6.0,
    )
