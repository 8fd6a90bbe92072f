"""start_recording, stop_recording: LiveKit egress of the call's room, which somebody has to end.

Egress is a service of its own, beside the LiveKit server, and writes where it is set up to. A recording is the call's:
what is not stopped by the flow is stopped when the call is over, also where the room stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

import aiohttp
from livekit import api

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.retries import retried
from callflow.livekit_bindings.surroundings import OnTheLine

logger = logging.getLogger("callflow")

LAST = 5.0
"""Seconds that the end of a call waits for its recordings to be stopped."""

PAUSES = (0.3, 1.0)
"""Seconds between the tries at that."""

TYPES = {".mp4": api.EncodedFileType.MP4, ".ogg": api.EncodedFileType.OGG, ".mp3": api.EncodedFileType.MP3}
"""Of a recording, by its file's name; the service chooses for any other."""

BROKEN = ("EGRESS_FAILED", "EGRESS_ABORTED", "EGRESS_LIMIT_REACHED")


class Given(OnTheLine, Protocol):
    """What recordings are given of their call."""

    @property
    def removal(self) -> Removal: ...


class Recorded(OnTheLine, Protocol):
    """What these verbs are given."""

    @property
    def recordings(self) -> Recordings: ...


async def start_recording(world: Recorded, effect: Start) -> Mapping[str, Any]:
    """Begins to record the room: its sound, and with a `layout` its picture. Raises EffectError where no egress service
    runs, or it refuses."""
    await world.connected()
    if not world.has_room:
        raise EffectError("there is no room to record")
    return {"egress_id": await world.recordings.start(effect.arguments)}


async def stop_recording(world: Recorded, _effect: Start) -> Mapping[str, Any]:
    """Ends every recording of this call; one that has ended by itself is fine. Raises EffectError when one runs on."""
    await world.recordings.stop()
    return {}


class Recordings:
    """Those of one call that may still run."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._running: list[str] = []
        self._starting: set[asyncio.Task[str]] = set()

    async def start(self, arguments: Mapping[str, Any]) -> str:
        """Its egress id. A start that is cancelled is not undone by that: what it has begun is stopped."""
        starting = asyncio.ensure_future(self._start(_request(self._world.room_name, arguments)))
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._world.removal.own(self._undo(starting), "callflow undo start_recording")
            raise

    async def stop(self) -> None:
        """Stops them all, at once."""
        ended = await asyncio.gather(*(self._stop(one) for one in self._running), return_exceptions=True)
        failures = [error for error in ended if isinstance(error, BaseException)]
        if failures:
            raise failures[0]

    async def close(self) -> tuple[str, ...]:
        """The call is over. Never raises; what the record should say of a recording that may run on."""
        if self._starting:
            await asyncio.wait(self._starting, timeout=LAST)
        try:
            async with asyncio.timeout(LAST):
                await self._stop_for_good()
        except Exception as error:
            logger.exception("a recording may run on", extra={"recordings": list(self._running)})
            which = ", ".join(self._running) or "one that was being started"
            return (f"a recording may run on ({which}): {str(error) or 'LiveKit did not answer in time'}",)
        return ()

    async def _stop_for_good(self) -> None:
        """Tries again where LiveKit does not do it at once: nobody else will."""
        await retried(self.stop, PAUSES, on=(EffectError, OSError, aiohttp.ClientError))

    async def _start(self, request: api.RoomCompositeEgressRequest) -> str:
        try:
            egress = livekit_internals.without_failover(self._world.ctx.api, "egress")
            info: api.EgressInfo = await egress.start_room_composite_egress(request)
        except api.ServerError as error:
            raise EffectError(_refusal(error)) from None
        self._running.append(info.egress_id)
        return info.egress_id

    async def _stop(self, egress_id: str) -> None:
        try:
            await self._world.ctx.api.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id))
        except api.ServerError as error:
            if error.code not in (api.TwirpErrorCode.NOT_FOUND, api.TwirpErrorCode.FAILED_PRECONDITION):
                raise EffectError(f"the recording runs on: {error.message} ({error.code})") from None
            if any(status in error.message for status in BROKEN):
                self._world.note(f"a recording came to nothing: {error.message}")
        if egress_id in self._running:
            self._running.remove(egress_id)

    async def _undo(self, starting: asyncio.Task[str]) -> None:
        await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            try:
                await self._stop(starting.result())
            except Exception as error:  # noqa: BLE001 - the end of the call tries again
                logger.warning("a recording is not stopped yet", extra={"error": str(error)})


def _request(room: str, arguments: Mapping[str, Any]) -> api.RoomCompositeEgressRequest:
    file, layout = str(arguments["file"]), arguments.get("layout")
    kind = TYPES.get(PurePosixPath(file).suffix.lower(), api.EncodedFileType.DEFAULT_FILETYPE)
    output = api.EncodedFileOutput(filepath=file, file_type=kind)
    return api.RoomCompositeEgressRequest(
        room_name=room, layout=str(layout or ""), audio_only=not layout, file_outputs=[output]
    )


def _refusal(error: api.ServerError) -> str:
    if "egress not connected" in error.message:
        return "there is no egress service: LiveKit records only with one, and with redis between them"
    if error.code == api.TwirpErrorCode.UNAVAILABLE:
        return f"no egress service takes the recording: {error.message}"
    return f"the recording could not be started: {error.message} ({error.code})"
