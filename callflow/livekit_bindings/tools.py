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
from callflow.livekit_bindings import private
from callflow.livekit_bindings.plain import plain
from callflow.runtime.ports import ToolReturn

Called = Callable[[str, Mapping[str, Any], llm.FunctionCall, str], Awaitable[ToolReturn]]
"""The world's part of a tool: its name and arguments, LiveKit's call, and the id of the speech that it was called in."""

LISTENED = "_callflow_listened"


def build(tool: Tool, called: Called) -> llm.RawFunctionTool[Any, Any]:
    """A tool of the flow as LiveKit's. Arguments that do not fit become an error that the model is told."""

    async def run(raw_arguments: dict[str, object], context: RunContext[Any]) -> Any:
        arguments = fit(tool, raw_arguments)
        call = context.function_call
        return answer(await called(tool.name, arguments, call, context.speech_handle.id))

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
    """What the session offers: the program's own tools, and those of the states now active."""

    def __init__(self, flow: Flow, session: AgentSession[Any], called: Called) -> None:
        self._session = session
        self._built = {name: build(tool, called) for name, tool in flow.tools.items() if not tool.own}
        self._listened = listened_to(flow) - self._built.keys()
        self._called = called
        self.offered: tuple[str, ...] = ()

    def offer(self, names: Iterable[str]) -> bool:
        """Offers exactly these of the flow's tools from the next turn on. True: that is a change."""
        wanted = tuple(name for name in dict.fromkeys(names) if name in self._built)
        if wanted == self.offered:
            return False
        self.offered = wanted
        ours = {id(tool) for tool in self._built.values()}
        tools = self._session.tools  # LiveKit's own list, read at each turn
        tools[:] = [tool for tool in tools if id(tool) not in ours] + [self._built[name] for name in wanted]
        return True

    def listen_to_session(self) -> None:
        """The program's own tools in the session, as far as a row of the flow listens to them."""
        self._session.tools[:] = self._listening(self._session.tools)

    def listen_to(self, agent: Agent) -> list[str]:
        """The same for an agent that is about to start. Returns the names of its tools that the flow has, too: they are
        taken from it."""
        clashes = [tool.id for tool in agent.tools if isinstance(tool, llm.Tool) and tool.id in self._built]
        if self._listened or clashes:
            private.set_own_tools(agent, self._listening(tool for tool in agent.tools if tool.id not in clashes))
        return clashes

    def _listening(self, tools: Iterable[llm.Tool | llm.Toolset]) -> list[llm.Tool | llm.Toolset]:
        return [self._wrap(tool) if self._is_listened(tool) else tool for tool in tools]

    def _is_listened(self, tool: llm.Tool | llm.Toolset) -> bool:
        own = isinstance(tool, llm.FunctionTool | llm.RawFunctionTool)
        return own and tool.id in self._listened and not hasattr(tool, LISTENED)

    def _wrap(self, tool: Any) -> Any:
        """The same tool, which tells the call once it has done its work; what it returns is what the model gets."""
        called = self._called

        @functools.wraps(tool)
        async def run(*args: Any, **kwargs: Any) -> Any:
            result = await tool(*args, **kwargs)
            if (current := private.current_tool_call()) is None:
                return result
            call, speech = current
            returned = await called(tool.id, json.loads(call.arguments or "{}"), call, speech)
            if returned.reply or isinstance(result, Agent | tuple):
                return result
            output = result.output if isinstance(result, llm.ToolResult) else result
            return llm.ToolResult(output, reply_required=False)

        wrapped = type(tool)(run, tool.info)
        setattr(wrapped, LISTENED, True)
        return wrapped


def listened_to(flow: Flow) -> frozenset[str]:
    """The tools, the flow's and others, that a row of the flow names: `tool.<name>`."""
    rows = [row.pattern for state in flow.states.values() for row in state.rows if not row.ignore]
    return frozenset(pattern[5:] for pattern in rows if pattern.startswith("tool.") and not pattern.endswith("*"))
