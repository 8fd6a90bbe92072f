"""Calls whose job's process was killed, or could not drop their line: their worker sees to it.

LiveKit does not: nobody picks the call up, and the caller stays alone in the room, in silence.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import logging
import math
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from livekit import api
from livekit.agents import AgentServer

from callflow.livekit_bindings import lease
from callflow.livekit_bindings.lease import Lease
from callflow.runtime.ending import file_name
from callflow.runtime.record import CallRecord, Cause, save

logger = logging.getLogger("callflow")

LOOK_SECONDS = 1.0
"""Between two comparisons of the worker's jobs with the leases of their calls."""

TRIES = 10
TRY_SECONDS = 5.0
PAUSE_SECONDS = 3.0
"""To drop a line: tries, what each may take, and the longest pause between two."""

STANDING_SECONDS = 600.0
STANDING_PAUSE = 15.0
"""For the line of a call that could not drop it: how long its worker tries on, and the longest pause between two tries."""

LAST_SECONDS = 10.0
"""For the calls whose processes were killed because the worker itself closes."""

KILLED = "the job's process has died"


def guard(server: AgentServer) -> None:
    """Lets the server notice calls whose job's process was killed: once a second it compares its jobs with the calls that
    its jobs' processes hold. For a call whose process is gone it deletes the room, and writes the record as `failed`
    into the call's `journal` folder. For a call that has ended and could not drop its line it tries on, for ten minutes,
    and adds to the record what came of it.

    One line beside the server, before it runs. `callflow run` has it already. Said twice, it counts once.
    """
    if not isinstance(vars(server).get("run"), _Run):
        watch = _Watch(server)
        server.run = _Run(server.run, watch)  # type: ignore[method-assign]
        server.aclose = _Close(server.aclose, watch)  # type: ignore[method-assign]


class _Watch:
    """Of one server, while it runs."""

    def __init__(self, server: AgentServer) -> None:
        self._server = server
        self._folder: Path | None = None
        self._looking: asyncio.Task[None] | None = None
        self._ending: dict[Path, asyncio.Task[None]] = {}

    def begin(self) -> None:
        """Before the first job's process is made, since those take their environment from here."""
        self._folder = Path(tempfile.mkdtemp(prefix="callflow-leases-"))
        os.environ[lease.FOLDER] = str(self._folder)
        self._looking = asyncio.create_task(self._look_on(), name="callflow guard")

    def end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self._folder is not None:
            if os.environ.get(lease.FOLDER) == str(self._folder):
                del os.environ[lease.FOLDER]
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    async def last_look(self) -> None:
        """The server has closed, and has killed what did not end in time."""
        if self._folder is not None:
            self._look(self._folder)
        if self._ending:
            await asyncio.wait(self._ending.values(), timeout=LAST_SECONDS)

    async def _look_on(self) -> None:
        while self._folder is not None:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self._look(self._folder)
            except Exception:
                logger.exception("the guard could not look after its calls")

    def _look(self, folder: Path) -> None:
        running = {info.job.id for info in self._server.active_jobs}
        for path, held in lease.leases(folder).items():
            if path in self._ending:
                continue
            if held.stands or (held.job not in running and held.holder_is_gone()):
                work = _try_on(path, held) if held.stands else _end(path, held)
                task = self._ending[path] = asyncio.create_task(work, name=f"callflow guard of {held.call}")
                task.add_done_callback(functools.partial(self._ended, path))

    def _ended(self, path: Path, _: asyncio.Task[None]) -> None:
        del self._ending[path]


async def _end(path: Path, held: Lease) -> None:
    """What its process would have done: the line first, then the record."""
    logger.error(KILLED, extra={**held.log_fields, "room": held.room, "pid": held.pid})
    noticed = time.time()
    failure = await _drop(held.room, tries=TRIES)
    if failure is not None:
        logger.error(
            "the line of a dead job could not be dropped",
            extra={**held.log_fields, "room": held.room, "error": failure},
        )
    if held.records is not None:
        try:
            await asyncio.to_thread(_write, held, noticed, failure)
        except Exception:
            logger.exception("the record of a dead job could not be written", extra=held.log_fields)
    lease.give_back(path)


async def _try_on(path: Path, held: Lease) -> None:
    """The call is over, has its record, and could not drop its line."""
    logger.error("a line stands after its call", extra={**held.log_fields, "room": held.room})
    began = time.time()
    failure = await _drop(held.room, seconds=STANDING_SECONDS, pause=STANDING_PAUSE)
    if failure is not None:
        logger.error(
            "a line that stands after its call could not be dropped",
            extra={**held.log_fields, "room": held.room, "error": failure},
        )
    if held.records is not None:
        try:
            await asyncio.to_thread(_amend, held, time.time(), time.time() - began, failure)
        except Exception:
            logger.exception("a record could not be amended", extra=held.log_fields)
    lease.give_back(path)


def _amend(held: Lease, now: float, tried: float, failure: str | None) -> None:
    """What became of the line after the call, in the record that the call has written."""
    path = Path(cast(str, held.records)) / f"{file_name(held.call)}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    if failure is None:
        record["line_dropped"] = now
        note = f"the worker dropped the line {now - record['ended']:.1f} s after the call"
    else:
        note = f"the worker could not drop the line either, in {tried:.0f} s: {failure}"
    record["notes"] = [*record["notes"], note]
    save(path, json.dumps(record, ensure_ascii=False, indent=2) + "\n")


async def _drop(
    room: str, *, tries: int | None = None, seconds: float = math.inf, pause: float | None = None
) -> str | None:
    """Deletes the room, in so many tries or seconds; one that is gone is done. What went wrong, when the line still
    stands."""
    clock = asyncio.get_running_loop().time
    failure, until = "unknown", clock() + seconds
    for attempt in itertools.count():
        if attempt == tries or clock() >= until:
            break
        if attempt:
            await asyncio.sleep(min(0.2 * 2 ** min(attempt, 10), PAUSE_SECONDS if pause is None else pause))
        try:
            async with api.LiveKitAPI() as lk:
                await asyncio.wait_for(lk.room.delete_room(api.DeleteRoomRequest(room=room)), TRY_SECONDS)
            return None
        except api.TwirpError as error:
            if error.code == api.TwirpErrorCode.NOT_FOUND or error.status == 404:
                return None
            failure = f"{error.message} ({error.code})"
        except Exception as error:  # noqa: BLE001 - the network's, a time-out: the next try is the answer
            failure = str(error) or type(error).__name__
    return failure


def _write(held: Lease, noticed: float, failure: str | None) -> None:
    """The record beside the journal, unless the process has written it before it died."""
    folder = Path(cast(str, held.records))
    path, journal = (folder / f"{file_name(held.call)}{end}" for end in (".json", ".jsonl"))
    if path.exists():
        return
    now = time.time()
    record = CallRecord(
        call=held.call,
        flow=held.flow,
        file=held.file,
        outcome="failed",
        cause=Cause("job.killed", "system", noticed, _state(journal), {"pid": held.pid}),
        started=held.started,
        ended=now,
        line_dropped=now if failure is None else None,
        digest=held.digest,
        room=held.room,
        room_sid=held.room_sid,
        job=held.job,
        worker_id=held.worker_id,
        dispatch_id=held.dispatch_id,
        agent_name=held.agent_name,
        error=KILLED,
        forced=("line",),
        notes=() if failure is None else (f"the line could not be dropped: {failure}",),
        journal=str(journal) if journal.exists() else None,
    )
    save(path, json.dumps(record.to_json(), ensure_ascii=False, indent=2, default=str) + "\n")


def _state(journal: Path) -> str:
    """The innermost state of the last step that reached the disk."""
    try:
        lines = journal.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            states = json.loads(line).get("states")
        except ValueError:  # cut short by the crash
            continue
        if states:
            return str(states[-1])
    return ""


class _Run:
    """`server.run`, guarded."""

    def __init__(self, run: Any, watch: _Watch) -> None:
        self._run, self._watch = run, watch

    async def __call__(self, *arguments: Any, **options: Any) -> None:
        self._watch.begin()
        try:
            await self._run(*arguments, **options)
        finally:
            self._watch.end()


class _Close:
    """`server.aclose`, with a last look at those whom it has killed."""

    def __init__(self, aclose: Any, watch: _Watch) -> None:
        self._aclose, self._watch = aclose, watch

    async def __call__(self) -> None:
        await self._aclose()
        await self._watch.last_look()
