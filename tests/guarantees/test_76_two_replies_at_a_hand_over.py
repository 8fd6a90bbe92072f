"""Row 76: a hand-over gives two replies: the model's turn after the tool, and the `on_enter` of the new agent
(livekit/agents#5150, livekit/agents#5184).

In a flow whoever takes over speaks, once: its `on_enter`, or, where that says nothing, the model's turn.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, AgentTask, function_tool

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GREETING

REPLY, ANOTHER, SAID = "First reply.", "Second reply.", "Billing here, what is it about?"

FLOW = """
callflow: 1
name: several
initial: talking
tools:
  billing: {description: The caller asks about a bill.}
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [billing]
    ROW
  at_billing:
    ENTRY
    instructions: Help with the bill.
    after: {20s: ending}
    on: {failed: {do: [{log: It has failed.}]}, task.completed: ending, task.failed: {do: [{log: No.}]}}
"""

WAYS = {
    "entry": ("on: {tool.billing: at_billing}", "entry: [{update_agent: billing}]"),
    "do": ("on: {tool.billing: {target: at_billing, do: [{update_agent: billing}]}}", ""),
    "do, after work": (
        "on: {tool.billing: {target: at_billing, do: [{python: slow}, {update_agent: billing}]}}",
        "",
    ),
    "exit": ("exit: [{update_agent: billing}]\n    on: {tool.billing: at_billing}", ""),
    "stays": (
        "on: {tool.billing: {do: [{update_agent: billing}]}, failed: {do: [{log: It has failed.}]}}\n    after: {20s: at_billing}",
        "",
    ),
    "task": ("on: {tool.billing: at_billing}", "task: billing"),
}


def on_enters(base):
    class Generates(base):
        async def on_enter(self):
            self.session.generate_reply(instructions="Introduce yourself.")

    class Says(base):
        async def on_enter(self):
            await self.session.say(SAID)

    class SaysLater(base):
        async def on_enter(self):
            await asyncio.sleep(2)
            self.session.say(SAID)

    class LooksAround(base):
        async def on_enter(self):
            await asyncio.sleep(1)

    class Raises(base):
        async def on_enter(self):
            raise ValueError("no such customer")

    class Plain(base):
        pass

    return {
        "generates": (Generates, REPLY),
        "says": (Says, SAID),
        "says later": (SaysLater, SAID),
        "does nothing": (LooksAround, REPLY),
        "raises": (Raises, REPLY),
        "has none": (Plain, REPLY),
    }


def flow(way):
    row, entry = WAYS[way]
    text = FLOW.replace("ROW", row).replace("ENTRY", entry or "description: Billing.")
    return text + ("python: {slow: {timeout: 10s}}\n" if "python" in text else "")


async def slow():
    await asyncio.sleep(1.5)


@pytest.mark.parametrize(
    ("way", "kind"),
    # An AgentTask whose `on_enter` raises is LiveKit's own end of that task, and no agent takes over.
    [(way, kind) for way in WAYS for kind in on_enters(Agent) if (way, kind) != ("task", "raises")],
)
async def test_whoever_takes_over_speaks_once(stage, ended, way, kind):
    made, expected = on_enters(AgentTask if way == "task" else Agent)[kind]
    text = flow(way)
    options = {"agents": {"billing": lambda: made(instructions="Billing.")}}
    if "python" in text:
        options["actions"] = {"slow": slow}
    model = [GREETING, Tool("billing"), REPLY, ANOTHER]
    call = stage(text, model=model, caller=talks("a bill please"), agent=Agent(instructions=""), options=options)
    await call.play()
    assert call.heard.splitlines() == [GREETING, expected]
    ended(call)


async def test_an_agent_that_the_tool_itself_returns_speaks_once(stage, ended):
    billing, _ = on_enters(Agent)["says"]

    class Front(Agent):
        @function_tool
        async def to_billing(self):
            """A bill."""
            return billing(instructions="Billing."), "One moment."

    text = FLOW.replace("ROW", "on: {tool.to_billing: at_billing}").replace("ENTRY", "description: Billing.")
    text = text.replace("    tools: [billing]\n", "").replace(
        "  billing: {description: The caller asks about a bill.}", "  to_billing: {own: true}"
    )
    model = [GREETING, Tool("to_billing"), REPLY, ANOTHER]
    call = stage(text, model=model, caller=talks("a bill please"), agent=Front(instructions=""))
    await call.play()
    assert call.heard.splitlines() == [GREETING, SAID]
    ended(call)


async def test_what_the_model_says_as_it_hands_over_is_heard_whole(stage, ended):
    said, _ = on_enters(Agent)["says"]
    words = "I will put you through to billing, they know all about it, please stay on the line for a moment."
    options = {"agents": {"billing": lambda: said(instructions="Billing.")}}
    model = [GREETING, [words, Tool("billing")], REPLY]
    call = stage(flow("entry"), model=model, caller=talks("a bill"), agent=Agent(instructions=""), options=options)
    record = await call.play()
    assert call.heard.splitlines() == [GREETING, words, SAID]
    assert record.outcome == "none"
    ended(call)
