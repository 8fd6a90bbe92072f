"""An `on_enter` that raises is told once: to the flow."""

from __future__ import annotations

import asyncio
import gc

from livekit.agents import Agent

from callflow.livekit_bindings.agents import watch_on_enter


class Broken(Agent):
    async def on_enter(self) -> None:
        raise ValueError("no such customer")


async def test_the_exception_is_not_told_again_when_its_task_is_collected():
    """LiveKit awaits no task of an `on_enter`."""
    told, again = [], []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: again.append(context["message"]))
    agent = Broken(instructions="x")
    watch_on_enter(agent, lambda on_enter: on_enter(), lambda error: told.append(str(error)))
    task = asyncio.create_task(agent.on_enter())
    await asyncio.wait([task])
    del task
    gc.collect()
    assert told == ["no such customer"]
    assert again == []
