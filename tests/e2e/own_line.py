"""A server and a worker of one test's own, for what would disturb the others."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.e2e import servers
from tests.e2e.fixtures import Line
from tests.e2e.server import ServerView, livekit_server
from tests.e2e.worker import worker


@asynccontextmanager
async def own_line(
    folder: Path, ports: int, *, ice_lite: bool = False, prefix: tuple[str, ...] = ()
) -> AsyncIterator[Line]:
    """`prefix`: the worker runs there, and reaches the server from there."""
    program = servers.livekit_server(build=False)
    with livekit_server(program, folder, ports_from=ports + 5, ice_lite=ice_lite) as server:
        name = f"own-{os.getpid()}"
        with worker(server.far_url if prefix else server.url, folder, name=name, prefix=prefix) as mine:
            async with AsyncExitStack() as stack:
                lk = await stack.enter_async_context(server.api())
                line = Line(f"{folder.name}-{os.getpid()}", server, lk, ServerView(lk), folder, stack, lambda: mine)
                try:
                    yield line
                finally:
                    for job in line.jobs:
                        job.kill()
                        print(f"{job.path.name}: {job.path.read_text() if job.path.exists() else 'did not start'}")  # noqa: T201
                        print(f"the log of {mine.name}:\n{mine.said_of(line.room)}")  # noqa: T201 - pytest shows it
