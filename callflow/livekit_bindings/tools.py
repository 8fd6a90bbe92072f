"""The flow's tools, as the model sees them, and the agent's own ones, listened to.

A flow's tool stands in `session.tools`, which survives a handoff, while a state that offers it is active. It only tells
the call that it was called, and returns when the call says so: it never waits for speech, the session or the hang-up.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from livekit.agents import Agent, AgentSession, RunContext, function_tool, llm

from callflow.core.expressions import BOOLEAN, INTEGER, NUMBER, ListOf, Type, coerce
from callflow.core.flow import Field, Flow, Tool
from callflow.core.statechart.descriptors import heard, is_wild
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.plain_data import plain
from callflow.runtime.ports import ToolReturn

States = tuple[str, ...]
"""Active leaf states."""

Called = Callable[[str, Mapping[str, Any], llm.FunctionCall, str, States], Awaitable[ToolReturn]]
"""The world's part of a tool: its name and arguments, LiveKit's call, the id of the speech that it was called in, and the
states in which the model was offered it."""

LISTENED = "_callflow_listened"


def build(tool: Tool, called: Called, offered_in: States = ()) -> llm.RawFunctionTool[Any, Any]:
    """A tool of the flow as LiveKit's, as the model is offered it in these states: LiveKit calls the very object that stood
    in the turn, however late. Arguments that do not fit become an error that the model is told."""

    async def run(raw_arguments: dict[str, object], context: RunContext[Any]) -> Any:
        arguments = fit(tool, raw_arguments)
        call = context.function_call
        return answer(await called(tool.name, arguments, call, context.speech_handle.id, offered_in))

    return function_tool(run, raw_schema=schema(tool))


def answer(returned: ToolReturn) -> llm.ToolResult:
    """Raises ToolError, which the model is told."""
    if returned.error is not None:
        raise llm.ToolError(returned.error)
    result = plain(returned.result)
    text = result if result is None or isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return llm.ToolResult(text, reply_required=returned.reply)


def fit(tool: Tool, given: Mapping[str, object]) -> dict[str, Any]:
    """The arguments as the flow declares them. Raises ToolError with everything that is missing or of the wrong type."""
    arguments: dict[str, Any] = {}
    problems = [f"{name} is no parameter" for name in given if name not in tool.parameters]
    for name, parameter in tool.parameters.items():
        value = given.get(name)
        if value is None:
            if parameter.required:
                problems.append(f"{name} is missing")
            continue
        try:
            arguments[name] = coerce(parameter.type, value)
        except ValueError as error:
            problems.append(f"{name} {error}")
            continue
        if parameter.enum and value not in parameter.enum:
            problems.append(f"{name} takes one of {', '.join(map(str, parameter.enum))}")
    if problems:
        raise llm.ToolError("; ".join(problems))
    return arguments


def schema(tool: Tool) -> dict[str, Any]:
    """The function's description, as LLMs take it."""
    properties = {name: _property(parameter) for name, parameter in tool.parameters.items()}
    required = [name for name, parameter in tool.parameters.items() if parameter.required]
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }


def _property(parameter: Field) -> dict[str, Any]:
    described: dict[str, Any] = _json_type(parameter.type)
    if parameter.description:
        described["description"] = parameter.description
    if parameter.enum:
        described["enum"] = list(parameter.enum)
    return described


def _json_type(kind: Type) -> dict[str, Any]:
    if isinstance(kind, ListOf):
        return {"type": "array", "items": _json_type(kind.item)}
    names = {INTEGER: "integer", NUMBER: "number", BOOLEAN: "boolean"}
    return {"type": names.get(kind, "string")}


class Toolbox:
    """What the session offers: the program's own tools, and those of the states now active. Each configuration has tools of
    its own, so that a call tells in which states the model was offered it."""

    def __init__(self, flow: Flow, session: AgentSession[Any], called: Called) -> None:
        self._session = session
        self._tools = {name: tool for name, tool in flow.tools.items() if not tool.own}
        self._listened = listened_to(flow) - self._tools.keys()
        self._called = called
        self._states: States = ()
        self._offered: list[llm.Tool | llm.Toolset] = []
        self._agents: list[Agent] = []

    def offer(self, names: Iterable[str], states: States) -> None:
        """Offers exactly these of the flow's tools from the next turn on, in these states."""
        self._states = states
        before = {id(tool) for tool in self._offered}
        wanted = [self._tools[name] for name in dict.fromkeys(names) if name in self._tools]
        self._offered = [build(tool, self._called, states) for tool in wanted]
        tools = self._session.tools  # LiveKit's own list, read at each turn
        tools[:] = [*self._listening(tool for tool in tools if id(tool) not in before), *self._offered]
        if self._listened:
            for agent in self._agents:
                livekit_internals.set_own_tools(agent, self._listening(agent.tools))

    def listen_to_session(self) -> None:
        """The program's own tools in the session, as far as a row of the flow listens to them."""
        self._session.tools[:] = self._listening(self._session.tools)

    def listen_to(self, agent: Agent) -> list[str]:
        """The same for an agent that is about to start. Returns the names of its tools that the flow has, too: they are
        taken from it."""
        clashes = [tool.id for tool in agent.tools if isinstance(tool, llm.Tool) and tool.id in self._tools]
        if self._listened or clashes:
            livekit_internals.set_own_tools(
                agent, self._listening(tool for tool in agent.tools if tool.id not in clashes)
            )
        if agent not in self._agents:
            self._agents.append(agent)
        return clashes

    def is_the_flows(self, name: str) -> bool:
        return name in self._tools

    def _listening(self, tools: Iterable[llm.Tool | llm.Toolset]) -> list[llm.Tool | llm.Toolset]:
        return [self._wrap(getattr(tool, LISTENED, tool)) if self._is_listened(tool) else tool for tool in tools]

    def _is_listened(self, tool: llm.Tool | llm.Toolset) -> bool:
        own = isinstance(tool, llm.FunctionTool | llm.RawFunctionTool)
        return own and tool.id in self._listened

    def _wrap(self, tool: Any) -> Any:
        """The same tool, which tells the call once it has done its work; what it returns is what the model gets."""
        called, states = self._called, self._states

        @functools.wraps(tool)
        async def run(*args: Any, **kwargs: Any) -> Any:
            result = await tool(*args, **kwargs)
            if (current := livekit_internals.current_tool_call()) is None:
                return result
            call, speech = current
            returned = await called(tool.id, json.loads(call.arguments or "{}"), call, speech, states)
            if returned.reply or isinstance(result, Agent | tuple):
                return result
            output = result.output if isinstance(result, llm.ToolResult) else result
            return llm.ToolResult(output, reply_required=False)

        wrapped = type(tool)(run, tool.info)
        setattr(wrapped, LISTENED, tool)
        return wrapped


def listened_to(flow: Flow) -> frozenset[str]:
    """The tools, the flow's and others, that a row of the flow names: `tool.<name>`."""
    taken = heard(flow.states, ignored=False)
    return frozenset(pattern[5:] for pattern in taken if pattern.startswith("tool.") and not is_wild(pattern))
