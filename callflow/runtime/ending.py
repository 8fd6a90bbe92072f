"""The end of every call, however it comes: effects stopped, session and line closed, journal and record written.

Runs in a task that the call owns. Every part is bounded, survives the failure of the others and whoever cancels it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Protocol

import attrs

from callflow.core.actions import verb_of
from callflow.core.events import NO_DATA
from callflow.runtime.ended import Ended
from callflow.runtime.journal import Journal, aside
from callflow.runtime.record import CallRecord, save, without_payloads
from callflow.runtime.running_effect import sentence

logger = logging.getLogger("callflow")

STOP_SECONDS = 1.0
CLOSE_SECONDS = 10.0
DISK_SECONDS = 2.0
"""How long effects may take to stop, the world to close, the disk to take journal and record."""


class Filed(Protocol):
    """What is asked of a call to know where its record stands."""

    @property
    def id(self) -> str: ...

    @property
    def folder(self) -> Path | None: ...

    @property
    def journal(self) -> Journal | None: ...


class Written(Filed, Protocol):
    """What is asked of a call whose record stands on the disk, or will."""

    record: CallRecord | None


class Closed(Written, Ended, Protocol):
    """What is asked of a call that comes to its end."""

    @property
    def reason(self) -> str | None: ...

    @property
    def hurried(self) -> bool: ...

    def draft(self) -> CallRecord: ...


class Ending:
    """Brings one call to its end."""

    __slots__ = ("_call", "_haste", "_open", "_share", "_stopping")

    def __init__(self, call: Closed) -> None:
        self._call = call
        self._open = still_open(call)
        self._share = 1.0
        self._haste: asyncio.Future[None] = call.loop.create_future()
        if call.hurried:
            self.hurry()
        self._stopping = self._stop()  # at once: an effect that was only just started never begins to act

    def hurry(self) -> None:
        """The worker closes, now or while this runs. Its time is short: a quarter of it is left, for the three parts."""
        if not self._haste.done():
            self._share = min(1.0, self._call.worker_seconds / 80)
            self._haste.set_result(None)

    async def run(self) -> CallRecord:
        """The call's record. The job has been told to end by then."""
        call = self._call
        await self._part("stopping effects", self._stop_effects())
        await self._part("closing", self._close())
        await self._part("the journal", self._close_journal())
        record = call.draft()
        if (path := record_path(call)) is not None:
            try:
                record = await self._save(record, path)
            except Exception as error:
                logger.exception("a record could not be written", extra={"call": call.id})
                record = _noted(record, f"the record could not be written: {sentence(error)}")
        try:
            call.world.finish(call.reason or record.outcome)
        except Exception as error:
            logger.exception("the job could not be ended", extra={"call": call.id})
            record = _noted(record, f"finish: {sentence(error)}")
        return record

    async def _part(self, name: str, part: Any) -> None:
        try:
            await part
        except Exception as error:
            logger.exception("a part of a call's end has failed", extra={"call": self._call.id})
            self._call.note(f"{name}: {sentence(error)}")

    def _stop(self) -> list[asyncio.Task[Any]]:
        """Cancels everything that runs, and says what that is."""
        call = self._call
        effects, strays = [*call.effects], call.effects.strays
        for one in call.snapshot.memory.lists.values():
            if one.kind == "tool":
                call.log.came_late(f"the model called {one.key}: the call had to end before it was carried out")
        tasks = [effect.task for effect in effects if effect.task is not None] + list(strays)
        for effect in effects:
            effect.cancel()
        for task in strays:
            task.cancel()
        return tasks

    async def _stop_effects(self) -> None:
        call = self._call
        tasks = [
            *dict.fromkeys([*self._stopping, *call.effects.strays])
        ]  # also one that ended the call in its first step
        await self._within(STOP_SECONDS, tasks)
        for effect in list(call.effects.running.values()):
            call.effects.record(effect, "running", NO_DATA, None)
        for task in tasks:
            if not task.done():
                call.note(f"the task of {task.get_name().removeprefix('callflow ')} did not stop and was left behind")

    async def _close(self) -> None:
        call = self._call
        session, line = "session" in self._open or call.effects.open_failed, "line" in self._open
        if not (session or line):
            return
        call.log.force(self._open)
        what = " and ".join(sorted(self._open)) or "session"
        closing = await self._owned(lambda: call.world.close(session=session, line=line), CLOSE_SECONDS)
        if not closing.done():
            closing.cancel()
            await self._within(STOP_SECONDS, [closing])
            call.note(f"closing {what} took longer than {CLOSE_SECONDS * self._share:g} s")
        elif closing.cancelled():
            call.note(f"closing {what} was cancelled from outside")
        elif (error := closing.exception()) is not None:
            call.note(f"closing {what} failed: {sentence(error)}")
        elif line:
            call.log.dropped_line(call.now())

    async def _close_journal(self) -> None:
        journal = self._call.journal
        if journal is not None:
            await self._owned(lambda: journal.close(DISK_SECONDS * self._share), 2 * DISK_SECONDS)
            if journal.problem is not None:
                self._call.note(journal.problem)

    async def _save(self, record: CallRecord, path: Path) -> CallRecord:
        try:
            text = as_text(record)
        except Exception as unwritable:
            logger.exception("the record of a call is not whole", extra={"call": record.call})
            note = f"what cannot be written as JSON is missing here: {sentence(unwritable)}"
            record = _noted(without_payloads(record), note)
            text = as_text(record)
        saving = aside(save, path, text)
        await self._within(DISK_SECONDS, [saving])
        if not saving.done():
            seconds = DISK_SECONDS * self._share
            return _noted(record, f"the record {path} could not be written: the disk took longer than {seconds:g} s")
        error = None if saving.cancelled() else saving.exception()
        if error is None:
            return record
        why = getattr(error, "strerror", None) or sentence(error)
        return _noted(record, f"the record {path} could not be written: {why}")

    async def _owned(self, make: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> asyncio.Task[None]:
        """A task of our own, waited for that long; begun again if somebody cancels it, as who ends a loop does once."""
        for _ in range(2):
            task = self._call.loop.create_task(make(), name="callflow close")
            await self._within(seconds, [task])
            if not task.cancelled():
                break
        return task

    async def _within(self, seconds: float, waiting: Iterable[asyncio.Future[Any]]) -> None:
        """Wait for all of these, at most so long or our share of it, whoever cancels this task meanwhile."""
        loop = self._call.loop
        began = loop.time()
        pending = {one for one in waiting if not one.done()}
        while pending and (left := began + seconds * self._share - loop.time()) > 0:
            haste = set() if self._haste.done() else {self._haste}
            try:
                await asyncio.wait({*pending, *haste}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                logger.debug("the end of a call cannot be cancelled", extra={"call": self._call.id})
            pending = {one for one in pending if not one.done()}


async def amend(call: Written, sentence: str) -> None:
    """Something that was learned once the record was written: it is written anew. What the disk does not take stands in the
    log alone."""
    if call.record is None or sentence in call.record.notes:
        return
    call.record = _noted(call.record, sentence)
    path = record_path(call)
    if path is None:
        return
    saving = aside(save, path, as_text(call.record))
    await asyncio.wait({saving}, timeout=DISK_SECONDS)
    if not saving.done() or saving.cancelled() or saving.exception() is not None:
        logger.error("a record could not be amended: %s", sentence, extra={"call": call.id})


def still_open(call: Closed) -> frozenset[str]:
    """What the flow has neither closed nor left on purpose."""
    found = {"session", "line"} - call.snapshot.memory.closed
    for effect in call.effects.running.values():
        if verb_of(effect.start.verb).leaves(effect.start.arguments):
            found.discard("line")
    return frozenset(found)


def record_path(call: Filed) -> Path | None:
    """The record stands beside its journal, under the same name; None where none is written."""
    if call.folder is None:
        return None
    return (
        call.folder / f"{file_name(call.id)}.json" if call.journal is None else call.journal.path.with_suffix(".json")
    )


def file_name(call: str) -> str:
    """A call's id as a file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", call).lstrip(".")[:100] or "call"


def as_text(record: CallRecord) -> str:
    """A record as its file holds it."""
    return json.dumps(record.to_json(), ensure_ascii=False, indent=2, default=str) + "\n"


def _noted(record: CallRecord, sentence: str) -> CallRecord:
    return attrs.evolve(record, notes=(*record.notes, sentence))
