"""What became of one call: its `CallRecord`.

All times are seconds since the epoch, all durations seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import attrs
from attrs import field, frozen

from callflow.core.events import Event
from callflow.core.flow import LANGUAGE
from callflow.runtime.redact import Redactor
from callflow.version import __version__


class Cause(NamedTuple):
    """What technically ended a call. The first cause stays, whatever follows from it, unless the call went on after it:
    whoever had left came back, or another dial began.

    `event` is an event (`call.hangup`, `room.disconnected`, `job.shutdown`, `dial.busy`), the verb by which the flow
    ended the call (`delete_room`, `hang_up` …; `stand_by` where it dropped the line for whoever was left; `close` where a
    final state found the line still open), `nobody_came`
    where the far end was not on the line within `limits.answer`, or the room had ended by then, `job.killed` where its process died, or `fault`.
    `by` is `caller`, `agent` (the flow), `program` (`call.hang_up()`), `worker` (the job was told to end), `callee`
    (a dial that was not answered), `system` (the room, the session, the network, a fault), or what the event says.
    `state` is the innermost state at that time, `detail` the event's payload: SIP status, disconnect reason.
    """

    event: str
    by: str
    time: float
    state: str = ""
    detail: Mapping[str, Any] = {}


Line = Literal["dropped", "stands", "unknown"]


class Visit(NamedTuple):
    """One stay in a state. `left` is None where the call ended in it; `seconds` is how long it was."""

    state: str
    entered: float
    left: float | None
    seconds: float


class EffectRecord(NamedTuple):
    """One effect, from its start to its end. `status`: ok, failed, timed_out, cancelled, or `running` where it had not
    ended when the call was over. `tries` counts from 1; `at` is the action's place in the flow, `file:line`."""

    id: int
    verb: str
    started: float
    seconds: float
    status: str
    tries: int = 1
    result: Mapping[str, Any] = {}
    error: str | None = None
    at: str = ""


@frozen(repr=False)
class CallRecord:
    """The one record of a call, however it ended.

    `digest` is that of the flow's text. `call`, `room`, `room_sid`, `job`, `worker_id`, `dispatch_id`, `participant` are
    ids, None where there was none, `agent_name` what the agent was dispatched by. `answered` is when the far end first came on
    the line, `line_dropped` when it was last off it, None where it is not known to be. `line` is what is known of it at
    the end: `dropped`; `stands`, where it could not be dropped, or where the flow has left it to others; `unknown`, where
    it was dropped while somebody was out of reach, who may come back to it. `outcome` is the business result, `cause` what technically ended the call,
    `trigger` the event by which the flow went to its `ending:` (`tool.end_call`, `silence 30s`; empty for a failure),
    `fault` why the flow could not go on (a cycle, an unhandled failure), `error` what broke in the runtime itself.
    `forced` names what had to be closed by force, `late` what came after it could matter, `notes` what somebody should
    read: a journal that could not be written, a task that did not stop. `transcript`, `usage`, `latencies` are as in
    `callflow.runtime.ports.Facts`. `steps` counts the inputs taken, `dropped` those that a flood cost, by name.
    """

    call: str
    flow: str
    file: str
    outcome: str
    cause: Cause
    started: float
    ended: float
    answered: float | None = None
    line_dropped: float | None = None
    line: Line = "unknown"
    digest: str = ""
    room: str | None = None
    room_sid: str | None = None
    job: str | None = None
    worker_id: str | None = None
    dispatch_id: str | None = None
    agent_name: str | None = None
    participant: str | None = None
    trigger: str | None = None
    final: str | None = None
    states: tuple[Visit, ...] = ()
    effects: tuple[EffectRecord, ...] = ()
    vars: Mapping[str, Any] = field(factory=dict)
    transcript: tuple[Mapping[str, Any], ...] = ()
    usage: Mapping[str, Any] = field(factory=dict)
    latencies: tuple[Mapping[str, Any], ...] = ()
    fault: str | None = None
    error: str | None = None
    forced: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    journal: str | None = None
    steps: int = 0
    dropped: Mapping[str, int] = field(factory=dict)
    _redactor: Redactor | None = field(default=None, eq=False, repr=False)

    def __repr__(self) -> str:
        # Whoever logs a record must not thereby log what was said in the call, or to which number.
        return (
            f"CallRecord(call={self.call!r}, flow={self.flow!r}, outcome={self.outcome!r}, "
            f"cause={self.cause.event!r}, hung_up_by={self.hung_up_by!r}, seconds={self.seconds:.1f})"
        )

    @property
    def hung_up_by(self) -> str:
        """Who ended it: `caller`, `agent`, `program`, `worker`, `callee`, `system`."""
        return self.cause.by

    @property
    def seconds(self) -> float:
        """How long the call was, from its first step to its end."""
        return self.ended - self.started

    def to_json(self, *, private: bool = False) -> dict[str, Any]:
        """Plain data for `json.dumps`, its times by ISO 8601 too, under `utc`. Private values are digests unless `private` is set."""
        times = {name: None if (at := getattr(self, name)) is None else utc(at) for name in _TIMES}
        return {"callflow": __version__, "language": LANGUAGE, **self._data(private), "utc": times}

    def _data(self, private: bool) -> dict[str, Any]:
        data = {
            name.lstrip("_"): _plain(getattr(self, name))
            for name in (one.name for one in attrs.fields(CallRecord))
            if name != "_redactor"
        }
        data["hung_up_by"] = self.hung_up_by
        data["seconds"] = self.seconds
        if private or self._redactor is None:
            return data
        for said in (self.error, self.fault, *self.notes, *self.late):
            self._redactor.overhear(said)
        data["vars"] = self._redactor.variables(self.vars)
        data["effects"] = self._redactor.effects(data["effects"])
        data["participant"] = self._redactor.hide(self.participant)
        data["cause"]["detail"] = self._redactor.event(Event(self.cause.event, self.cause.detail))
        hidden: dict[str, Any] = self._redactor.data(data)
        # Words of ours say nothing of anybody, also where somebody's identity is the same word: `caller`.
        hidden |= {
            "hung_up_by": self.hung_up_by,
            "outcome": self.outcome,
            "flow": self.flow,
            "line": self.line,
            "final": self.final,
        }
        hidden["call"] = self._redactor.searched(data["call"])
        hidden["cause"] |= {"by": self.cause.by, "event": self.cause.event}
        detail = hidden["cause"]["detail"]
        detail |= {name: self.cause.detail[name] for name in _OWN_WORDS & self.cause.detail.keys()}
        return hidden


_OWN_WORDS = frozenset({"leg", "by", "cause", "disconnect_reason", "result"})
"""Fields of payloads that hold one of a few words of the catalogue's own."""


_TIMES = ("started", "answered", "line_dropped", "ended")


def utc(time: float) -> str:
    """Seconds since the epoch by ISO 8601, to the millisecond: `2026-11-27T18:30:00.000Z`."""
    milliseconds = round(time * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def without_payloads(record: CallRecord) -> CallRecord:
    """A record without what others have brought into the call: values of variables, results, words."""
    return attrs.evolve(
        record,
        cause=record.cause._replace(detail={}),
        effects=tuple(one._replace(result={}) for one in record.effects),
        vars={},
        transcript=(),
        usage={},
        latencies=(),
    )


def amend(path: Path, line: Line, *, dropped: float | None, notes: Iterable[str]) -> dict[str, Any]:
    """What became of the line after the call, in the record that the call has written: that record. Raises OSError, ValueError."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    record["line"] = line
    record["line_dropped"] = dropped or record["line_dropped"]
    if record["line_dropped"] is not None:
        record.setdefault("utc", {})["line_dropped"] = utc(record["line_dropped"])
    record["notes"] = [*record["notes"], *(note for note in notes if note not in record["notes"])]
    save(path, json.dumps(record, ensure_ascii=False, indent=2) + "\n")
    return record


def save(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
