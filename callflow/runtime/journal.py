"""A call's journal: JSON lines, the call first, then one line for each step.

The first line: `journal` (version), `call`, `flow`, `file`, `digest` (of the flow's text), `time`, `vars`, `env`, `facts`
(what `call.<name>` reads from the start), `waiting`, `tells` (which verdicts its lines hold). A step's line, with what it does not have left out:

- `seq` counts from 0, the call's start. `time` is in seconds since the epoch.
- `event`, with `data`, `effect`, `state`, `id`, `offered_in`; or `ended` (an effect's id), with `verb`, `status`, `seconds`, `result`,
  `error`; or `timer` (its generation).
- `moves`: `on` (what triggered it), `rows` (`file:line` of the transitions taken), `ids` (their numbers in the flow),
  `exited`, `entered`.
- `guards`: every verdict in its order, `[transition, true or false]`.
- `broke`: which attempts at an expression failed, counted within the step from 1, `[attempt, error]`.
- `start`, `cancel` and `forward`: the effects started, with `arguments`, `timeout`, `tries`, `at` (`file:line`); those cancelled;
  those that the line's event was forwarded to.
- `notes`: what else the step did. `states`: the active states afterwards. `phase`, where the call is not just running.

Private values are digests (`callflow.runtime.redact`). Lines are made and written by a thread of their own: a step costs
its call the append to a list. `callflow.runtime.replay` reads them back.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, Any

from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.flow import Flow
from callflow.core.privacy import PRIVATE_OF_CALL
from callflow.core.snapshot import Cancel, Forward, Start, Step
from callflow.core.statechart.lists import place_at
from callflow.runtime.redact import Redactor

VERSION = 2
VERSIONS = (1, VERSION)
"""Those that are read. 2: `forward`, `given_up`. What version 1 does not tell was decided beside the step, and is not compared when such a journal is replayed."""

BACKLOG = 10_000
"""Steps that may wait to be written; a disk that is slower than that is given up."""


class Journal:
    """Writes one call's journal. It never raises: `problem` is the sentence that says why it is not whole."""

    __slots__ = ("_file", "_lines", "_pending", "_writing", "path", "problem")

    def __init__(self, path: Path, lines: Lines, head: Mapping[str, Any]) -> None:
        self.path = path
        self.problem: str | None = None
        self._lines = lines
        self._pending: list[Step | Mapping[str, Any]] = [head]
        self._file: IO[str] | None = None
        self._writing: asyncio.Future[None] | None = None

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
        """Let what is noted be written; if the writer is at it, this follows when it is done."""
        if self._writing is None and self._pending:
            batch, self._pending = self._pending, []
            self._run(batch)

    async def close(self, seconds: float) -> None:
        """Write the rest and close the file. What takes longer than `seconds` is given up."""
        deadline = asyncio.get_running_loop().time() + seconds
        self.flush()
        await self._idle(deadline)
        if self._writing is None and self._file is not None:
            self._run(None)
            await self._idle(deadline)
        if self._writing is not None:
            self._fail(f"the disk took longer than {seconds:g} s")

    async def _idle(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while self._writing is not None and (left := deadline - loop.time()) > 0:
            await asyncio.wait([self._writing], timeout=left)
            await asyncio.sleep(0)  # its callback writes what has come meanwhile

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


def as_json(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"


class Lines:
    """Makes the lines of one call's journal, in order."""

    __slots__ = ("_effects", "_flow", "_redactor", "_seq")

    def __init__(self, flow: Flow, redactor: Redactor) -> None:
        self._flow = flow
        self._redactor = redactor
        self._seq = 0
        self._effects: dict[int, tuple[Start, float]] = {}  # started and not ended, with the time

    def line(self, one: Step | Mapping[str, Any]) -> dict[str, Any]:
        """The line of a step, or the first line from what the call was started with."""
        return self._step(one) if isinstance(one, Step) else self._head(one)

    def _head(self, head: Mapping[str, Any]) -> dict[str, Any]:
        hide = self._redactor
        hide.room(head["facts"])
        return {
            "journal": VERSION,
            "call": head["call"],
            "flow": self._flow.name,
            "file": self._flow.file,
            "digest": self._flow.digest,
            "time": head["time"],
            "vars": hide.variables(head["vars"]),
            "env": hide.hide(head["env"]),
            "facts": hide.fields(head["facts"], PRIVATE_OF_CALL),
            "waiting": head["waiting"],
            "tells": ["guards", "broke"],
        }

    def _step(self, step: Step) -> dict[str, Any]:
        hide = self._redactor
        hide.see(step.snapshot)
        time, entry = self._input(step)
        line: dict[str, Any] = {"seq": self._seq, "time": time, **entry}
        self._seq += 1
        starts = [self._start(one, time) for one in step.effects if isinstance(one, Start)]
        notes = []
        for note in step.notes:
            if note.kind == "emitted":
                event = Event(str(note.data["event"]), note.data.get("data") or {})
                notes.append({"kind": "emitted", "event": event.name, "data": hide.event(event)})
            elif note.kind not in ("guard", "broke"):
                notes.append({"kind": note.kind, **hide.note(note.kind, note.data)})
        rest: dict[str, Any] = {
            "moves": [self._move(move.trigger, move.transitions, move.exited, move.entered) for move in step.moves],
            "guards": [[note.data["transition"], note.data["holds"]] for note in step.notes if note.kind == "guard"],
            "broke": [
                [note.data["attempt"], hide.text(str(note.data["error"]))]
                for note in step.notes
                if note.kind == "broke"
            ],
            "start": starts,
            "cancel": [one.id for one in step.effects if isinstance(one, Cancel)],
            "forward": [one.id for one in step.effects if isinstance(one, Forward)],
            "notes": notes,
        }
        line.update((name, value) for name, value in rest.items() if value)
        line["states"] = list(step.snapshot.configuration)
        if step.snapshot.memory.phase != "running":
            line["phase"] = step.snapshot.memory.phase
        return line

    def _input(self, step: Step) -> tuple[float, dict[str, Any]]:
        hide, entry = self._redactor, step.event
        if entry is None:
            return step.snapshot.memory.started, {}
        if isinstance(entry, TimerFired):
            return entry.time, {"timer": entry.generation}
        if isinstance(entry, EffectEnded):
            start, began = self._effects.pop(entry.id, (None, entry.time))
            line: dict[str, Any] = {"ended": entry.id, "verb": None if start is None else start.verb}
            line |= {"status": entry.status, "seconds": round(entry.time - began, 6)}
            hide.overhear(entry.error)
            line |= {"result": hide.result(start, entry.result)} if entry.result else {}
            line |= {"error": hide.text(entry.error)} if entry.error is not None else {}
            return entry.time, line
        line = {"event": hide.name(entry.name)}
        line |= {"data": hide.event(entry)} if entry.data else {}
        line |= {name: value for name in ("effect", "state", "id") if (value := getattr(entry, name)) is not None}
        line |= {} if entry.offered_in is None else {"offered_in": list(entry.offered_in)}
        return entry.time, line

    def _start(self, effect: Start, time: float) -> dict[str, Any]:
        self._effects[effect.id] = (effect, time)
        line = {"id": effect.id, "verb": effect.verb, "arguments": self._redactor.arguments(effect)}
        line |= {"timeout": effect.timeout, "tries": effect.tries}
        at = place_at(self._flow, effect.source)
        return line | {"at": at} if at else line

    def _move(
        self, trigger: str, transitions: tuple[int, ...], exited: tuple[str, ...], entered: tuple[str, ...]
    ) -> dict[str, Any]:
        places = [
            self._flow.transitions[one].position if 0 <= one < len(self._flow.transitions) else None
            for one in transitions
        ]
        move: dict[str, Any] = {"on": self._redactor.name(trigger)}
        if transitions:
            move["rows"] = ["" if place is None else f"{place.file}:{place.line}" for place in places]
            move["ids"] = list(transitions)
        if exited:
            move["exited"] = list(exited)
        if entered:
            move["entered"] = list(entered)
        return move
