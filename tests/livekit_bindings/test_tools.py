"""State tools and instructions, the agent's own tools, and the turn that follows a tool."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, RunContext, function_tool, llm

from callflow.testing import Pause, Tool

BOOKING = """
    callflow: 1
    name: booking
    initial: asking
    vars:
      guests: {type: integer, default: 0}
    python:
      find_table: {parameters: {guests: {type: integer}}, returns: {table: string}}
    tools:
      guests:
        description: How many come.
        parameters: {guests: {type: integer, description: how many}, name: {type: string, required: false}}
      find:
        description: Finds a table.
        parameters: {guests: {type: integer}}
        run: {python: {name: find_table, arguments: {guests: "{{ event.guests }}"}}}
        result: "Table {{ result.table }}."
      end_call: {description: The caller is done.}
    states:
      asking:
        entry: [{say: For how many?}]
        instructions: Ask for how many guests.
        tools: [guests, end_call]
        on:
          tool.guests: {target: finding, do: [{set: {guests: "{{ event.guests }}"}}]}
          tool.end_call: {target: ending, do: [{say: Bye.}, {outcome: completed}]}
      finding:
        instructions: "Find a table for {{ vars.guests }}."
        tools: [find, end_call]
        on:
          tool.find: {do: [{log: found}]}
          tool.end_call: {target: ending, do: [{say: Bye.}, {outcome: completed}]}
"""


def find_table(guests):
    return {"table": f"T{guests}"}


class Watching(Agent):
    """Notes which tools and instructions the model had at each turn."""

    def __init__(self):
        super().__init__(instructions="Be brief.")
        self.turns = []

    def llm_node(self, chat_ctx, tools, model_settings):
        system = next((item for item in chat_ctx.items if item.type == "message" and item.role == "system"), None)
        names = sorted(llm.ToolContext(tools).function_tools)
        self.turns.append((names, system.text_content if system else ""))
        return Agent.default.llm_node(self, chat_ctx, tools, model_settings)


async def test_each_state_offers_its_own_tools_and_instructions_also_to_the_turn_after_a_tool(stage):
    agent = Watching()
    turns = [Tool("guests", {"guests": 4}), Tool("find", {"guests": 4}), "Table T4 is yours.", Tool("end_call")]
    stage.begin(BOOKING, turns, agent=agent, actions={"find_table": find_table})
    await asyncio.sleep(2)
    await stage.caller.say("for four")
    await asyncio.sleep(4)
    await stage.caller.say("bye")
    record = await stage.ended()
    assert stage.heard == "For how many?\nTable T4 is yours.\nBye."
    assert record.outcome == "completed"
    finding = (["end_call", "find"], "Be brief.\n\nFind a table for 4.")
    assert agent.turns == [
        (["end_call", "guests"], "Be brief.\n\nAsk for how many guests."),
        finding,
        finding,
        finding,
    ]
    outputs = [item for request in stage.llm.requests for item in request.items if item.type == "function_call_output"]
    assert {(item.name, item.output) for item in outputs} == {("guests", ""), ("find", "Table T4.")}
    assert agent.instructions == "Be brief."  # left as it was found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "guests is missing"),
        ({"guests": "four"}, "guests takes an integer, not text"),
        ({"guests": 4, "time": "noon"}, "time is no parameter"),
    ],
)
async def test_a_model_that_calls_a_tool_wrongly_is_told_so_and_the_flow_does_not_hear_of_it(stage, arguments, told):
    stage.begin(BOOKING, [Tool("guests", arguments), "Sorry."], actions={"find_table": find_table})
    await asyncio.sleep(2)
    await stage.caller.say("four")
    await asyncio.sleep(3)
    [error] = [item for item in stage.llm.requests[-1].items if item.type == "function_call_output"]
    assert (error.is_error, error.output) == (True, told)
    assert stage.call.snapshot.configuration == ("asking",)
    stage.caller.hang_up()
    await stage.ended()


async def test_a_tool_whose_action_fails_tells_the_model_and_stays(stage):
    async def broken(guests):
        raise ValueError("no tables at all")

    turns = [Tool("guests", {"guests": 2}), Tool("find", {"guests": 2}), "I am sorry."]
    stage.begin(BOOKING, turns, actions={"find_table": broken})
    await asyncio.sleep(2)
    await stage.caller.say("a table")
    await asyncio.sleep(3)
    assert stage.heard == "For how many?\nI am sorry."
    [_, error] = [item for item in stage.llm.requests[-1].items if item.type == "function_call_output"]
    assert error.is_error
    assert "no tables at all" in error.output
    stage.caller.hang_up()
    await stage.ended()


LISTENS = """
    callflow: 1
    name: listens
    initial: talking
    tools: {look_up: {own: true}, goodbye: {own: true}}
    vars: {asked: {type: string, default: nothing}}
    states:
      talking:
        entry: [{say: Hello.}]
        on:
          tool.look_up: {do: [{set: {asked: "{{ event.what }}"}}]}
          tool.goodbye: {target: ending, do: [{say: "You asked for {{ vars.asked }}."}, {outcome: completed}]}
"""


class Desk(Agent):
    def __init__(self):
        super().__init__(instructions="Help.")
        self.looked_up = []

    @function_tool
    async def look_up(self, context: RunContext, what: str, again: bool = False) -> str:
        """Looks something up."""
        self.looked_up.append((what, again, context.function_call.name))
        return f"{what}: closed"

    @function_tool
    async def goodbye(self) -> None:
        """The caller is done."""


async def test_the_flow_hears_of_the_agents_own_tools_which_do_their_work_as_ever(stage):
    agent = Desk()
    stage.begin(
        LISTENS, [Tool("look_up", {"what": "the pool"}), "It is closed.", Tool("goodbye"), "never said"], agent=agent
    )
    await asyncio.sleep(2)
    await stage.caller.say("is the pool open")
    await asyncio.sleep(3)
    await stage.caller.say("bye")
    record = await stage.ended()
    assert agent.looked_up == [("the pool", False, "look_up")]
    assert stage.heard == "Hello.\nIt is closed.\nYou asked for the pool."
    assert record.outcome == "completed"
    assert "the pool: closed" in [
        item.output for item in stage.llm.requests[1].items if item.type == "function_call_output"
    ]


async def test_own_tools_are_heard_in_the_session_and_in_an_agent_that_takes_over_too(stage):
    @function_tool
    async def goodbye() -> None:
        """The caller is done."""

    class First(Agent):
        @function_tool
        async def second(self):
            """Hands over."""
            return Second(instructions="Second.")

    class Second(Agent):
        async def on_enter(self):
            self.session.say("Second here.")

        @function_tool
        async def look_up(self, what: str) -> str:
            """Looks something up."""
            return "found"

    turns = [Tool("second"), Tool("look_up", {"what": "rooms"}), "Found.", Tool("goodbye")]
    stage.begin(LISTENS, turns, agent=First(instructions="First."), tools=[goodbye])
    await asyncio.sleep(2)
    for words in ("hand over", "look up", "bye"):
        await stage.caller.say(words)
        await asyncio.sleep(3)
    record = await stage.ended()
    assert stage.heard == "Hello.\nSecond here.\nFound.\nYou asked for rooms."
    assert record.outcome == "completed"


async def test_a_tool_that_takes_its_time_does_not_hold_up_the_end_of_the_call(stage):
    class Slow(Agent):
        @function_tool
        async def search(self) -> str:
            """Searches."""
            await asyncio.sleep(20)
            return "found"

    flow = """
    callflow: 1
    name: slow
    initial: talking
    states:
      talking:
        entry: [{say: Hello.}]
        after: {5s: {target: ending, do: [{say: Goodbye.}, {outcome: timed_out}]}}
    """
    stage.begin(flow, [Tool("search"), "never said"], agent=Slow(instructions="Help."))
    await asyncio.sleep(2)
    await stage.caller.say("search")
    record = await stage.ended()
    assert stage.heard == "Hello.\nGoodbye."
    assert record.outcome == "timed_out"
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4
    assert stage.job.over - stage.caller.left < 3


async def test_a_tool_that_swallows_its_cancellation_does_not_hold_up_the_end_of_the_call(stage):
    ended = asyncio.Event()

    class Stubborn(Agent):
        @function_tool
        async def search(self) -> str:
            """Searches."""
            until = asyncio.get_running_loop().time() + 120
            while (left := until - asyncio.get_running_loop().time()) > 0:
                try:
                    await asyncio.sleep(left)
                except asyncio.CancelledError:
                    continue
            ended.set()
            return "found"

    flow = """
    callflow: 1
    name: stubborn
    initial: talking
    states:
      talking:
        entry: [{say: Hello.}]
        after: {5s: {target: ending, do: [{say: Goodbye.}, {outcome: timed_out}]}}
    """
    stage.begin(flow, [Tool("search"), "never said"], agent=Stubborn(instructions="Help."))
    await asyncio.sleep(2)
    await stage.caller.say("search")
    record = await asyncio.wait_for(asyncio.shield(stage.call_ended()), 60)
    assert stage.heard == "Hello.\nGoodbye."
    assert stage.caller.left - stage.caller.heard[-1].end < 0.4
    assert record.outcome == "timed_out"
    assert record.ended - record.line_dropped < 15
    await ended.wait()
    await stage.ended()


@pytest.mark.parametrize("ends", ["aclose", "drain", "shutdown", "ctx"])
async def test_a_tool_that_ends_the_session_by_itself_does_not_hang_and_the_flow_ends_the_call(stage, ends, caplog):
    class Old(Agent):
        @function_tool
        async def end_call(self, context: RunContext) -> None:
            """Ends the call."""
            session = context.session
            if ends == "ctx":
                stage.job.ctx.shutdown("done")
                await stage.job.ctx.delete_room()
            elif ends == "shutdown":
                session.shutdown()
            else:
                await getattr(session, ends)()

    flow = """
    callflow: 1
    name: old
    initial: talking
    states:
      talking: {entry: [{say: Hello.}]}
    """
    stage.begin(flow, [Tool("end_call"), Pause(1)], agent=Old(instructions="Help."))
    await asyncio.sleep(2)
    await stage.caller.say("bye")
    record = await stage.ended()
    assert record.outcome == ("cancelled" if ends == "ctx" else "failed")
    assert not stage.caller.on_line
    assert stage.job.over - stage.caller.left < 4
    warning = next(one for one in caplog.records if "owns this call's hang-up" in one.message)
    assert "test_tools.py" in warning.caller
    assert "end_call" in warning.caller
