"""The agent of the end-to-end tests, as its users run it: `python -m tests.e2e.agent start`.

One worker serves all scenarios of a test run: a dispatch's metadata names the scenario, a coroutine function
`scenarios.<module>:<function>`, and the file for its notes. Jobs run in processes of their own, which is LiveKit's
default and what "no process is left" is about, unless a test of many calls wants threads. No call is refused, however
busy the machine is: see `TAKES_ALL`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from attrs import Factory, asdict, define, frozen
from livekit.agents import AgentServer, JobContext, JobExecutorType, JobProcess, cli

import callflow


@frozen
class Order:
    """What a test asks of the agent; travels as the dispatch's metadata."""

    scenario: str  # "module:function" in tests.e2e.scenarios
    notes: str  # path of the JSON-lines file
    arguments: dict[str, Any] = Factory(dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@frozen
class Notes:
    """What happened on the agent's side, one JSON object a line; `at` is monotonic, the same clock as the caller's."""

    path: Path

    def write(self, what: str, **facts: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"at": time.monotonic(), "what": what, **facts}, default=str) + "\n")


@define
class Job:
    """What a scenario is given. The hooks run as LiveKit's `on_session_end` of this job."""

    ctx: JobContext
    notes: Notes
    arguments: dict[str, Any]
    on_session_end: list[Callable[[JobContext], Awaitable[None]]] = Factory(list)


_jobs: dict[str, Job] = {}  # of this process: one, but for the thread executor

SESSION_END_SECONDS = 15.0
"""What `on_session_end` may take: LiveKit's default of 300 s is longer than a test."""

CALLFLOW = Path(callflow.__file__).parent

NAME = os.environ.get("CALLFLOW_E2E_AGENT", "callflow-e2e")
EXECUTOR = os.environ.get("CALLFLOW_E2E_EXECUTOR", "process")

TAKES_ALL: dict[str, Any] = {"load_fnc": lambda: 0.0, "load_threshold": math.inf}
"""What a worker has to be told. Below any threshold LiveKit counts a job that was accepted, until it runs, as the load of a
whole idle process, and with one of them the worker is full meanwhile: a dispatch that comes just then is lost."""

# An end-to-end test never needs a drain longer than this; a worker that is stopped with calls left ends by then.
server = AgentServer(
    job_executor_type=JobExecutorType(EXECUTOR),
    host="127.0.0.1",
    port=0,
    num_idle_processes=int(os.environ.get("CALLFLOW_E2E_IDLE", "1")),
    **TAKES_ALL,
    session_end_timeout=SESSION_END_SECONDS,
    drain_timeout=int(os.environ.get("CALLFLOW_E2E_DRAIN", "60")),
)


def _prewarm(process: JobProcess) -> None:
    for name in (
        "calls",
        "faults",
        "phone",
        "raw",
        "shipped",
        "sounds",
    ):  # not while a call is up: an import holds everything
        importlib.import_module(f"tests.e2e.scenarios.{name}")


server.setup_fnc = _prewarm

if os.environ.get("CALLFLOW_E2E_GUARD"):
    callflow.guard(server)


async def _session_ended(ctx: JobContext) -> None:
    job = _jobs[ctx.job.id]
    job.notes.write("session_end")
    for hook in job.on_session_end:
        await hook(ctx)
    job.notes.write("session_end_done")


@server.rtc_session(agent_name=NAME, on_session_end=_session_ended)
async def entrypoint(ctx: JobContext) -> None:
    order = Order(**json.loads(ctx.job.metadata))
    ctx.job.metadata = json.dumps(order.arguments)  # as a dispatch would carry a flow's variables
    job = _jobs[ctx.job.id] = Job(ctx, Notes(Path(order.notes)), order.arguments)
    job.notes.write("job", pid=os.getpid(), id=ctx.job.id)
    module, _, function = order.scenario.partition(":")
    before = asyncio.all_tasks()
    try:
        await getattr(importlib.import_module(f"tests.e2e.scenarios.{module}"), function)(job)
    except BaseException as error:
        job.notes.write("raised", error=repr(error))
        raise
    finally:
        await asyncio.sleep(0)
        left = [str(task.get_coro()) for task in asyncio.all_tasks() - before if _is_callflows(task)]
        job.notes.write("entrypoint_done", tasks=left)


def _is_callflows(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    if (
        task.get_name() == "callflow afterwards"
    ):  # looks for who comes back, past the call's end: see docs/how-to/servers.md
        return False
    return code is not None and Path(code.co_filename).is_relative_to(CALLFLOW)


if __name__ == "__main__":
    from tests.e2e import agent  # job processes import it by its name, not as __main__

    cli.run_app(agent.server)
