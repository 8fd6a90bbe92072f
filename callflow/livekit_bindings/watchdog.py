"""Calls whose job's process was killed, or could not drop their line: their worker sees to it.

LiveKit does not: nobody picks the call up, and the caller stays alone in the room, in silence.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from livekit import api
from livekit.agents import AgentServer

from callflow.livekit_bindings import lease
from callflow.livekit_bindings.hooks import run_hooks
from callflow.livekit_bindings.lease import Lease
from callflow.livekit_bindings.retries import backoff, between, reason_of, retried
from callflow.livekit_bindings.returning import Lookout, Party, delete_room, participants, see_to
from callflow.runtime.ending import file_name
from callflow.runtime.record import CallRecord, Cause, save

logger = logging.getLogger("callflow")

LOOK_SECONDS = 1.0
"""Between two comparisons of the worker's jobs with the leases of their calls."""

TRIES = 10
TRY_SECONDS = 5.0
BACKOFF = 0.2
PAUSE_SECONDS = 3.0
"""To drop a line: tries, what each may take, the first pause between two, and the longest."""

STANDING_SECONDS = 600.0
"""For the line of a call that may stand: how long its worker sees to it, at most."""

LAST_SECONDS = 10.0
"""For the calls whose processes were killed because the worker itself closes."""

KILLED = "the job's process has died"


def guard(server: AgentServer, *, on_line_stands: Callable[..., Any] | None = None) -> None:
    """Lets the server notice calls whose job's process was killed: once a second it compares its jobs with the calls that
    its jobs' processes hold. For a call whose process is gone it deletes the room, and writes the record as `failed`
    into the call's `journal` folder; a telephone of its that comes back is dropped again, and a room that LiveKit does not
    find is looked for. For a call that has ended and could not drop its line it tries on, for ten minutes; for one that has
    dropped it while somebody was out of reach it looks for 30 s whether they come back, and drops it again. It adds to the
    record what came of that.

    `on_line_stands` is an alarm, called where it gives up, and the line may stand: with the record as in its file, or with
    as much of it as there is (`call`, `room`, `line`, `notes`), or with nothing if it takes nothing.

    One line beside the server, before it runs. `callflow run` has it already. Said twice, it counts once; alarms add up.
    """
    run = vars(server).get("run")
    watch = run.watch if isinstance(run, _Run) else _Watch(server)
    if on_line_stands is not None:
        watch.alarms.append(on_line_stands)
    if not isinstance(run, _Run):
        server.run = _Run(server.run, watch)  # type: ignore[method-assign]
        server.aclose = _Close(server.aclose, watch)  # type: ignore[method-assign]


def is_busy(server: AgentServer) -> bool:
    """Whether its guard sees to a call that is over."""
    run = vars(server).get("run")
    return isinstance(run, _Run) and run.watch.is_busy


class _Watch:
    """Of one server, while it runs."""

    def __init__(self, server: AgentServer) -> None:
        self.alarms: list[Callable[..., Any]] = []
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

    @property
    def is_busy(self) -> bool:
        """Also with what it has not seen yet."""
        return bool(self._ending or (self._folder is not None and lease.leases(self._folder)))

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
            if held.is_left or (held.job not in running and held.holder_is_gone()):
                work = _try_on(path, held, self.alarms) if held.is_left else _end(path, held, self.alarms)
                task = self._ending[path] = asyncio.create_task(work, name=f"callflow guard of {held.call}")
                task.add_done_callback(functools.partial(self._ended, path))

    def _ended(self, path: Path, _: asyncio.Task[None]) -> None:
        del self._ending[path]


async def _end(path: Path, held: Lease, alarms: Sequence[Callable[..., Any]] = ()) -> None:
    """What its process would have done: the line first, then the record; then what it would have left to the guard."""
    logger.error(KILLED, extra={**held.log_fields, "pid": held.pid})
    noticed = time.time()
    telephones = await _telephones(held.room)
    found, failure = await _drop(held.room, tries=TRIES)
    if failure is not None:
        logger.error(
            "the line of a dead job could not be dropped so far",
            extra={**held.log_fields, "error": failure},
        )
    record = None
    if held.records is not None:
        try:
            record = await asyncio.to_thread(_write, held, noticed, failure, found=found)
        except Exception:
            logger.exception("the record of a dead job could not be written", extra=held.log_fields)
    if telephones or not found:
        await _look_after(held, telephones, stands=failure is not None, record=record, alarms=alarms)
    lease.give_back(path)


async def _try_on(path: Path, held: Lease, alarms: Sequence[Callable[..., Any]] = ()) -> None:
    """The call is over, has its record, and its line may stand."""
    logger.warning("a line may stand after its call", extra=held.log_fields)
    parties = tuple(Party(**one) for one in held.left or ())
    record = None if held.record is None else Path(held.record)
    await _look_after(held, parties, stands=held.stands, record=record, alarms=alarms)
    lease.give_back(path)


async def _look_after(
    held: Lease, parties: Sequence[Party], *, stands: bool, record: Path | None, alarms: Sequence[Callable[..., Any]]
) -> None:
    """Drops a line that stands, and again the parties that come back to it; the alarm where that is of no use."""
    async with api.LiveKitAPI() as lk:
        known = await see_to(Lookout(lk, held.room, parties, stands=stands), record, STANDING_SECONDS)
    if known["line"] != "dropped":
        await run_hooks("on_line_stands", alarms, {"call": held.call, "flow": held.flow, **known})


async def _telephones(room: str) -> tuple[Party, ...]:
    """Those in the room of a job that has died, which may come back to it; none where the server does not say."""
    try:
        async with api.LiveKitAPI() as lk, asyncio.timeout(TRY_SECONDS):
            there = await participants(lk, room)
    except Exception:  # noqa: BLE001 - what it is, the deletion that comes next will tell
        return ()
    kind = api.ParticipantInfo.Kind.SIP
    return tuple(
        Party(one.identity, "a telephone", one.attributes.get("sip.callID", "")) for one in there if one.kind == kind
    )


async def _drop(room: str, *, tries: int) -> tuple[bool, str | None]:
    """Deletes the room, in so many tries; one that is gone is done. Whether LiveKit has found it, and what went wrong when
    the line still stands."""

    async def delete() -> bool:
        async with api.LiveKitAPI() as lk:
            return await delete_room(lk, room)

    try:
        return await retried(delete, between(tries, backoff(BACKOFF, PAUSE_SECONDS)), limit=TRY_SECONDS), None
    except Exception as error:  # noqa: BLE001 - the API's, the network's, a time-out: it is told
        return False, reason_of(error)


def _write(held: Lease, noticed: float, failure: str | None, *, found: bool) -> Path | None:
    """The record beside the journal, unless the process has written it before it died."""
    folder = Path(cast(str, held.records))
    path, journal = (folder / f"{file_name(held.call)}{end}" for end in (".json", ".jsonl"))
    if path.exists():
        return None
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
        line="stands" if failure is not None else "dropped" if found else "unknown",
        room=held.shown,
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
    return path


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
        self._run, self.watch = run, watch

    async def __call__(self, *arguments: Any, **options: Any) -> None:
        self.watch.begin()
        try:
            await self._run(*arguments, **options)
        finally:
            self.watch.end()


class _Close:
    """`server.aclose`, with a last look at those whom it has killed."""

    def __init__(self, aclose: Any, watch: _Watch) -> None:
        self._aclose, self._watch = aclose, watch

    async def __call__(self) -> None:
        await self._aclose()
        await self._watch.last_look()
