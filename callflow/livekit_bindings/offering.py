"""What the states offer the model, kept true as the call moves on: tools, instructions, and the turn that a tool leads to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from livekit.agents import Agent, llm

from callflow.core.offers import Offers, offers
from callflow.core.snapshot import Step
from callflow.core.tools import UNDER_WAY
from callflow.livekit_bindings import private
from callflow.livekit_bindings.instructions import StateInstructions
from callflow.livekit_bindings.tools import States, Toolbox
from callflow.runtime.ports import ToolReturn

if TYPE_CHECKING:
    from callflow.livekit_bindings.world import LiveKitWorld

logger = logging.getLogger("callflow")

CUT = "This was cut by the end of the conversation: whether it was done is not known."
"""What the model is told of a tool of the agent's own that still ran."""


class Offering:
    """Of one call. Tools are offered at once; instructions, and whatever a realtime model has to be told, in a task."""

    def __init__(self, world: LiveKitWorld) -> None:
        self._world = world
        self._instructions = StateInstructions()
        self._offers = Offers()
        self._states: States = ()
        self._toolbox = Toolbox(world.flow, world.session, self._called)
        self._begun = False
        self._settling: asyncio.Task[None] | None = None
        self._turn: asyncio.Task[None] | None = None
        self._fresh_turns: set[str] = set()  # tool calls after which the model gets its turn under what is offered now
        self._no_turns: set[str] = set()  # tool calls after which the flow speaks by itself
        self._cut: set[str] = set()  # tool calls that the end of the conversation cuts

    def listen(self) -> None:
        """The call begins: the flow hears of the tools that the session brings."""
        self._toolbox.listen_to_session()

    def settle(self, step: Step) -> None:
        """After a step: offers what the states that are active now offer."""
        wanted = offers(self._world.flow, step.snapshot, self._world.call.now())
        states = step.snapshot.configuration
        if wanted.tools != self._offers.tools or states != self._states:
            self._states = states
            self._toolbox.offer(wanted.tools, states)
        if wanted != self._offers:
            self._offers = wanted
            self.settle_later()

    def settle_later(self) -> None:
        """Also after a handoff: the agent that has taken over knows nothing of the states' instructions yet."""
        if self._begun:
            self._settling = self._world.call.loop.create_task(self._apply(self._settling))

    async def begin(self) -> None:
        """The session runs: what was offered meanwhile is applied now."""
        self._begun = True
        await self._apply(None)

    async def settled(self) -> None:
        """Waits until the model knows the tools and instructions of the states that are active now."""
        while self._settling is not None and not self._settling.done():
            await asyncio.shield(self._settling)

    def listen_to(self, agent: Agent) -> None:
        """An agent is about to start: the flow hears of its own tools. One with the name of a tool of the flow's is left
        out, since LiveKit would refuse every turn of an agent that has two of a name."""
        for name in self._toolbox.listen_to(agent):
            logger.error("an agent's own tool has the name of one of the flow's, and is left out", extra={"tool": name})
            self._world.note(f"the tool {name} of {type(agent).__name__} is left out: the flow has one of that name")

    def give_fresh_turn(self, event: Any) -> None:
        """LiveKit answers a tool's result under the tools that there were when it was called. Where the flow has moved
        on meanwhile the model gets its turn under what the new states offer; once the conversation is over, none at
        all. `event`: function_tools_executed."""
        made = {call.call_id for call in event.function_calls}
        self._tell_of_cut(event)
        no_turn = made & self._no_turns  # one of several calls in a reply is enough: two would speak at once
        calls = made & self._fresh_turns
        self._no_turns -= made
        self._fresh_turns -= made
        if no_turn or self._world.conversation_over:
            event.cancel_tool_reply()
            return
        if calls and event.has_tool_reply and not isinstance(self._world.session.llm, llm.RealtimeModel):
            event.cancel_tool_reply()
            agent = self._world.session.current_agent
            self._turn = self._world.call.loop.create_task(self._reply(agent))  # once the results are in the history

    def cutting(self, call: llm.FunctionCall) -> None:
        """A tool is about to be cut by the end of the conversation."""
        self._cut.add(call.call_id)

    def is_the_flows(self, tool: str) -> bool:
        return self._toolbox.is_the_flows(tool)

    def _tell_of_cut(self, event: Any) -> None:
        """LiveKit takes a tool that was cancelled for one that has nothing to say: what the history holds of it would be a
        success."""
        for output in event.function_call_outputs:
            if output is not None and output.call_id in self._cut and not output.output:
                ours = self.is_the_flows(output.name)
                output.output, output.is_error = (UNDER_WAY, False) if ours else (CUT, True)

    def close(self) -> None:
        for task in (self._settling, self._turn):
            if task is not None:
                task.cancel()

    async def _called(
        self, name: str, arguments: Mapping[str, Any], called: llm.FunctionCall, speech: str, states: States
    ) -> ToolReturn:
        before = self._offers
        effect = self._world.speeches.get(speech)
        returned = await self._world.call.tool_called(
            name, arguments, effect=effect, id=called.call_id, offered_in=states
        )
        decides = self._world.tell(f"tool.{name}")  # a `consult` goes on by itself
        await self.settled()
        if not returned.reply or decides:
            self._no_turns.add(called.call_id)
        elif self._offers != before:
            self._fresh_turns.add(called.call_id)
        return returned

    async def _reply(self, before: Agent) -> None:
        """The fresh turn. An agent that has taken over meanwhile and greets by itself needs none."""
        world = self._world
        await asyncio.sleep(0)  # a handoff of this step's begins
        await private.handoff_done(world.session)
        await self.settled()
        if not private.is_running(world.session) or world.conversation_over or world.line.over:
            return
        agent = world.session.current_agent
        if agent is before or type(agent).on_enter is Agent.on_enter:
            with contextlib.suppress(RuntimeError):  # it has closed in this very moment
                world.session.generate_reply()

    async def _apply(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        session = self._world.session
        try:
            if private.is_running(session):
                await self._instructions.apply(session.current_agent, self._offers.instructions)
                await private.offer_tools(session)
        except Exception:
            logger.exception("the model did not take the tools and instructions of the states that are active now")
