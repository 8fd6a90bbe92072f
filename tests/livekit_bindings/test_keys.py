"""The keys of a telephone, both ways, on the simulated server."""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, offline_session

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
