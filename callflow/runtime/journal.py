"""A call's journal: its lines are made and written by a thread of their own. A step costs its call the append to a list."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, Any

from callflow.core.snapshot import Step
from callflow.runtime.lines import Lines, as_json

BACKLOG = 10_000
"""Steps that may wait to be written; a disk that is slower than that is given up."""

PAUSE = 0.005
"""Seconds after a write in which no other begins, unless MANY steps wait: what comes in a burst is written together."""

MANY = 256


class Journal:
    """Writes one call's journal. It never raises: `problem` is the sentence that says why it is not whole. A process that is
    killed loses what came within PAUSE at most, or since its loop was last free for that."""

    __slots__ = ("_again", "_began", "_file", "_lines", "_pending", "_writing", "path", "problem")

    def __init__(self, path: Path, lines: Lines, head: Mapping[str, Any]) -> None:
        self.path = path
        self.problem: str | None = None
        self._lines = lines
        self._pending: list[Step | Mapping[str, Any]] = [head]
        self._file: IO[str] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._again: asyncio.TimerHandle | None = None  # when the pause is over
        self._began = -PAUSE  # the last write, on the loop's clock

    @property
    def file(self) -> Path | None:
        """Where it is written; None where no file could be made."""
        return None if self.problem is not None and self._file is None else self.path

    def add(self, step: Step) -> None:
        """Take note of a step. Costs an append."""
        if self.problem is None:
            self._pending.append(step)
            if len(self._pending) > BACKLOG:
                self._fail("the disk did not keep up")

    def flush(self) -> None:
        """Let what is noted be written: now, or when the pause is over; if the writer is at it, this follows when it is done."""
        if self._writing is not None or not self._pending:
            return
        if len(self._pending) >= MANY:
            self._write_on()
        elif self._again is None:
            loop = asyncio.get_running_loop()
            when = self._began + PAUSE
            if when <= loop.time():
                self._write_on()
            else:
                self._again = loop.call_at(when, self._write_on)

    async def written(self, seconds: float) -> None:
        """Until all that is noted is written, at most so long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (self._writing is not None or self._pending) and (left := deadline - loop.time()) > 0:
            self._write_on()
            if self._writing is not None:
                await asyncio.wait([self._writing], timeout=left)
                await asyncio.sleep(0)  # its callback says what became of it

    async def close(self, seconds: float) -> None:
        """Write the rest and close the file. What takes longer than `seconds` is given up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        await self.written(seconds)
        if self._writing is None and self._file is not None:
            self._run(None)
            await self.written(deadline - loop.time())
        if self._writing is not None:
            self._fail(f"the disk took longer than {seconds:g} s")

    def _write_on(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._writing is None and self._pending:
            batch, self._pending = self._pending, []
            self._began = asyncio.get_running_loop().time()
            self._run(batch)

    def _run(self, batch: list[Step | Mapping[str, Any]] | None) -> None:
        try:
            self._writing = aside(self._write, batch)
        except RuntimeError as error:  # the interpreter is going down
            self._fail(str(error))
        else:
            self._writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        error = None if writing.cancelled() else writing.exception()
        if error is not None:
            self._fail(getattr(error, "strerror", None) or f"{type(error).__name__}: {error}")
        self.flush()

    def _fail(self, why: str) -> None:
        if self.problem is None:
            self.problem = f"the journal {self.path} is not whole: {why}"
        self._pending = []

    def _write(self, batch: list[Step | Mapping[str, Any]] | None) -> None:
        """In the writer's thread. None: the file is closed."""
        if batch is None:
            if self._file is not None:
                self._close_file(self._file)
            return
        if self._file is None:
            self._file = self._open()
        self._file.write("".join(as_json(self._lines.line(one)) for one in batch))
        self._file.flush()

    def _close_file(self, file: IO[str]) -> None:
        removed = os.fstat(file.fileno()).st_nlink == 0
        file.close()
        if removed:
            self._file = None
            raise FileNotFoundError(errno.ENOENT, "it was removed while it was written")

    def _open(self) -> IO[str]:
        """A file of its own, for its owner alone: a call that has the id of an older one does not write into its file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        first = self.path
        for number in count(2):
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            except FileExistsError:
                self.path = first.with_stem(f"{first.stem}-{number}")
            else:
                return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")  # noqa: PTH123 - a descriptor
        raise AssertionError  # numbers do not end


@cache
def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="callflow-journal")


def aside(function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
    """Run this in the thread that writes files."""
    return asyncio.get_running_loop().run_in_executor(_writer(), function, *arguments)
