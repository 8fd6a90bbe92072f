"""Realtime models: they speak themselves, and learn of the states' tools and instructions as the call moves on."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent

import callflow
from callflow.testing import Tool
from tests.livekit_bindings.realtime import SpokenRealtime

FLOW = """
    callflow: 1
    name: realtime
    initial: greeting
    tools:
      ready: {description: The caller is ready.}
      end_call: {description: The caller is done.}
    states:
      greeting:
        entry: [{generate_reply: {instructions: Greet them.}}]
        instructions: Ask whether they are ready.
        tools: [ready]
        on: {tool.ready: talking}
      talking:
        instructions: Talk.
        tools: [end_call]
        on: {tool.end_call: {target: ending, do: [{generate_reply: {instructions: Say goodbye.}}, {outcome: completed}]}}
"""


async def test_a_realtime_model_runs_a_flow(stage):
    model = SpokenRealtime(["Hello.", Tool("ready"), "Here we go.", Tool("end_call"), "Goodbye."])
    stage.begin(FLOW, agent=Agent(instructions="Be brief."), session=stage.new_session(llm=model, tts=None, stt=None))
    for text in ("yes", "bye"):
        await asyncio.sleep(3)
        stage.caller.send_text(text)
    record = await stage.ended()
    assert stage.heard == "Hello.\nHere we go.\nGoodbye."
    assert record.outcome == "completed"
    greeting = ("Be brief.\n\nAsk whether they are ready.", ["ready"])
    talking = ("Be brief.\n\nTalk.", ["end_call"])
    assert model.seen[:4] == [greeting, greeting, talking, talking]
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4


@pytest.mark.parametrize("says", [True, False])
async def test_say_needs_a_realtime_model_that_speaks_a_text_or_a_tts(stage, says):
    flow = """
    callflow: 1
    name: says
    initial: talking
    states: {talking: {entry: [{say: Hello.}], on: {done: {target: ending, do: [{outcome: completed}]}}}}
    """
    model = SpokenRealtime([], says=says)
    session = stage.new_session(llm=model, tts=None, stt=None)
    if says:
        record = await stage.play(flow, session=session)
        assert (stage.heard, record.outcome) == ("Hello.", "completed")
    else:
        with pytest.raises(callflow.BindError, match="say needs a TTS"):
            await stage.play(flow, session=session)
