"""The keys of a telephone, both ways, on the simulated server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import callflow
from callflow.telephony.network import FarEnd, HangUp, Hear, PhoneNetwork, Press, Wait
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, offline_session

FLOWS = Path(__file__).parents[2] / "flows"

ASKS = "Type the number."
AGAIN = "Once more."

COLLECTS = """
callflow: 1
name: keys
initial: asking
vars: {number: {type: string, default: "", pii: true}, tries: {type: integer, default: 0}}
outcomes: [given, nothing, wrong]
on:
  dtmf.*: {do: [{log: "a key of the flow's"}]}
states:
  asking:
    entry: [{collect_digits: {COLLECT}}]
    on:
      dtmf.input: {target: ending, do: [{set: {number: "{{ event.digits }}", tries: "{{ event.tries }}"}}, {outcome: given}]}
      dtmf.no_input: {target: ending, do: [{set: {tries: "{{ event.tries }}"}}, {outcome: nothing}]}
      dtmf.no_match: {target: ending, do: [{set: {number: "{{ event.digits }}"}}, {outcome: wrong}]}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def stage(server, flow, caller, model=(), **parts):
    return Stage(
        callflow.loads(flow), server, caller=caller, session=offline_session(model), options={"telephony": {}}, **parts
    )


def collects(server, what, caller, **parts):
    return stage(server, COLLECTS.replace("COLLECT", what), caller, **parts)


def presses(*keys):
    """Presses each of these after so many seconds: (1.0, "1"), …"""

    async def script(caller):
        for seconds, digits in keys:
            await asyncio.sleep(seconds)
            caller.press(digits)
        await asyncio.sleep(60)

    return script


PROMPT = f"prompt: {ASKS}"  # is said in 0.9 s

INPUTS = {
    "count": (f"{PROMPT}, count: 4", [(2, "1234")], "1234"),
    "count, and more keys than that": (f"{PROMPT}, count: 2", [(2, "1234")], "12"),
    "terminator": (f"{PROMPT}, min: 2, max: 9, terminator: '#'", [(2, "123#")], "123"),
    "no more keys": (f"{PROMPT}, min: 2, max: 9", [(2, "123")], "123"),
    "keys that come slowly": (f"{PROMPT}, count: 3", [(2, "1"), (2.5, "2"), (2.5, "3")], "123"),
    "during the prompt": (f"{PROMPT}, count: 4", [(0.3, "1"), (0.2, "234")], "1234"),
    "during a prompt that goes on": (f"{PROMPT}, count: 4, barge_in: false", [(0.3, "1"), (0.2, "234")], "1234"),
    "without a prompt": ("count: 1", [(2, "7")], "7"),
    "star and letters": ("count: 3", [(2, "*#a")], "*#a"),
    "an empty input": ("min: 0, terminator: '#'", [(2, "#")], ""),
}


@pytest.mark.parametrize(("what", "keys", "digits"), INPUTS.values(), ids=INPUTS)
async def test_input(server, what, keys, digits):
    call = collects(server, what, presses(*keys))
    record = await call.play()
    result = record.effects[0].result
    assert (record.outcome, result["digits"], result["tries"]) == ("given", digits, 1)


OTHERS = {
    "nothing": (f"{PROMPT}, count: 4", [], "nothing", 1),
    "too few": (f"{PROMPT}, count: 4", [(2, "12")], "wrong", 1),
    "too few before the terminator": ("min: 3, terminator: '#'", [(1, "12#")], "wrong", 1),
    "only the terminator": ("terminator: '#'", [(1, "#")], "wrong", 1),
    "nothing, three times": (f"{PROMPT}, retry_prompt: {AGAIN}, count: 4, tries: 3", [], "nothing", 3),
    "too few, then nothing": (f"{PROMPT}, count: 4, tries: 2", [(2, "12")], "nothing", 2),
    "nothing, then enough": (f"{PROMPT}, retry_prompt: {AGAIN}, count: 2, tries: 2", [(8, "12")], "given", 2),
}


@pytest.mark.parametrize(("what", "keys", "outcome", "tries"), OTHERS.values(), ids=OTHERS)
async def test_what_else_comes_of_it(server, what, keys, outcome, tries):
    call = collects(server, what, presses(*keys))
    record = await call.play()
    assert (record.outcome, record.effects[0].result["tries"]) == (outcome, tries)
    assert call.heard.splitlines() == ([ASKS] if "prompt" in what else []) + [AGAIN] * (
        ("retry" in what) * (tries - 1)
    ) + ([ASKS] * (("prompt" in what and "retry" not in what) * (tries - 1)))


async def test_a_terminator_that_comes_after_enough_keys_begins_nothing_new(server):
    flow = """
callflow: 1
name: two-numbers
initial: first
vars: {both: {type: string, default: "", pii: true}}
states:
  first:
    entry: [{collect_digits: {prompt: The first., count: 2, terminator: "#"}}]
    on: {dtmf.input: {target: second, do: [{set: {both: "{{ event.digits }}"}}]}, dtmf.*: ending}
  second:
    entry: [{collect_digits: {prompt: The second., count: 2, terminator: "#"}}]
    on: {dtmf.input: {target: ending, do: [{set: {both: "{{ vars.both }}{{ event.digits }}"}}, {outcome: completed}]}, dtmf.*: ending}
"""
    call = stage(server, flow, presses((2, "12#34#")))
    record = await call.play()
    assert (record.outcome, record.vars["both"]) == ("completed", "1234")


async def test_a_key_is_the_flows_again_afterwards_and_a_voice_is_no_key(server):
    flow = """
callflow: 1
name: both
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: Type it., count: 1, first_digit: 4s}}]
    on: {dtmf.no_input: listening, dtmf.*: ending}
  listening:
    on: {dtmf.5: {target: ending, do: [{outcome: completed}]}}
    after: {30s: ending}
"""

    async def talks_and_presses(caller):
        await caller.hear()
        await caller.say("what do you want")
        await asyncio.sleep(15)
        caller.press("5")

    call = stage(server, flow, talks_and_presses, model=["Type it, please."])
    record = await call.play()
    assert (record.outcome, call.trace) == ("completed", ["asking", "listening", "ending", "closed"])
    assert "Type it, please." in call.heard


async def test_a_caller_who_hangs_up_while_typing(server):
    async def leaves(caller):
        await asyncio.sleep(2)
        caller.press("12")
        await asyncio.sleep(1)
        caller.hang_up()

    call = collects(server, f"{PROMPT}, count: 4", leaves)
    record = await call.play()
    assert (record.outcome, record.effects[0].status) == ("hung_up", "cancelled")


HURRIES = COLLECTS.replace(
    "    on:\n      dtmf.input", "    after: {3s: {do: [{say: Please type it now.}]}}\n    on:\n      dtmf.input"
)


async def test_what_the_agent_says_meanwhile_takes_no_time_of_the_caller(server):
    call = stage(server, HURRIES.replace("COLLECT", f"{PROMPT}, count: 4, first_digit: 4s"), presses((60, "1")))
    record = await call.play()
    assert record.outcome == "nothing"
    [asked] = [effect for effect in record.effects if effect.verb == "collect_digits"]
    [said] = [effect for effect in record.effects if effect.verb == "say"]
    assert asked.started + asked.seconds - said.started - said.seconds == pytest.approx(4.0, abs=0.2)


LEAVES = (
    COLLECTS.replace("    on:\n      dtmf.input", "    after: {2s: gone}\n    on:\n      dtmf.input")
    + """
  gone:
    entry: [{say: Never mind.}]
    on: {done: ending}
"""
)


@pytest.mark.parametrize("keys", [[(60, "1")], [(0.3, "1234")]], ids=["nothing typed", "typed already"])
async def test_a_state_that_is_left_cuts_a_prompt_that_keys_do_not_cut(server, keys):
    long = 'prompt: "' + "please type your number now " * 8 + '", count: 4, barge_in: false, timeout: 60s'
    call = stage(server, LEAVES.replace("COLLECT", long), presses(*keys))
    record = await call.play()
    assert record.outcome == "none"
    [asked] = [effect for effect in record.effects if effect.verb == "collect_digits"]
    assert asked.status == "cancelled"
    assert asked.seconds == pytest.approx(2.0, abs=0.3)
    assert call.heard.endswith("Never mind.")
    assert call.heard.count("please") < 8


async def test_typed_digits_are_in_no_file(server, tmp_path):
    call = collects(server, f"{PROMPT}, count: 6", presses((2, "471183")), journal=tmp_path)
    record = await call.play()
    assert record.outcome == "given"
    for file in tmp_path.iterdir():
        text = file.read_text()
        assert "471183" not in text
        assert not [line for line in text.splitlines() if '"dtmf.4' in line or '"digit": "4"' in line]


SENDS = """
callflow: 1
name: sends
initial: sending
states:
  sending:
    entry: [{say: Now.}, {send_dtmf: "KEYS"}, {say: Done.}, {outcome: completed}]
    on:
      done: ending
      failed: {target: ending, do: [{log: "{{ event.error }}"}, {outcome: failed}]}
"""


@pytest.mark.parametrize(("keys", "arrive", "seconds"), [("12", "12", 1.08), ("*9w#", "*9#", 2.12), ("aD", "ad", 1.08)])
async def test_keys_that_are_sent_arrive_one_after_the_other(server, keys, arrive, seconds):
    call = Stage(callflow.loads(SENDS.replace("KEYS", keys)), server, calls_in=FarEnd())
    record = await call.play()
    assert call.far_end.call.digits == arrive
    [effect] = [effect for effect in record.effects if effect.verb == "send_dtmf"]
    assert effect.seconds == pytest.approx(seconds, abs=0.05)
    first, second = call.far_end.heard
    assert first.end <= call.far_end.call.keys[0][0]
    assert second.start >= first.end + seconds


async def test_keys_wait_for_what_is_being_said(server):
    words = "Now I am going to press two keys for you."
    flow = SENDS.replace("{say: Now.}", f'{{say: {{text: "{words}", wait: false}}}}').replace("KEYS", "12")
    call = Stage(callflow.loads(flow), server, calls_in=FarEnd())
    await call.play()
    assert call.far_end.heard[0].text == words
    assert call.far_end.call.keys[0][0] >= call.far_end.heard[0].end


async def test_a_record_says_that_keys_went_to_several_telephones(server):
    other = '{dial: {to: "+15550100100", trunk: ST_1, leg: other}}, {send_dtmf: "12"}'
    flow = SENDS.replace('{send_dtmf: "KEYS"}', other)
    flow = flow.replace("on:\n", "on:\n      dial.*: {do: [{log: x}]}\n", 1)
    call = Stage(callflow.loads(flow), server, calls_in=FarEnd(), phone=PhoneNetwork({"+15550100100": FarEnd(2.0)}))
    record = await call.play()
    assert record.outcome == "completed"
    assert [one.call.digits for one in (call.far_end, call.telephones.legs["other"])] == ["12", "12"]
    assert record.notes == (
        "keys were sent while several telephones were on the line: LiveKit sends them to every one",
    )


async def test_what_is_no_key_is_refused(server):
    flow = callflow.loads(
        SENDS.replace("KEYS", "{{ vars.keys }}").replace("initial:", "vars: {keys: string}\ninitial:", 1)
    )
    call = Stage(flow, server, calls_in=FarEnd(), vars={"keys": "12x"})
    record = await call.play()
    assert record.outcome == "failed"
    assert call.far_end.call.digits == ""


async def test_a_whole_menu_by_keys(server, monkeypatch):
    monkeypatch.setenv("SHOP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPERATOR_NUMBER", "+15550100100")
    acts = (
        Wait(2.0),
        Press("1"),
        Wait(2.0),
        Press("1"),
        Wait(2.0),
        Press("471100#"),
        Hear(),
        Hear(),
        Press("2"),
        Hear(),
        HangUp(),
    )
    call = Stage(callflow.load(FLOWS / "keypad-menu.yaml"), server, calls_in=FarEnd(acts=acts))
    record = await call.play()
    assert [state for state in call.trace if "." not in state] == [
        "menu",
        "orders",
        "menu",
        "hours",
        "menu",
        "ending",
        "closed",
    ]
    assert record.vars["account"] == "471100"
    assert "I cannot look that up just now." in call.heard  # nobody answers there
    assert "We are open from nine to five, Monday to Friday." in call.heard
    assert record.outcome == "hung_up"
