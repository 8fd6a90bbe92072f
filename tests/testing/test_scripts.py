"""A script that goes wrong fails the test, whoever's it is; and nobody misses an answer that comes at once."""

from __future__ import annotations

import asyncio

import pytest

import callflow
from callflow.telephony.network import FarEnd, HangUp, Hear, PhoneNetwork, Press, Say, Wait
from callflow.testing import Caller, ScriptedLLM, SimulatedServer, Tool
from callflow.testing.play import Stage, offline_session, silent

DESK = """
callflow: 1
name: desk
initial: talking
states:
  talking: {entry: [{say: Hello.}], on: {dtmf.1: {do: [{say: One.}]}, dtmf.2: {target: ending, do: [{say: Bye.}]}}}
"""
DIALS = """
callflow: 1
name: dials
initial: dialing
states:
  dialing: {entry: [{dial: {to: "+15550123456", trunk: ST_1}}], on: {dial.answered: asking, dial.*: ending}}
  asking:
    entry: [{say: "Press one, please."}]
    on: {dtmf.1: {do: [{say: "One. And now two."}]}, dtmf.2: {target: ending, do: [{outcome: completed}]}}
    after: {50s: ending}
"""


async def stumbles(caller: Caller) -> None:
    await caller.hear()
    raise ValueError("the script is wrong")


async def stage_of(text: str = DESK, **options) -> Stage:
    async with SimulatedServer() as server:
        await Stage(callflow.loads(text), server, **options).play()


async def test_of_a_caller():
    with pytest.raises(ValueError, match="the script is wrong"):
        await stage_of(caller=stumbles)


async def test_an_assertion_of_a_caller():
    async def expects(caller: Caller) -> None:
        assert await caller.hear() == "Good evening."

    with pytest.raises(AssertionError, match=r"Good evening\."):
        await stage_of(caller=expects)


async def test_a_caller_who_waits_in_vain():
    async def waits(caller: Caller) -> None:
        await caller.hear()
        async with asyncio.timeout(5):
            await caller.hear()

    with pytest.raises(TimeoutError):
        await stage_of(caller=waits)


async def test_of_somebody_who_is_called():
    with pytest.raises(ValueError, match="the script is wrong"):
        await stage_of(DIALS, caller=stumbles, phone=PhoneNetwork({"+15550123456": FarEnd(1.0)}))


async def test_of_a_telephone_that_calls():
    with pytest.raises(ValueError, match="the script is wrong"):
        await stage_of(caller=stumbles, calls_in=FarEnd())


async def test_of_who_watches():
    def watch(step: object) -> None:
        raise KeyError("watch")

    with pytest.raises(KeyError, match="watch"):
        await stage_of(watch=watch, caller=silent)


async def test_of_a_model_that_is_asked_who_has_answered():
    def who(_: str) -> str:
        raise LookupError("nobody knows")

    text = DIALS.replace("trunk: ST_1", "trunk: ST_1, detect_machine: true")
    session = offline_session(llm=ScriptedLLM(who=who))
    far = FarEnd(1.0, acts=(Wait(1.0), Say("Hello, who is there?")))
    with pytest.raises(LookupError, match="nobody knows"):
        await stage_of(text, session=session, phone=PhoneNetwork({"+15550123456": far}))


@pytest.mark.parametrize("turns", [[5], [["Hello.", None]], [{"say": "Hello."}]])
def test_what_no_model_says(turns):
    with pytest.raises(TypeError, match="no part of a turn"):
        ScriptedLLM(turns)


def test_a_tool_whose_arguments_are_no_json():
    with pytest.raises(TypeError, match="JSON"):
        ScriptedLLM([Tool("book", {"day": object()})])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Press("1x"), "keys are"),
        (lambda: Press(""), "keys are"),
        (lambda: Wait(-1.0), "a time in seconds"),
        (lambda: Hear(within=float("nan")), "a time in seconds"),
        (lambda: FarEnd(acts=("Hello.",)), "nothing that a telephone does"),
        (lambda: FarEnd(acts=(Hear,)), "nothing that a telephone does"),
    ],
)
def test_acts_that_cannot_be(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()


async def test_keys_that_are_none():
    async def presses(caller: Caller) -> None:
        caller.press("9e")

    with pytest.raises(ValueError, match="'e' is no key"):
        await stage_of(caller=presses)


async def test_an_answer_that_comes_at_once_is_heard_by_the_second_hear_of_a_telephone():
    far = FarEnd(1.0, acts=(Hear(), Press("1"), Wait(2.0), Hear(within=8.0), Press("2"), Wait(9.0), HangUp()))
    async with SimulatedServer() as server:
        stage = Stage(callflow.loads(DIALS), server, phone=PhoneNetwork({"+15550123456": far}))
        record = await stage.play()
    assert stage.heard.splitlines() == ["Press one, please.", "One. And now two."]
    assert record.outcome == "completed"


async def test_and_of_a_caller():
    heard: list[str] = []

    async def script(caller: Caller) -> None:
        heard.append(await caller.hear())
        caller.press("1")
        await asyncio.sleep(3.0)  # the answer has come and gone
        async with asyncio.timeout(5):
            heard.append(await caller.hear())
        caller.press("2")

    async with SimulatedServer() as server:
        await Stage(callflow.loads(DESK), server, caller=script).play()
    assert heard == ["Hello.", "One."]
