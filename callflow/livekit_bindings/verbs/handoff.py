"""update_agent and task: another agent takes over, for good or until its task is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from livekit.agents import Agent, AgentTask

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals, private_speech
from callflow.livekit_bindings.model_context import ModelContext
from callflow.livekit_bindings.plain_data import plain
from callflow.livekit_bindings.private_speech import all_is_said

CANCEL_WITHIN = 2.0
"""Seconds that an AgentTask gets to hand the conversation back once its state was left; its tools that run still are cut
then, and it gets as many again."""


class Given(private_speech.Given, Protocol):
    """What these verbs are given."""

    @property
    def registered(self) -> Mapping[str, Any]: ...

    @property
    def model_context(self) -> ModelContext: ...

    def make(self, name: str) -> Any: ...

    def watch(self, agent: Agent) -> None: ...

    async def hand_over(self, agent: Agent) -> None: ...


async def update_agent(world: Given, effect: Start) -> Mapping[str, Any]:
    await world.started()
    if not livekit_internals.is_running(world.session):
        raise EffectError("the conversation is over: no other agent can take it")
    await all_is_said(world, tail=0.0)
    await world.hand_over(world.make(effect.arguments["agent"]))
    return {}


async def task(world: Given, effect: Start) -> Mapping[str, Any]:
    """Runs the AgentTask that the program registered; its result as plain data. Cancelled: the task is, too."""
    if not await world.can_be_heard():
        raise EffectError("nobody is on the line")
    make = world.registered[effect.arguments["name"]]
    agent_task: AgentTask[Any] = make(**(effect.arguments.get("arguments") or {}))
    world.watch(agent_task)
    inline = livekit_internals.run_inline(world.session, _await(agent_task))
    try:
        result = await asyncio.shield(inline)
    except asyncio.CancelledError:
        agent_task.cancel()  # its awaiter gets a ToolError
        handed_back, _ = await asyncio.wait({inline}, timeout=CANCEL_WITHIN)
        if not handed_back:  # LiveKit waits for its tools
            await _cut_tools(world, agent_task)
            await asyncio.wait({inline}, timeout=CANCEL_WITHIN)
        raise
    except Exception as error:
        raise EffectError(str(error) or type(error).__name__) from error
    finally:
        inline.add_done_callback(_looked_at)
    return {"result": "completed", "value": plain(result)}


async def _cut_tools(world: Given, agent_task: AgentTask[Any]) -> None:
    """What the flow's own were called for goes on: they only wait for it."""
    cutting = world.model_context.cutting
    cut, _ = await livekit_internals.cancel_tools(
        world.session, within=CANCEL_WITHIN / 2, cutting=cutting, of=agent_task
    )
    for name in cut:
        if not world.model_context.is_the_flows(name):
            world.note(f"the tool {name} was cut: the task that called it was left before it had ended")


def _looked_at(inline: asyncio.Task[Any]) -> None:
    """It may end long after anybody waits for it, with the error of a task that was cancelled: that is no news."""
    if not inline.cancelled():
        inline.exception()


async def _await(agent_task: AgentTask[Any]) -> Any:
    return await agent_task
