"""An AgentServer for one flow: what `callflow run` starts. Its jobs load the flow and make their session by themselves."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess

from callflow.core.flow import Flow
from callflow.core.step import start
from callflow.core.table import table_of
from callflow.errors import BindError, StartError
from callflow.flowfile import load
from callflow.livekit_bindings.binding import run
from callflow.livekit_bindings.models import session_of
from callflow.livekit_bindings.serving import FlowServer
from callflow.livekit_bindings.verbs.conversation import close_all as close_models
from callflow.livekit_bindings.watchdog import guard
from callflow.runtime.shutdown import KILLED_AFTER, WORKER_SECONDS, worker_seconds

logger = logging.getLogger("callflow")

MODELS_SECONDS = 3.0
"""To close the models that the flow's `session:` has made."""

LIVEKIT = {"LIVEKIT_URL": "--url", "LIVEKIT_API_KEY": "--api-key", "LIVEKIT_API_SECRET": "--api-secret"}
"""What a worker needs to know of its LiveKit server, and the options that say it instead."""


def server_of(
    file: str,
    *,
    factory: str | None = None,
    name: str = "",
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the word of the language
    journal: str | None = None,
    **options: Any,
) -> AgentServer:
    """A server whose jobs run the flow in `file`.

    `factory` is `module:function`; see `supplied`. `name` makes it a server that is dispatched to by name only. `vars`
    hold where a job's metadata has none. `journal` is the folder for journals and records. `options` are AgentServer's
    own; what a call may take to end follows from its `shutdown_process_timeout`.
    """
    server = FlowServer(file, setup_fnc=functools.partial(warm_up, file=file, factory=factory), **options)
    budget = worker_seconds(options.get("shutdown_process_timeout", KILLED_AFTER))
    entry = functools.partial(entrypoint, file=file, factory=factory, vars=vars, journal=journal, worker_seconds=budget)
    server.rtc_session(entry, agent_name=name)
    guard(server)
    return server


def warm_up(_process: JobProcess, *, file: str, factory: str | None) -> None:
    """In a job's process, before there is a caller who would wait for it."""
    table_of(load(file))
    if factory is not None:
        found(factory)


async def entrypoint(
    ctx: JobContext,
    *,
    file: str,
    factory: str | None,
    vars: Mapping[str, Any] | None,  # noqa: A002
    journal: str | None,
    worker_seconds: float = WORKER_SECONDS,
) -> None:
    flow = load(file)
    options = await supplied(flow, ctx, factory)
    given = options.pop("session", None)
    session = given or session_of(flow)
    if vars is not None and not ctx.job.metadata.strip():
        options.setdefault("vars", vars)
    options.setdefault("journal", journal)
    options.setdefault("worker_seconds", worker_seconds)
    try:
        record = await run(flow, ctx, session, options.pop("agent", None), **options)
        logger.info("call ended", extra={"outcome": record.outcome, "call": record.call})
    finally:
        if given is None:
            await asyncio.wait(
                {asyncio.ensure_future(close_models([session.stt, session.llm, session.tts]))}, timeout=MODELS_SECONDS
            )


async def supplied(flow: Flow, ctx: JobContext, factory: str | None) -> dict[str, Any]:
    """What the factory makes for one call, as arguments of `run`.

    It is called with the JobContext, or with nothing if it takes nothing, and returns an Agent, an AgentSession, both,
    or a mapping of `run`'s arguments (`session`, `agent`, `actions`, `agents`, …); it may be a coroutine function.
    """
    if factory is None:
        return {}
    make = found(factory)
    made = make(ctx) if inspect.signature(make).parameters else make()
    if inspect.isawaitable(made):
        made = await made
    options: dict[str, Any] = {}
    for one in made if isinstance(made, tuple | list) else [made]:
        if isinstance(one, Agent):
            options["agent"] = one
        elif isinstance(one, AgentSession):
            options["session"] = one
        elif isinstance(one, Mapping):
            options |= one
        else:
            raise BindError(
                [f"{factory} made a {type(one).__name__}: an Agent, an AgentSession or a mapping is wanted"]
            )
    return options


def found(factory: str) -> Callable[..., Any]:
    """The function that `module:function` names. Raises BindError."""
    module, _, name = factory.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise BindError([f"--agent {factory}: there is no module {module} here"]) from error
        raise
    except AttributeError as error:
        raise BindError([f"--agent {factory}: {module} has no {name}"]) from error
    if not callable(function):
        raise BindError([f"--agent {factory}: {name} is not a function"])
    return function  # type: ignore[no-any-return]


WITHOUT_METADATA = ("console", "connect")
"""The modes whose job is not dispatched: nobody gives it variables."""


def _unfit(flow: Flow, given: Mapping[str, Any]) -> Sequence[str]:
    """What is wrong with variables, as a call would find it."""
    try:
        start(flow, given, env=dict.fromkeys(flow.env, ""), waiting=True)
    except StartError as error:
        return error.problems
    return ()


def missing(
    flow: Flow,
    mode: str,
    arguments: list[str],
    *,
    factory: str | None,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the word of the language
) -> list[str]:
    """What has to be there before anything starts, and is not; a sentence for each. `vars` are those of `--vars`."""
    wrong = []
    given = {argument.partition("=")[0] for argument in arguments}
    for variable, option in LIVEKIT.items():
        if mode != "console" and option not in given and not os.environ.get(variable):
            wrong.append(f"{variable} is not set, and there is no {option}")
    wrong += [f"the flow reads {variable}, which is not set" for variable in flow.env if variable not in os.environ]
    if vars is not None:
        wrong += [f"--vars: {problem}" for problem in _unfit(flow, vars)]
    elif mode in WITHOUT_METADATA and factory is None:
        wrong += [f"{problem}: say --vars, since a call of `{mode}` carries none" for problem in _unfit(flow, {})]
    if factory is None:
        if not flow.session:
            wrong.append("the flow has no `session:` that names its models: write one, or say --agent module:function")
        elif mode == "console" and any(isinstance(flow.session.get(kind), str) for kind in ("stt", "llm", "tts")):
            keys = [name for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if not os.environ.get(name)]
            wrong += [f"{name} is not set: the models of `session:` run on LiveKit Inference" for name in keys]
        for what, names in (("python", flow.python), ("agents", flow.agents), ("tasks", flow.tasks)):
            if names:
                wrong.append(
                    f"the flow needs {what} of the program's ({', '.join(sorted(names))}): say --agent module:function"
                )
    return wrong
