"""What the states offer the model, kept true as the call moves on: tools, instructions, and the turn that a tool leads to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from livekit.agents import Agent, llm

from callflow.core.queries import Offers, offers, taking_over
from callflow.core.snapshot import Step
from callflow.core.tools import UNDER_WAY
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.instructions import StateInstructions
from callflow.livekit_bindings.surroundings import InConversation
from callflow.livekit_bindings.tools import States, Toolbox
from callflow.livekit_bindings.turns import Entrance, Turns
from callflow.runtime.ports import ToolReturn

logger = logging.getLogger("callflow")

CUT = "This was cut before it had ended: whether it was done is not known."
"""What the model is told of a tool of the agent's own that still ran."""


class Turn(NamedTuple):
    """The model's, after a tool: who had entered last when it was called, how many replies had begun, and the lists in
    which another agent was taking over even then."""

    entrance: Entrance | None
    begun: int
    ahead: frozenset[int]


class Given(InConversation, Protocol):
    """What the offers to the model are given of their call."""

    @property
    def turns(self) -> Turns: ...

    @property
    def speeches(self) -> Mapping[str, int]: ...


class ModelContext:
    """Of one call. Tools are offered at once; instructions, and whatever a realtime model has to be told, in a task."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._instructions = StateInstructions()
        self._offers = Offers()
        self._states: States = ()
        self._toolbox = Toolbox(world.flow, world.session, self._called)
        self._begun = False
        self._settling: asyncio.Task[None] | None = None
        self._turn: asyncio.Task[None] | None = None
        self._fresh_turns: dict[str, Turn] = {}  # after which the model gets its turn under what is offered now
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
        calls = {call: turn for call in made if (turn := self._fresh_turns.pop(call, None)) is not None}
        self._no_turns -= made
        if no_turn or self._world.turns.over:
            event.cancel_tool_reply()
            return
        realtime = isinstance(self._world.session.llm, llm.RealtimeModel)  # knows what is offered now by itself
        if event.has_tool_reply and any(not realtime or self._hands_over(turn) for turn in calls.values()):
            event.cancel_tool_reply()
            turn = next(iter(calls.values()))
            self._turn = self._world.call.loop.create_task(self._reply(turn))  # once the results are in the history

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
        world, before = self._world, self._offers
        turn = Turn(world.turns.entrance, world.turns.begun, taking_over(world.flow, world.call.snapshot))
        with world.turns.of_a_tool(speech):
            effect = world.speeches.get(speech)
            returned = await world.call.tool_called(
                name, arguments, effect=effect, id=called.call_id, offered_in=states
            )
        await self.settled()
        if not returned.reply:
            self._no_turns.add(called.call_id)
        elif self._offers != before or self._hands_over(turn):
            self._fresh_turns[called.call_id] = turn
        return returned

    def _hands_over(self, turn: Turn) -> bool:
        """Whether another agent has taken over since, or is about to."""
        world = self._world
        ahead = taking_over(world.flow, world.call.snapshot) - turn.ahead
        return world.turns.entrance is not turn.entrance or bool(ahead)

    async def _reply(self, turn: Turn) -> None:
        """The fresh turn. Where another agent takes over it is that one's: where its `on_enter` says something, that is
        all."""
        world = self._world
        await asyncio.sleep(0)  # a handoff of LiveKit's own begins
        await livekit_internals.handoff_done(world.session)
        while world.turns.entrance is turn.entrance and self._hands_over(turn):
            await world.turns.next_change()
        entrance = world.turns.entrance
        if entrance is not None and entrance is not turn.entrance:
            await entrance.known.wait()
            if entrance.spoke:
                return
        await livekit_internals.handoff_done(world.session)
        await self.settled()
        if world.turns.begun != turn.begun or world.turns.over or world.line.over:
            return
        if livekit_internals.is_running(world.session):
            with contextlib.suppress(RuntimeError):  # it has closed in this very moment
                world.session.generate_reply()

    async def _apply(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        session = self._world.session
        try:
            if livekit_internals.is_running(session):
                await self._instructions.apply(session.current_agent, self._offers.instructions)
                await livekit_internals.offer_tools(session)
        except Exception:
            logger.exception("the model did not take the tools and instructions of the states that are active now")
