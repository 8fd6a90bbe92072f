"""Whole calls: what the caller hears, when the line drops, what the record says."""

from __future__ import annotations

import asyncio

from callflow.testing import Tool

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


async def test_the_model_ends_the_call_and_the_caller_hears_the_whole_goodbye(stage):
    stage.begin(SMALLEST, ["Hello.", Tool("end_call")])
    await asyncio.sleep(2)
    await stage.caller.say("that is all")
    record = await stage.ended()
    assert stage.heard == "Hello.\nGoodbye."
    assert record.outcome == "completed"
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4
    print(record)
