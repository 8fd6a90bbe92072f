"""A telephone network whose servers all are one test's own: each of them may be killed, and started again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from attrs import frozen

from tests.e2e import servers
from tests.e2e.fixtures import Line
from tests.e2e.phone.livekit_sip import livekit_sip
from tests.e2e.phone.network_real import Real
from tests.e2e.redis import Redis, redis_server
from tests.e2e.server import LiveKitServer, ServerView, livekit_server
from tests.e2e.servers import telephony
from tests.e2e.worker import worker

FIRST_PORT = 5600
SIP = 5070


@frozen
class Servers:
    """`line` is on `server`, `network` behind the bridge that meets it in `redis`."""

    redis: Redis
    server: LiveKitServer
    network: Real
    line: Line


@asynccontextmanager
async def own_servers(folder: Path, ports: int, *, guarded: bool = True) -> AsyncIterator[Servers]:
    """Raises `Missing` where a program is not at hand."""
    found = telephony.programs()
    program = servers.livekit_server(build=False)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(redis_server(found.redis, folder, port=ports + 8))
        server = stack.enter_context(livekit_server(program, folder, ports_from=ports + 5, redis=redis.port))
        bridge = stack.enter_context(
            livekit_sip(found.bridge, folder, url=server.url, redis=redis.port, sip=SIP, rtp="14002-18000")
        )
        network = Real(found, server, folder, bridge, first_port=FIRST_PORT)
        stack.enter_context(network.up())
        mine = stack.enter_context(worker(server.url, folder, name="callflow-outage", guarded=guarded))
        lk = await stack.enter_async_context(server.api())
        line = Line(folder.name, server, lk, ServerView(lk), folder, stack, lambda: mine)
        try:
            yield Servers(redis, server, network, line)
        finally:
            for job in line.jobs:
                job.kill()
                print(f"{job.path.name}: {job.path.read_text() if job.path.exists() else 'did not start'}")  # noqa: T201
            print(f"the log of {mine.name}:\n{mine.said_of(line.room)}")  # noqa: T201 - pytest shows it
