"""A call by text, for livekit-agents' own assertions: `session.run(…)`, `result.expect`."""

from __future__ import annotations

import pytest
from livekit.agents import Agent, mock_tools

import callflow
from callflow.errors import BindError
from callflow.testing import ScriptedLLM, Tool, text_call

FLOW = """
callflow: 1
name: shop
vars: {order: {type: string, default: none}}
tools:
  find_order: {description: Looks an order up., parameters: {number: string}}
  end_call: {description: The caller is done.}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Greet the caller.}}]
    tools: [find_order, end_call]
    on:
      tool.find_order: {target: found, do: [{set: {order: "{{ event.number }}"}}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  found:
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
"""


async def test_tool_calls_and_messages_and_the_states_follow():
    model = ScriptedLLM(
        ["Good day.", "Which order?", Tool("find_order", {"number": "12"}), "It was sent.", Tool("end_call")]
    )
    async with text_call(callflow.loads(FLOW), llm=model) as (session, call):
        assert call.snapshot.configuration == ("talking",)
        result = await session.run(user_input="Where is my order?")
        result.expect.next_event().is_message(role="assistant")
        result.expect.no_more_events()
        assert call.snapshot.configuration == ("talking",)

        result = await session.run(user_input="Number twelve.")
        result.expect.next_event().is_function_call(name="find_order", arguments={"number": "12"})
        result.expect.next_event().is_function_call_output()
        result.expect.next_event().is_message(role="assistant")  # under what the new state offers
        assert call.snapshot.configuration == ("found",)
        assert call.snapshot.vars["order"] == "12"

        result = await session.run(user_input="Thank you, that is all.")
        result.expect.contains_function_call(name="end_call")
    assert call.record is not None
    assert (call.record.outcome, call.record.hung_up_by) == ("completed", "agent")
    assert [item.text_content for item in session.history.items if item.type == "message"][-1] == "Goodbye."


async def test_a_call_that_is_left_ends_with_the_block():
    async with text_call(callflow.loads(FLOW), llm=ScriptedLLM(["Good day."])) as (session, call):
        assert session.history.items[-1].text_content == "Good day."
    assert call.record is not None
    assert (call.record.cause.event, call.record.hung_up_by) == ("call.hangup", "caller")


async def test_the_tools_of_an_agent_of_ones_own_are_mocked_as_livekit_does():
    class Desk(Agent):
        def __init__(self) -> None:
            super().__init__(instructions="Help.", tools=[weather])

    from livekit.agents import function_tool

    @function_tool
    async def weather() -> str:
        """The weather."""
        return "rain"

    model = ScriptedLLM(["Good day.", Tool("weather"), "Snow."])
    async with text_call(callflow.loads(FLOW), llm=model, agent=Desk()) as (session, call):
        with mock_tools(Desk, {"weather": lambda: "snow"}):
            result = await session.run(user_input="How is the weather?")
        result.expect.next_event().is_function_call(name="weather")
        result.expect.next_event().is_function_call_output(output="snow")
        result.expect.next_event().is_message(role="assistant")
        assert call.snapshot.configuration == ("talking",)


async def test_what_is_outside_is_stood_in_for(monkeypatch):
    monkeypatch.setenv("SHOP_URL", "https://shop.example.com")
    model = ScriptedLLM(["Which order?", Tool("find_order", {"number": "12"}), "It was sent yesterday."])
    http = {"POST https://shop.example.com/orders": {"state": "sent"}}
    async with text_call("flows/look-up.yaml", llm=model, http=http, agent=Agent(instructions="Help.")) as (session, _):
        result = await session.run(user_input="Number twelve.")
    result.expect.next_event().is_function_call(name="find_order")
    result.expect.next_event().is_function_call_output()
    result.expect.next_event().is_message(role="assistant")


async def test_what_does_not_fit_is_said():
    with pytest.raises(BindError, match="SHOP_URL"):
        async with text_call("flows/look-up.yaml", llm=ScriptedLLM()):
            raise AssertionError


async def test_what_a_test_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        async with text_call(callflow.loads(FLOW), llm=ScriptedLLM(["Good day."])):
            raise ZeroDivisionError


@pytest.mark.real_time
async def test_on_an_ordinary_event_loop():
    async with text_call(callflow.loads(FLOW), llm=ScriptedLLM(["Good day.", "It is Friday."])) as (session, call):
        result = await session.run(user_input="What day is it?")
        result.expect.next_event().is_message(role="assistant")
        assert call.snapshot.configuration == ("talking",)
