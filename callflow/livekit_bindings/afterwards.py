"""What is still to be done for a line when its call is over, and a client of LiveKit's API that lasts until then.

Who came back to a room that was deleted is looked for, and a line that stands is tried on: by the worker, where it guards
the call; else by the job's own process, which stays for that.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

import aiohttp
from livekit import api
from livekit.agents import JobContext

from callflow.livekit_bindings import lease, livekit_internals
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.returning import Lookout, see_to
from callflow.livekit_bindings.surroundings import OfACall
from callflow.runtime.ending import record_path

SECONDS = 90.0
SECONDS_IN_HASTE = 5.0
"""For which a job's process looks, at most; the second where its worker closes."""


class Given(OfACall, Protocol):
    """What is seen to when the call is over."""

    @property
    def ctx(self) -> JobContext: ...

    @property
    def removal(self) -> Removal: ...


class Afterwards:
    """Of one call."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._api: api.LiveKitAPI | None = None
        self._http: aiohttp.ClientSession | None = None  # of `_api`
        self._looking: asyncio.Task[None] | None = None

    @property
    def api(self) -> api.LiveKitAPI:
        """LiveKit closes the HTTP session of `ctx.api` while a call may still have to drop its line."""
        if self._api is None:
            self._api, self._http = livekit_internals.own_api(self._world.ctx)
        return self._api

    def begin(self, held: Path | None) -> None:
        """The record is written. `held`: the call's lease, None where nobody guards it."""
        world = self._world
        lookout = world.removal.handed_on()
        if lookout is None:
            lease.give_back(held)
        elif held is not None:
            lease.leave_to_guard(held, lookout, record_path(world.call))
        else:
            seconds = SECONDS_IN_HASTE if world.call.hurried else SECONDS
            work = self._see_to(lookout, record_path(world.call), seconds)
            self._looking = world.call.loop.create_task(work, name="callflow afterwards")
            world.ctx.add_shutdown_callback(self._over)

    async def close(self) -> None:
        """Nothing of the call runs any more, but for this."""
        if self._looking is None and self._http is not None:
            await self._http.close()
            self._api = self._http = None

    async def _see_to(self, lookout: Lookout, record: Path | None, seconds: float) -> None:
        try:
            await see_to(lookout, record, seconds)
        finally:
            self._looking = None
            await self.close()

    async def _over(self) -> None:
        if self._looking is not None:
            await asyncio.wait({self._looking})
