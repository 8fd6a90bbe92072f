"""The lines of a journal: JSON, the call first, then one line for each step.

The first line: `journal` (version), `callflow` (the version that wrote it), `call`, `flow`, `language` (the version of the
language that the flow is written in), `file`, `digest` (of the texts of its files), `time`, `utc`, `vars`, `env`, `facts` (what
`call.<name>` reads from the start), `waiting`, `tells` (which verdicts its lines hold), `guards` (by the number of their row, with the
state that writes it and a digest of the guard). A step's line, with what it does not have left out:

- `seq` counts from 0, the call's start. `time` is in seconds since the epoch, `utc` the same by ISO 8601.
- `event`, with `data`, `effect`, `state`, `id`, `offered_in`; or `ended` (an effect's id), with `verb`, `status`, `seconds`, `result`,
  `error`; or `timer` (its generation).
- `moves`: `on` (what triggered it), `rows` (`file:line` of the transitions taken), `ids` (their numbers in the flow),
  `exited`, `entered`.
- `guards`: every verdict in its order, `[transition, true or false]`.
- `broke`: which attempts at an expression failed, counted within the step from 1, `[attempt, error]`.
- `start`, `cancel` and `forward`: the effects started, with `arguments`, `timeout`, `tries`, `at` (`file:line`); those cancelled;
  those that the line's event was forwarded to.
- `notes`: what else the step did. `states`: the active states afterwards. `phase`, where the call is not just running.

Private values are digests (`callflow.runtime.redact`). `callflow.runtime.journal` writes the lines, `callflow.journal` reads
them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.flow import LANGUAGE, Flow, Transition
from callflow.core.privacy import PRIVATE_OF_CALL
from callflow.core.snapshot import Cancel, Forward, Microstep, Note, Start, Step
from callflow.core.statechart.action_lists import place_at
from callflow.runtime.record import utc
from callflow.runtime.redact import Redactor
from callflow.version import __version__

VERSION = 3
VERSIONS = (1, 2, VERSION)
"""Those that are read. 3: `callflow`, `language`, `utc`. 2: `forward`, `given_up`. What version 1 does not tell was decided beside the step, and is not compared when such a journal is replayed."""

_encoded = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=str).encode


def as_json(line: Mapping[str, Any]) -> str:
    return _encoded(line) + "\n"


def guards_of(flow: Flow) -> dict[str, list[str]]:
    """The guards of a flow by the number of their row: the state that writes it, and the guard's digest. So a verdict is known for
    another version of the flow, too; its text may hold what a call has to hide."""
    found: dict[str, list[str]] | None = flow.made.get("guards")
    if found is None:
        guarded = [row for row in flow.transitions if row.guard is not None]
        found = flow.made["guards"] = {str(row.id): [*guard_of(row)] for row in guarded}
    return found


def guard_of(row: Transition) -> tuple[str, str]:
    """By what the guard of a row is known again: the state that writes it, and a digest of its text."""
    text = "" if row.guard is None else row.guard.source
    return row.source, sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


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
            "callflow": __version__,
            "call": head["call"],
            "flow": self._flow.name,
            "language": LANGUAGE,
            "file": self._flow.file,
            "digest": self._flow.digest,
            "time": head["time"],
            "utc": utc(head["time"]),
            "vars": hide.variables(head["vars"]),
            "env": hide.hide(head["env"]),
            "facts": hide.fields(head["facts"], PRIVATE_OF_CALL),
            "waiting": head["waiting"],
            "tells": ["guards", "broke"],
            "guards": guards_of(self._flow),
        }

    def _step(self, step: Step) -> dict[str, Any]:
        self._redactor.see(step.snapshot)
        time = step.snapshot.memory.started if step.event is None else step.event.time
        line: dict[str, Any] = {"seq": self._seq, "time": time, "utc": utc(time)}
        self._seq += 1
        self._input(step.event, line)
        for effect in step.effects:
            if isinstance(effect, Start):
                self._effects[effect.id] = (effect, time)
        return line | self.came(step)

    def came(self, step: Step) -> dict[str, Any]:
        """Of a step's line what came of its input."""
        line: dict[str, Any] = {}
        starts = [self._start(one) for one in step.effects if isinstance(one, Start)]
        notes = self._notes(step.notes) if step.notes else {}
        if step.moves:
            line["moves"] = [self._move(move) for move in step.moves]
        for name in ("guards", "broke"):
            if notes.get(name):
                line[name] = notes[name]
        if starts:
            line["start"] = starts
        if len(starts) < len(step.effects):
            for name, kind in (("cancel", Cancel), ("forward", Forward)):
                ids = [one.id for one in step.effects if isinstance(one, kind)]
                if ids:
                    line[name] = ids
        if notes.get("notes"):
            line["notes"] = notes["notes"]
        line["states"] = list(step.snapshot.configuration)
        if step.snapshot.memory.phase != "running":
            line["phase"] = step.snapshot.memory.phase
        return line

    def _notes(self, notes: tuple[Note, ...]) -> dict[str, list[Any]]:
        """By where they stand in the line."""
        hide = self._redactor
        guards: list[Any] = []
        broke: list[Any] = []
        others: list[Any] = []
        for kind, data in notes:
            if kind == "guard":
                guards.append([data["transition"], data["holds"]])
            elif kind == "broke":
                broke.append([data["attempt"], hide.text(str(data["error"]))])
            elif kind == "emitted":
                event = Event(str(data["event"]), data.get("data") or {})
                others.append({"kind": kind, "event": event.name, "data": hide.event(event)})
            else:
                others.append({"kind": kind, **hide.note(kind, data)})
        return {"guards": guards, "broke": broke, "notes": others}

    def _input(self, entry: Input | None, line: dict[str, Any]) -> None:
        hide = self._redactor
        if isinstance(entry, EffectEnded):
            start, began = self._effects.pop(entry.id, (None, entry.time))
            line["ended"], line["verb"] = entry.id, None if start is None else start.verb
            line["status"], line["seconds"] = entry.status, round(entry.time - began, 6)
            if entry.error is not None:
                hide.overhear(entry.error)
            if entry.result:
                line["result"] = hide.result(start, entry.result)
            if entry.error is not None:
                line["error"] = hide.text(entry.error)
        elif isinstance(entry, TimerFired):
            line["timer"] = entry.generation
        elif entry is not None:
            line["event"] = hide.name(entry.name)
            if entry.data:
                line["data"] = hide.event(entry)
            if entry.effect is not None:
                line["effect"] = entry.effect
            if entry.state is not None:
                line["state"] = entry.state
            if entry.id is not None:
                line["id"] = entry.id
            if entry.offered_in is not None:
                line["offered_in"] = list(entry.offered_in)

    def _start(self, effect: Start) -> dict[str, Any]:
        line: dict[str, Any] = {"id": effect.id, "verb": effect.verb, "arguments": self._redactor.arguments(effect)}
        line["timeout"], line["tries"] = effect.timeout, effect.tries
        at = place_at(self._flow, effect.source)
        if at:
            line["at"] = at
        return line

    def _move(self, move: Microstep) -> dict[str, Any]:
        line: dict[str, Any] = {"on": self._redactor.name(move.trigger)}
        if move.transitions:
            line["rows"] = self._rows(move.transitions)
            line["ids"] = list(move.transitions)
        if move.exited:
            line["exited"] = list(move.exited)
        if move.entered:
            line["entered"] = list(move.entered)
        return line

    def _rows(self, transitions: tuple[int, ...]) -> list[str]:
        """Where the transitions stand, worked out once."""
        known: dict[tuple[int, ...], list[str]] = self._flow.made.setdefault("rows", {})
        rows = known.get(transitions)
        if rows is None:
            rows = known[transitions] = [self._place(one) for one in transitions]
        return rows

    def _place(self, transition: int) -> str:
        if not 0 <= transition < len(self._flow.transitions):
            return ""
        place = self._flow.transitions[transition].position
        return f"{place.file}:{place.line}"
