"""What people have already keeps working: handoffs, AgentTasks, userdata, chat, realtime models, the console."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from livekit.agents import Agent, AgentSession, AgentTask, RunContext, function_tool
from livekit.agents.ipc.mock_room import create_mock_room

import callflow
from callflow.testing import ScriptedLLM, SpelledTTS, Tool
from tests.livekit_bindings.conftest import console_job

BILLING = """
    callflow: 1
    name: desk
    initial: talking
    tools:
      billing: {description: The caller asks about a bill.}
      end_call: {description: The caller is done.}
    states:
      talking:
        entry: [{say: Front desk.}]
        instructions: Ask what it is about.
        tools: [billing, end_call]
        on:
          tool.billing: {target: billing, do: [{update_agent: billing}]}
      billing:
        instructions: Ask for the number of the bill.
        tools: [end_call]
        on:
          tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
"""


class Billing(Agent):
    def __init__(self):
        super().__init__(instructions="You are in billing.")
        self.seen = []

    async def on_enter(self):
        self.session.say("Billing.")

    def llm_node(self, chat_ctx, tools, model_settings):
        self.seen.append(next(item.text_content for item in chat_ctx.items if item.type == "message"))
        return Agent.default.llm_node(self, chat_ctx, tools, model_settings)


@pytest.mark.parametrize("how", ["class", "instance", "factory"])
async def test_update_agent_hands_over_and_the_states_tools_and_instructions_come_along(stage, how):
    billing = Billing()
    registered = {"class": Billing, "instance": billing, "factory": lambda: billing}[how]
    front = Agent(instructions="You are at the desk.")
    stage.begin(
        BILLING, [Tool("billing"), "Which bill?", Tool("end_call")], agent=front, agents={"billing": registered}
    )
    await asyncio.sleep(2)
    for words in ("my bill", "that one", "bye"):
        await stage.caller.say(words)
        await asyncio.sleep(4)
    record = await stage.ended()
    assert record.outcome == "completed"
    assert stage.heard == "Front desk.\nBilling.\nWhich bill?\nGoodbye."
    assert front.instructions == "You are at the desk."
    if how != "class":
        assert set(billing.seen) == {"You are in billing.\n\nAsk for the number of the bill."}
        assert billing.instructions == "You are in billing."


async def test_an_agent_that_takes_over_without_a_word_of_its_own_gets_the_turn(stage):
    quiet = Agent(instructions="You are in billing.")
    stage.begin(BILLING, [Tool("billing"), "Which bill?"], agents={"billing": quiet})
    await asyncio.sleep(2)
    await stage.caller.say("my bill")
    await asyncio.sleep(4)
    assert stage.heard == "Front desk.\nWhich bill?"
    stage.caller.hang_up()
    await stage.ended()


class AskAddress(AgentTask[str]):
    def __init__(self, question="Where do you live?"):
        super().__init__(instructions="Ask for the address.")
        self.question = question

    async def on_enter(self):
        self.session.say(self.question)

    @function_tool
    async def take_down(self, address: str) -> None:
        """The caller has said where they live."""
        if address == "nowhere":
            self.complete(ValueError("no address"))
        else:
            self.complete(address)


ADDRESS = """
    callflow: 1
    name: addresses
    initial: asking
    vars: {address: {type: string, default: ""}}
    states:
      asking:
        task: address
        on:
          task.completed: {target: ending, do: [{set: {address: "{{ event.result }}"}}, {say: "Noted."}, {outcome: completed}]}
          task.failed: {target: ending, do: [{say: "Never mind: {{ event.error }}."}, {outcome: abandoned}]}
        after: {1m: {target: ending, do: [{outcome: timed_out}]}}
    outcomes: [abandoned]
"""


@pytest.mark.parametrize("address", ["12 Elm Street", "nowhere"])
async def test_an_agent_task_is_a_states_inside(stage, address):
    class Desk(Agent):
        async def on_exit(self):
            raise AssertionError("a task is no handoff")

    stage.begin(ADDRESS, [Tool("take_down", {"address": address})], agent=Agent(instructions="Desk."),
                agents={"address": AskAddress})  # fmt: skip
    await asyncio.sleep(2)
    await stage.caller.say("at home")
    record = await stage.ended()
    if address == "nowhere":
        assert stage.heard == "Where do you live?\nNever mind: no address."
        assert record.outcome == "abandoned"
    else:
        assert stage.heard == "Where do you live?\nNoted."
        assert (record.outcome, record.vars["address"]) == ("completed", address)


async def test_an_agent_task_whose_state_is_left_hands_the_conversation_back(stage):
    flow = ADDRESS.replace("{target: ending, do: [{outcome: timed_out}]}", "waiting").replace(
        "    outcomes:",
        """      waiting:
        entry: [{say: Let us go on.}]
        after: {20s: {target: ending, do: [{outcome: completed}]}}
    outcomes:""",
    )
    stage.begin(flow, ["Yes?"], agent=Agent(instructions="Desk."), agents={"address": AskAddress})
    await asyncio.sleep(65)
    await stage.caller.say("hello")
    record = await stage.ended()
    assert stage.heard == "Where do you live?\nLet us go on.\nYes?"
    assert record.outcome == "completed"


async def test_an_agent_task_that_cannot_be_made_is_a_failed_task(stage):
    def broken():
        raise ValueError("no forms")

    record = await stage.play(ADDRESS, agents={"address": broken})
    assert stage.heard == "Never mind: ValueError: no forms."
    assert record.outcome == "abandoned"


async def test_an_agent_task_of_the_agents_own_runs_beside_the_flow(stage):
    class Desk(Agent):
        @function_tool
        async def move(self) -> str:
            """The caller has moved."""
            return f"Moved to {await AskAddress()}."

    flow = """
    callflow: 1
    name: desk
    initial: talking
    states: {talking: {entry: [{say: Hello.}]}}
    """
    turns = [Tool("move"), Tool("take_down", {"address": "Elm Street"}), "All done."]
    stage.begin(flow, turns, agent=Desk(instructions="Desk."))
    await asyncio.sleep(2)
    await stage.caller.say("I have moved")
    await asyncio.sleep(3)
    await stage.caller.say("Elm Street")
    await asyncio.sleep(3)
    assert stage.heard == "Hello.\nWhere do you live?\nAll done."
    stage.caller.hang_up()
    assert (await stage.ended()).outcome == "hung_up"


async def test_userdata_and_a_line_of_chat(stage):
    class Desk(Agent):
        @function_tool
        async def remember(self, context: RunContext[dict], what: str) -> str:
            """Remembers something."""
            context.userdata["what"] = what
            return "kept"

    flow = """
    callflow: 1
    name: desk
    initial: talking
    states: {talking: {entry: [{say: Hello.}]}}
    """
    kept = {}
    stage.begin(
        flow, [Tool("remember", {"what": "tea"}), "Tea it is."], agent=Desk(instructions="Desk."), userdata=kept
    )
    await asyncio.sleep(2)
    stage.caller.send_text("tea, please")
    await asyncio.sleep(3)
    assert kept == {"what": "tea"}
    assert stage.heard == "Hello.\nTea it is."
    stage.caller.hang_up()
    await stage.ended()


FLOW = """
callflow: 1
name: console
initial: talking
tools: {end_call: {description: Done.}}
states:
  talking:
    entry: [{say: Hello.}]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}
"""


async def console(turns, act):
    """A call at the console: no room, no caller, text in and out."""
    create_mock_room.cache_clear()
    with console_job(room=create_mock_room()) as ctx:
        session = AgentSession(llm=ScriptedLLM(turns), tts=SpelledTTS(), vad=None)
        call = callflow.bind(callflow.loads(FLOW), ctx, session, Agent(instructions=""))
        running = asyncio.create_task(call.run())
        await asyncio.sleep(2)
        await act(session, call)
        return await running


async def test_at_the_console_the_call_is_answered_when_the_session_starts():
    async def bye(session, call):
        await session.run(user_input="bye")

    record = await console([Tool("end_call")], bye)
    assert record.outcome == "completed"
    assert record.answered is not None
    assert [message["text"] for message in record.transcript] == ["Hello.", "bye", "Goodbye."]
    assert record.forced == ()


async def test_at_the_console_ctrl_c_is_a_hang_up():
    async def ctrl_c(session, call):
        call.world._callbacks._worker_closes("parent process shutdown")

    record = await console([], ctrl_c)
    assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")


async def test_other_sessions_of_the_process_keep_their_own_methods(stage):
    """What is wrapped for a call is wrapped on its own instances, and restored."""
    other = AgentSession(vad=None)
    before = {name: getattr(other, name) for name in ("shutdown", "aclose", "drain", "emit")}
    stage.begin(BILLING, agents={"billing": Billing})
    await asyncio.sleep(1)
    assert {name: getattr(other, name) for name in before} == before
    stage.caller.hang_up()
    await stage.ended()
    for owner, names in ((stage.session, before), (stage.job.ctx, ("shutdown", "delete_room"))):
        for name in names:
            assert name not in vars(owner)
    with contextlib.suppress(RuntimeError):
        await other.aclose()
