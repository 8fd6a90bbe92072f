"""A program of its own that embeds the agents' server, as `docs/how-to/servers.md` shows it: `python -m tests.e2e.embedding`.

It does what it reads, a line each: `drain SECONDS`, `aclose`. What came of it, it prints as `did …`, one JSON object.
`CALLFLOW_E2E_OPTIONS` makes the server from `WorkerOptions`, by their older name.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from livekit.agents import AgentServer, JobExecutorType, WorkerOptions
from livekit.agents.cli.log import setup_logging

import callflow
from tests.e2e import agent


def from_options() -> AgentServer:
    options = WorkerOptions(
        entrypoint_fnc=agent.entrypoint,
        prewarm_fnc=agent.server.setup_fnc,
        agent_name=agent.NAME,
        **agent.TAKES_ALL,
        host="127.0.0.1",
        port=0,
        num_idle_processes=1,
        job_executor_type=JobExecutorType(agent.EXECUTOR),
    )
    return AgentServer.from_server_options(options)


async def commands() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def obey(server: AgentServer, command: str) -> str:
    """How it ended."""
    try:
        if command.startswith("drain"):
            await server.drain(timeout=int(command.split()[1]))
        elif command == "aclose":
            await server.aclose()
    except TimeoutError:
        return "TimeoutError"
    return "done"


async def main() -> None:
    server = from_options() if os.environ.get("CALLFLOW_E2E_OPTIONS") else agent.server
    if os.environ.get("CALLFLOW_E2E_GUARD"):
        callflow.guard(server)
    running = asyncio.create_task(server.run())
    reader = await commands()
    while line := await reader.readline():
        command, began = line.decode().strip(), time.monotonic()
        came = await obey(server, command)
        seconds = round(time.monotonic() - began, 2)
        print("did", json.dumps({"command": command, "came": came, "seconds": seconds}), flush=True)  # noqa: T201
        if command == "aclose":
            await running
            break


if __name__ == "__main__":
    setup_logging("DEBUG", devmode=False, console=False)
    asyncio.run(main())
