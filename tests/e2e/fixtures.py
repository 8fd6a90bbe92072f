"""The fixtures of the end-to-end tests.

Each pytest process has one server, one proxy in front of it and one worker; each test has a room of its own.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from livekit import api

from tests.e2e import servers
from tests.e2e.caller import Caller
from tests.e2e.proxy import Proxy
from tests.e2e.redis import redis_server
from tests.e2e.server import LiveKitServer, ServerView, livekit_server
from tests.e2e.servers import telephony
from tests.e2e.worker import AgentJob, Worker, worker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def ports() -> int:
    """The first of ten ports of this pytest process: those that run side by side share the namespace."""
    return 7880 + 10 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def redis(folder: Path, ports: int) -> Iterator[int | None]:
    """The port of the redis in which the server meets a SIP bridge; None where a real one is not at hand."""
    try:
        program = telephony.programs().redis
    except servers.Missing:
        yield None
        return
    with redis_server(program, folder, port=ports + 9) as running:
        yield running.port


@pytest.fixture(scope="session")
def server(folder: Path, ports: int, redis: int | None) -> Iterator[LiveKitServer]:
    with livekit_server(servers.livekit_server(build=False), folder, ports_from=ports, redis=redis) as running:
        yield running


@pytest.fixture(scope="session")
def _proxy(server: LiveKitServer, ports: int) -> Iterator[Proxy]:
    proxy = Proxy(ports + 3, server.http)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def proxy(_proxy: Proxy) -> Proxy:
    """What agents take for the server. Its faults are set with `proxy.answering` and end with it."""
    return _proxy


@pytest.fixture(scope="session")
def shared_worker(_proxy: Proxy, folder: Path) -> Iterator[Worker]:
    with worker(_proxy.url, folder, name="callflow-e2e") as running:
        yield running


@define
class Line:
    """A room, who is on it, and the server's view of it."""

    room: str
    server: LiveKitServer
    lk: api.LiveKitAPI
    view: ServerView
    folder: Path
    _stack: AsyncExitStack
    _worker: Callable[[], Worker]  # starts the shared worker when it is first needed
    jobs: list[AgentJob] = field(factory=list)
    _orders: Iterator[int] = field(factory=itertools.count)

    async def caller(self, identity: str = "caller", *, microphone: bool = True) -> Caller:
        """Somebody joins the room, and leaves it at the end of the test."""
        caller = await Caller.join(
            self.server.url, self.server.token(self.room, identity), identity, microphone=microphone
        )
        self._stack.push_async_callback(caller.leave)
        return caller

    async def agent(self, scenario: str, *, by: Worker | None = None, **arguments: Any) -> AgentJob:
        """Sends the room an agent that plays `scenario` (`module:function` in `tests.e2e.scenarios`)."""
        notes = self.folder / f"notes-{next(self._orders)}.jsonl"
        job = await (by or self._worker()).dispatch(self.lk, self.room, notes, scenario, **arguments)
        self.jobs.append(job)
        return job


@pytest.fixture
async def line(request: pytest.FixtureRequest, server: LiveKitServer, tmp_path: Path) -> AsyncIterator[Line]:
    """A room of this test's own. Nobody who was on it is left behind."""
    async with AsyncExitStack() as stack:
        lk = await stack.enter_async_context(server.api())
        room = f"{request.node.name[:40]}-{os.getpid()}-{next(_numbers)}"
        line = Line(room, server, lk, ServerView(lk), tmp_path, stack, lambda: request.getfixturevalue("shared_worker"))
        yield line
        for job in line.jobs:
            job.kill()
            print(f"{job.path.name}: {job.path.read_text() if job.path.exists() else 'the job did not start'}")  # noqa: T201
            print(f"the log of {job.worker.name}:\n{job.worker.said_of(room)}")  # noqa: T201 - pytest shows it for a failed test
        try:
            await lk.room.delete_room(api.DeleteRoomRequest(room=room))
        except api.ServerError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise
