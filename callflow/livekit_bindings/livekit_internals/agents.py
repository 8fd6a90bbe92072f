"""Agents and their tools: what they are given, whose call runs, and an AgentTask in the place where LiveKit takes one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, cast

from livekit.agents import Agent, AgentSession, llm
from livekit.agents.voice import agent as theirs

from callflow.errors import EffectError
from callflow.livekit_bindings.livekit_internals import names


def run_inline(session: AgentSession[Any], work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Runs `work` where LiveKit allows an AgentTask to be awaited: as the running agent's own inline task, like an
    `on_enter`, and without a handoff of its own. Raises EffectError when no agent runs, or LiveKit has moved the place."""
    activity = names.ACTIVITY.of(session)
    create, mark = names.SPEECH_TASK.of(activity), names.INLINE.of(theirs)
    if create is None or mark is None:
        work.close()
        raise EffectError("no agent is running" if activity is None else "this LiveKit takes no task from callflow")
    task = cast("asyncio.Task[Any]", create(work, name="callflow_task"))
    mark(task, inline_task=True)
    return task


def current_tool_call() -> tuple[llm.FunctionCall, str] | None:
    """The function call that the running task carries out, and the id of the speech that it was called in."""
    task = asyncio.current_task()
    info = names.TASK_INFO.of(theirs, _no_info)(task)
    if info is None or info.function_call is None or info.speech_handle is None:
        return None
    return info.function_call, info.speech_handle.id


def _no_info(_task: object) -> None:
    return None


def set_own_tools(agent: Agent, tools: list[llm.Tool | llm.Toolset]) -> None:
    """Replaces an agent's own tools without `update_tools`, which would write the change into its history and drop
    the calls of other tools from it: ours are the same tools, listened to."""
    names.AGENT_TOOLS.put(agent, tools)


def hand_on(messages: Iterable[llm.ChatItem], agent: Agent) -> None:
    """What was said before this agent takes over; `update_chat_ctx` would have to be awaited."""
    context = names.AGENT_CONTEXT.of(agent)
    if context is not None:
        context.items.extend(messages)
