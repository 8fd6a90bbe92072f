"""The agent's side as a test sees it: a worker process, and the jobs that it was sent."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen
from livekit import api

from tests.e2e.agent import Order
from tests.e2e.processes import stop, wait_until_gone
from tests.e2e.server import KEY, SECRET

ROOT = Path(__file__).parents[2]


def whole_lines(path: Path) -> list[str]:
    """Those of a file that somebody is writing: the last one may not all be there yet."""
    return path.read_text(errors="replace").rpartition("\n")[0].splitlines()


def json_lines(path: Path) -> list[dict[str, Any]]:
    """What was written so far, one object a line."""
    return [json.loads(line) for line in whole_lines(path)]


@frozen
class Worker:
    """A running worker; `log` is what it and its jobs printed."""

    name: str
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    def terminate(self) -> None:
        """What a deployment does first: SIGTERM, to the worker alone."""
        self.process.send_signal(signal.SIGTERM)

    async def obeys(self, command: str, *, within: float) -> dict[str, Any]:
        """Has an embedding program do this, and says what came of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()
        return await self.did(command, within=within)

    async def did(self, command: str, *, within: float) -> dict[str, Any]:
        until = time.monotonic() + within
        while time.monotonic() < until:
            for line in whole_lines(self.log):
                if line.startswith("did ") and (done := json.loads(line[4:]))["command"] == command:
                    return dict(done)
            await asyncio.sleep(0.05)
        raise AssertionError(f"no end of {command} within {within} s\n{self.last_words()}")

    async def dispatch(self, lk: api.LiveKitAPI, room: str, notes: Path, scenario: str, **arguments: Any) -> AgentJob:
        order = Order(scenario, str(notes), arguments)
        await lk.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(agent_name=self.name, room=room, metadata=order.to_json())
        )
        return AgentJob(self, notes)

    def said_of(self, room: str) -> str:
        """The warnings and errors in its log that come from this room's jobs."""
        lines = whole_lines(self.log)
        said = [json.loads(line) for line in lines if room in line and ('"WARNING"' in line or '"ERROR"' in line)]
        return "\n".join(f"{one['level']} {one['name']}: {one['message']}" for one in said)[-6000:]

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@frozen
class AgentJob:
    """A job that was dispatched. What is known of it is what its scenario wrote down."""

    worker: Worker
    path: Path

    def notes(self, what: str | None = None) -> list[dict[str, Any]]:
        notes = json_lines(self.path) if self.path.exists() else []
        return [note for note in notes if what in (None, note["what"])]

    async def note(self, what: str, *, within: float) -> dict[str, Any]:
        """The first note of this kind. Raises AssertionError that tells what the job wrote and the worker printed."""
        until = time.monotonic() + within
        while not (found := self.notes(what)):
            if time.monotonic() > until:
                raise AssertionError(f"no {what} after {within} s; notes: {self.notes()}\n{self.worker.last_words()}")
            await asyncio.sleep(0.02)
        return found[0]

    async def process_gone(self, *, within: float) -> None:
        """Until the job's process has ended by itself. Raises AssertionError."""
        pid = (await self.note("job", within=within))["pid"]
        await asyncio.to_thread(wait_until_gone, pid, within=within)

    def kill(self) -> None:
        """SIGKILL to the job's process, if it has one yet."""
        for note in self.notes("job"):
            try:
                os.kill(note["pid"], signal.SIGKILL)
            except ProcessLookupError:
                continue


@contextmanager
def worker(
    url: str,
    folder: Path,
    *,
    name: str,
    drain: int = 60,
    guarded: bool = False,
    idle: int = 1,
    prefix: tuple[str, ...] = (),
    program: tuple[str, ...] = ("tests.e2e.agent", "start"),
    **more: str,
) -> Iterator[Worker]:
    """A worker that is registered with the server, with `idle` processes that wait for a job; ended with all its jobs on
    the way out. `more` are environment variables, without the `CALLFLOW_E2E_`."""
    log = folder / f"{name}.log"
    environment = os.environ | {
        "LIVEKIT_URL": url,
        "LIVEKIT_API_KEY": KEY,
        "LIVEKIT_API_SECRET": SECRET,
        "CALLFLOW_E2E_AGENT": name,
        "CALLFLOW_E2E_DRAIN": str(drain),
        "CALLFLOW_E2E_GUARD": "yes" if guarded else "",
        "CALLFLOW_E2E_IDLE": str(idle),
        "PYTHONUNBUFFERED": "1",
        **{f"CALLFLOW_E2E_{name.upper()}": value for name, value in more.items()},
    }
    with log.open("wb") as out:
        command = [*prefix, sys.executable, "-m", *program]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        )
    running = Worker(name, process, log)
    try:
        _wait_until_ready(running, idle)
        yield running
    finally:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        stop(process, within=1)  # no drain: the calls that are left are nobody's


def _wait_until_ready(running: Worker, idle: int) -> None:
    until = time.monotonic() + 120
    while "registered worker" not in (log := running.log.read_text(errors="replace")) or (
        len(re.findall('"(process|job runner) initialized"', log)) < idle
    ):
        if time.monotonic() > until or running.process.poll() is not None:
            raise RuntimeError(f"the worker did not get ready; its last words:\n{running.last_words()}")
        time.sleep(0.05)
