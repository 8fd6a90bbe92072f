"""Row 75: the last words are not heard when the caller is talking: speech is interruptible by default, and the model
answers what the caller has said (VapiAI/docs#1017).

A flow's words on the way to the ending, and in it, are heard whole unless it says that they may be cut, and the model says
nothing after them.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, function_tool

import callflow
from callflow.testing import Tool
from callflow.testing.play import offline_session, silent
from tests.guarantees.conftest import GOODBYE, GREETING, ROOT
from tests.support import raw

ANSWER = "We open at nine and close at five on weekdays, and on sundays we open at ten and close at four."
QUESTION = "what are your opening hours on sunday"  # takes 1.85 s

STARTS = [17.6, 18.3, 19.0, 19.9, 20.5, 22.0]
"""Seconds at which the caller begins: before 20 they have just stopped, or speak; after it they talk over the goodbye."""

HEAD = """
callflow: 1
name: limit
initial: talking
tools: {leave: {description: The caller wants to go.}}
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [leave]
"""
SAY = f'say: "{GOODBYE}"'

WAYS = {
    "after": f"    after: {{20s: {{target: ending, do: [{{{SAY}}}]}}}}",
    "guarded": f"    after: {{20s: [{{target: talking, when: call.elapsed < 1s}}, {{target: ending, when: call.elapsed > 5s, do: [{{{SAY}}}]}}]}}",
    "final": f"    after: {{20s: {{target: closed, do: [{{{SAY}}}]}}}}",
    "exit list": f"    exit: [{{{SAY}}}]\n    after: {{20s: ending}}",
    "the model speaks": "    after: {20s: {target: ending, do: [{generate_reply: Say goodbye.}]}}",
    "every": f"    every: {{20s: {{target: ending, do: [{{{SAY}}}]}}}}",
    "hang_up": f'    after: {{20s: bye}}\n  bye: {{entry: [{{hang_up: "{GOODBYE}"}}], on: {{done: ending}}}}',
    "a state before it": f"    after: {{20s: bye}}\n  bye: {{entry: [{{{SAY}}}], on: {{done: ending}}}}",
    "one that must finish": f"    after: {{20s: bye}}\n  bye: {{must_finish: true, entry: [{{{SAY}}}], on: {{done: ending}}}}",
    "two before it": f"    after: {{20s: {{target: save, do: [{{{SAY}}}]}}}}\n"
    "  save: {entry: [{python: slow}], on: {done: bye}}\n  bye: {entry: [{log: Bye.}], on: {done: ending}}",
    "decided on the way": f"    after: {{20s: {{target: which, do: [{{{SAY}}}]}}}}\n"
    "  which: {always: [{target: ending, when: call.elapsed > 5s}, talking]}",
    "a failure": f"    after: {{20s: {{do: [{{python: broken}}]}}}}\n    on: {{failed: {{target: ending, do: [{{{SAY}}}]}}}}",
    "the ending": f"    after: {{20s: ending}}\n  ending: {{entry: [{{{SAY}}}, drain, delete_room, aclose, shutdown],"
    " on: {done: closed}}",
    "inside the ending": "    after: {20s: ending.last}\n  ending:\n    initial: first\n    on: {done: closed}\n    states:\n"
    f"      first: {{on: {{done: last}}}}\n      last: {{entry: [{{{SAY}}}, hang_up], on: {{done: over}}}}\n      over: {{final: true}}",
    "work between the words and the drop": f"    after: {{20s: {{target: ending, do: [{{{SAY}}}, {{python: slow}}]}}}}",
}


async def slow():
    await asyncio.sleep(3)


async def broken():
    raise ValueError("no such order")


def flow(way):
    known = [name for name in ("slow", "broken") if f"python: {name}" in way]
    declared = "".join(f"  {name}: {{timeout: 10s}}\n" for name in known)
    return HEAD + way + "\n" + (f"python:\n{declared}" if known else ""), {
        "actions": {name: {"slow": slow, "broken": broken}[name] for name in known}
    }


def asks(start, by_text=False):
    async def caller(caller):
        await asyncio.sleep(start)
        if by_text:
            caller.send_text(QUESTION)
        else:
            await caller.say(QUESTION)

    return caller


async def play(stage, way, caller, answers=(), **parts):
    text, options = flow(way)
    said = GOODBYE if "generate_reply: Say goodbye" in way else ANSWER
    call = stage(text, model=[GREETING, *answers, said, ANSWER, ANSWER], caller=caller, options=options, **parts)
    await call.play()
    return call


async def test_by_itself_it_is_cut_and_the_model_answers():
    async with raw.raw_call(raw.Agent(instructions="x"), [ANSWER]) as call:
        speech = call.session.say(GOODBYE)
        await asyncio.sleep(0.3)
        await call.caller.say(QUESTION)
        await speech
        await asyncio.sleep(8)
        first, second = (sound.text for sound in call.caller.heard)
        assert GOODBYE.startswith(first)
        assert first != GOODBYE
        assert second == ANSWER


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_the_last_words_are_heard_whole_and_are_the_last(stage, ended, way, start):
    call = await play(stage, way, asks(start))
    assert call.heard.splitlines()[0] == GREETING
    assert call.heard.splitlines()[-1] == GOODBYE
    assert len(call.heard.splitlines()) == 2
    ended(call)


@pytest.mark.parametrize("start", STARTS)
async def test_so_they_are_over_text(stage, ended, start):
    call = await play(stage, WAYS["after"], asks(start, by_text=True))
    heard = call.heard.splitlines()
    assert (heard[0], heard[-1]) == (GREETING, GOODBYE)
    assert len([line for line in heard if line == GOODBYE]) == 1
    ended(call)


@pytest.mark.parametrize("start", [18.3, 20.1, 20.5])
async def test_a_flow_may_let_them_be_cut(stage, ended, start):
    way = WAYS["after"].replace(SAY, f"say: {{text: '{GOODBYE}', interruptible: true}}")
    call = await play(stage, way, asks(start))
    heard = call.heard.splitlines()[1:]
    assert all(GOODBYE.startswith(line) and line != GOODBYE for line in heard)
    ended(call)


async def test_what_is_said_over_them_is_in_the_history(stage):
    call = await play(stage, WAYS["work between the words and the drop"], asks(22.0))
    assert QUESTION in str(call.record.to_json())


@pytest.mark.parametrize("after", [1.2, 1.7, 2.2])
async def test_the_models_own_goodbye_before_its_tool_is_heard_whole(stage, ended, after):
    async def caller(caller):
        await caller.hear()
        await caller.say("that is all")
        await asyncio.sleep(after)
        await caller.say("oh and another thing if I may")

    text, options = flow("    on: {tool.leave: ending}")
    call = stage(text, model=[GREETING, [GOODBYE, Tool("leave")], ANSWER], caller=caller, options=options)
    await call.play()
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)


async def test_a_tool_that_ends_late_gives_no_turn(stage, ended):
    class Looks(Agent):
        @function_tool
        async def look_up(self) -> str:
            """Looks it up."""
            await asyncio.sleep(5)
            return "found"

    async def caller(caller):
        await asyncio.sleep(15)
        await caller.say("look it up")

    text, options = flow(WAYS["work between the words and the drop"])
    model = [GREETING, Tool("look_up"), ANSWER]
    call = stage(text, model=model, caller=caller, options=options, agent=Looks(instructions="x"))
    await call.play()
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)


async def test_a_slow_hook_of_the_agents_gives_no_turn(stage, ended):
    class Thinks(Agent):
        async def on_user_turn_completed(self, turn_ctx, new_message):
            await asyncio.sleep(2)

    text, options = flow(WAYS["work between the words and the drop"])
    call = stage(text, model=[GREETING, ANSWER], caller=asks(17.0), options=options, agent=Thinks(instructions="x"))
    await call.play()
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)


@pytest.mark.parametrize("start", [17.9, 18.0, 18.15])
async def test_nor_does_what_was_prepared_while_they_spoke(stage, ended, start):
    prepares = {"turn_detection": "stt", "preemptive_generation": {"enabled": True, "preemptive_tts": True}}
    session = offline_session([GREETING, ANSWER], turn_handling=prepares)
    text, options = flow(WAYS["work between the words and the drop"])
    call = stage(text, session=session, caller=asks(start), options=options)
    await call.play()
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)


async def test_the_shipped_maximum_duration_says_its_end(stage, ended):
    async def chats(caller):
        for _ in range(10):
            await asyncio.sleep(58)
            await caller.say("go on")
        await asyncio.sleep(caller.joined + 599.5 - asyncio.get_running_loop().time())
        await caller.say(QUESTION)

    talk = callflow.load(ROOT / "flows/maximum-duration.yaml")
    call = stage(talk, model=[GREETING, *["Yes."] * 20], caller=chats)
    await call.play()
    assert call.heard.splitlines()[-1] == "Our time is over. Please call again. Goodbye."
    ended(call)


async def test_a_flow_without_a_goodbye_ends_as_before(stage, ended):
    call = stage(HEAD + "    after: {5s: ending}\n", model=[GREETING], caller=silent)
    await call.play()
    assert call.heard == GREETING
    ended(call)


async def test_where_the_flow_has_no_last_words_the_models_own_are_some(stage, ended):
    """A state on the way that only works: what the model says after its tool is the goodbye."""
    text, options = flow("    on: {tool.leave: save}\n  save: {entry: [{python: slow}], on: {done: ending}}")

    async def caller(caller):
        await caller.hear()
        await caller.say("that is all")

    call = stage(text, model=[GREETING, Tool("leave"), GOODBYE], caller=caller, options=options)
    await call.play()
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    ended(call)
