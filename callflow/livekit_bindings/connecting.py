"""`callflow run FILE connect`: a server for one call, which ends with it.

LiveKit's own serves on when its call is over, and by a signal it is gone at once, while the line is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from livekit.agents import AgentServer

from callflow.livekit_bindings import watchdog

logger = logging.getLogger("callflow")

LOOK_SECONDS = 0.2
"""Between two looks whether the call is over."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def ends_with_its_call(server: AgentServer) -> None:
    """Said before the server runs. A signal ends the call, as a worker that closes does, and then the server."""
    tasks: set[asyncio.Task[None]] = set()
    server.once("worker_started", lambda: tasks.add(asyncio.create_task(_see_to(server), name="callflow connect")))


async def _see_to(server: AgentServer) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in SIGNALS:
        with contextlib.suppress(NotImplementedError):  # Windows: there a signal ends it at once
            loop.add_signal_handler(one, told.set)
    over = asyncio.create_task(_over(server))
    waits = asyncio.create_task(told.wait())
    await asyncio.wait({over, waits}, return_when=asyncio.FIRST_COMPLETED)
    logger.info("the call is told to end" if told.is_set() else "the call is over")
    for task in (over, waits):
        task.cancel()
    await server.aclose()


async def _over(server: AgentServer) -> None:
    """Until a call has begun and is over, and nobody is looked for any more."""
    begun = False
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if server.active_jobs:
            begun = True
        elif begun and not watchdog.is_busy(server):
            return
