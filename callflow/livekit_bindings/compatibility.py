"""Whether a flow fits the program that embeds it: everything that is missing or does not fit, before the call starts."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from livekit.agents import Agent, AgentSession, AgentTask, JobContext, llm
from livekit.agents.utils import is_given

from callflow.core.actions import VERBS
from callflow.core.flow import ROOT, Flow, PythonAction
from callflow.core.statechart.action_lists import every_action, given
from callflow.core.step import start
from callflow.core.suggest import did_you_mean
from callflow.errors import StartError
from callflow.livekit_bindings import livekit_internals
from callflow.verify.sounds import unplayable


class Given(NamedTuple):
    """The flow's variables as a call is given them, what is wrong, and what should be noted."""

    values: Mapping[str, Any]
    wrong: list[str]
    notes: tuple[str, ...] = ()


def variables(flow: Flow, ctx: JobContext, given: Mapping[str, Any] | None) -> Given:
    """What the program gave, else what the JSON object in the job's metadata has of the flow's variables: the rest of it may
    be for others."""
    if given is not None:
        return Given(given, [])
    metadata, known = ctx.job.metadata.strip(), flow.scopes[ROOT].variables
    if not metadata:
        return Given({}, [])
    try:
        found = json.loads(metadata)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        others = [name for name in found if name not in known]
        return Given({name: value for name, value in found.items() if name in known}, [], _others(others, known))
    if not known:
        return Given({}, [])
    wrong = "the job's metadata is no JSON object of the flow's variables: dispatch it with one, or pass vars={…}"
    return Given({}, [wrong])


MOST_NAMED = 5
"""Keys of a job's metadata that a note names."""


def _others(names: list[str], known: Iterable[str]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = ", ".join(f"{name[:40]}{_hint(name, known)}" for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (f"keys of the job's metadata that are no variables of the flow were ignored: {shown}{more}",)


def problems(
    flow: Flow,
    session: AgentSession[Any],
    agent: Agent,
    *,
    vars: Mapping[str, Any],  # noqa: A002 - the word of the language
    env: Mapping[str, str],
    actions: Mapping[str, Callable[..., Any]],
    agents: Mapping[str, Any],
) -> list[str]:
    """Every one of them, each a sentence."""
    found: list[str] = []
    try:
        start(flow, vars, env=env, waiting=True)
    except StartError as error:
        found += error.problems
    if livekit_internals.has_started(session):
        found.append("the session has been started: hand callflow a new AgentSession, it starts it")
    found += _models(flow, session, agent)
    found += _python(flow, actions)
    found += _agents(flow, agents)
    found += _tools(flow, session, agent, agents)
    found += _sounds(flow)
    return found


def detects(flow: Flow) -> bool:
    """Whether the flow listens who has answered as part of a dial."""
    return any(given(every_action(flow), "detection"))


# -- models ------------------------------------------------------------------------------------------------------------


def _models(flow: Flow, session: AgentSession[Any], agent: Agent) -> Iterator[str]:
    model = own_or_session(session, agent, "llm")
    realtime = isinstance(model, llm.RealtimeModel)
    speaks = bool(realtime and getattr(model.capabilities, "supports_say", False))
    seen: set[str] = set()
    for action in every_action(flow):
        verb = VERBS[action.verb]
        if verb.speaks_if is not None and not action.arguments.get(verb.speaks_if):
            continue
        for kind in sorted(verb.models - seen):
            missing = own_or_session(session, agent, kind) is None and not (kind == "tts" and speaks)
            if missing:
                seen.add(kind)
                yield f"{action.position.place}: {action.verb} needs {_NEEDS[kind]}, and neither the session nor the agent has one"


_NEEDS = {"tts": "a TTS", "llm": "an LLM", "stt": "an STT"}


def own_or_session(session: AgentSession[Any], agent: Agent, kind: str) -> Any:
    """The model of this kind (stt, llm, tts) that is in force under this agent: its own, else the session's."""
    own = getattr(agent, kind)
    return own if is_given(own) else getattr(session, kind)


def _hint(word: str, candidates: Iterable[str]) -> str:
    hint = did_you_mean(word, candidates)
    return f" ({hint})" if hint else ""


def _sounds(flow: Flow) -> Iterator[str]:
    for action, name, wrong in unplayable(flow):
        yield f"{action.position.place}: the sound {name} of {action.verb} {wrong}"


# -- what the program supplies -----------------------------------------------------------------------------------------


def _python(flow: Flow, actions: Mapping[str, Callable[..., Any]]) -> Iterator[str]:
    for name, declared in flow.python.items():
        if name not in actions:
            yield f'python action {name} is missing: pass actions={{"{name}": …}}'
        elif not callable(actions[name]):
            yield f"python action {name} is not callable"
        else:
            yield from _parameters(declared, actions[name])
    for name in actions:
        if name not in flow.python:
            yield f"python action {name} is none of the flow's{_hint(name, flow.python)}"


def _parameters(declared: PythonAction, function: Callable[..., Any]) -> Iterator[str]:
    try:
        taken = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return  # a builtin that does not tell
    kinds = inspect.Parameter
    by_name = {one.name for one in taken if one.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    takes_any = any(one.kind is kinds.VAR_KEYWORD for one in taken)
    for name in declared.parameters:
        if name not in by_name and not takes_any:
            yield f"python action {declared.name} takes no parameter {name}{_hint(name, by_name)}"
    for one in taken:
        bare = one.default is kinds.empty and one.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
        given = declared.parameters.get(one.name)
        if bare and (given is None or not given.required or one.kind is kinds.POSITIONAL_ONLY):
            yield f"python action {declared.name} needs {one.name}, which the flow {_lacks(given, one)}"


def _lacks(given: Any, parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        return "passes by name"
    return "does not declare" if given is None else "may leave out"


def _agents(flow: Flow, agents: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(flow.agents - agents.keys()):
        yield f'agent {name} is missing: pass agents={{"{name}": …}}'
    for name in sorted(flow.tasks - agents.keys()):
        yield f'task {name} is missing: pass agents={{"{name}": …}} with its AgentTask class'
    for name, registered in agents.items():
        if name in flow.tasks:
            if isinstance(registered, AgentTask) or not callable(registered):
                yield f"task {name} must be an AgentTask class or a function that makes one: each visit needs a new one"
        elif name not in flow.agents:
            yield f"agent {name} is none of the flow's{_hint(name, flow.agents | flow.tasks)}"
        elif (
            isinstance(registered, AgentTask)
            or (
                isinstance(registered, type)
                and (issubclass(registered, AgentTask) or not issubclass(registered, Agent))
            )
            or (not isinstance(registered, Agent) and not callable(registered))
        ):
            yield f"agent {name} must be an Agent, its class, or a function that makes one"


def _tools(flow: Flow, session: AgentSession[Any], agent: Agent, agents: Mapping[str, Any]) -> Iterator[str]:
    ours = {name for name, tool in flow.tools.items() if not tool.own}
    owners = {"the session": session.tools, "the agent": agent.tools}
    owners |= {f"agent {name}": one.tools for name, one in agents.items() if isinstance(one, Agent)}
    for owner, tools in owners.items():
        for name in sorted(ours & llm.ToolContext(tools).function_tools.keys()):
            yield (
                f"tool {name} is a tool of {owner} too: rename one, or write own: true for it in the flow, which then"
                " only listens"
            )
