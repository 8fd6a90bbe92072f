"""What is gathered of one call while it runs, and the record that is made of it.

All times are seconds since the epoch, all durations seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define

from callflow.core.actions import EVERY_VERB, verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event
from callflow.core.flow import Flow
from callflow.core.snapshot import Microstep, Note, Snapshot, Start, Step
from callflow.runtime.facts import Facts
from callflow.runtime.record import CallRecord, Cause, EffectRecord, Visit
from callflow.runtime.redact import Redactor

_ENDS = {"call.hangup": "caller", "room.disconnected": "system", "session.close": "system", "job.shutdown": "worker"}
_MAY_FOLLOW = frozenset({"room.disconnected", "session.close", "fault"})
_AT_ONCE = frozenset(
    verb.name for verb in EVERY_VERB.values() if verb.drops_leg or ("line" in verb.closes and not verb.parties_end)
)
_LEAVINGS = frozenset({"call.hangup"}.union(
    *({verb.name} for verb in EVERY_VERB.values() if verb.drops_leg),
    *(verb.success for verb in EVERY_VERB.values() if verb.holds_hang_up),
))  # fmt: skip
_READ = frozenset({"late_outcome", "late_answer", "never_stopped", "not_carried_out", "passed_over"})

CROSSES = 0.5
"""Seconds after the line was dropped in which it is heard that the far end has hung up before: some 40 ms."""

MOST_ENTRIES = 10_000
MOST_NOTES = 100
"""A record stays a record, however long a call is."""

_UNANSWERED = {"busy": "callee", "declined": "callee", "no_answer": "callee", "invalid": "system", "failed": "system"}


_Moves = tuple["_Moves | None", int, float, tuple[Microstep, ...]]
"""The moves before these, how many steps that moved there are, the time, what moved. A chain of plain tuples: most calls
have a few, and some a great many."""


@define
class Log:
    """What a record is made of, gathered while the call runs. `now` is the time of the latest step."""

    ending: str = ""  # the state that the flow names by `ending:`
    now: float = 0.0
    answered: float | None = None
    line_dropped: float | None = None
    line_left: bool = False  # on purpose: `hang_up: {for: agent}`
    cause: Cause | None = None
    undone: bool = False  # the cause is an action that has failed
    told_by: str = "program"  # who stands behind a job.shutdown
    error: str | None = None
    moves: _Moves | None = None
    effects: list[EffectRecord] | None = None
    forced: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dropped: dict[str, int] | None = None

    def step(self, step: Step, before: Snapshot) -> None:
        """One step that was more than a plain move."""
        entry, memory, notes = step.event, step.snapshot.memory, step.notes
        self.moved(step)
        if notes:
            self._nobody_came(step, before)
        if isinstance(entry, Event):
            self._event(entry, step, before)
        elif isinstance(entry, EffectEnded):
            self._effect_ended(entry, before)
        elif entry is None and memory.phase != "waiting" and memory.legs[MAIN_LEG].status == "on_line":
            self.answered = memory.started
        for held in before.memory.held:  # a hang-up that has waited for the result of a transfer
            if held not in memory.held:
                self._event(held, step, before)
        self._own_causes(step, before)
        if "line" in memory.closed and not self.line_left:
            self.dropped_line(self.now)
        for note in notes:
            if note.kind in _READ:
                self._read(note)

    def _nobody_came(self, step: Step, before: Snapshot) -> None:
        """Before what its event would say, the end of a room in which nobody has been."""
        for note in step.notes:
            if note.kind == "nobody_came":
                self.caused("nobody_came", "system", before, note.data)

    def _own_causes(self, step: Step, before: Snapshot) -> None:
        """What ends a call without an event of its own."""
        fault = step.snapshot.memory.fault
        if fault is not None and before.memory.fault is None:
            self.caused("fault", "system", before, {"error": fault})
        for effect in step.effects:
            if not isinstance(effect, Start):
                continue
            verb = verb_of(effect.verb)
            if verb.dials and effect.arguments.get("leg") in (None, MAIN_LEG):
                self._goes_on(before)
            if (verb.closes or verb.drops_leg or verb.forced) and _drops_line(effect):
                self.caused(effect.verb, "agent", before, {})
                self.line_left = verb.leaves(effect.arguments)

    def moved(self, step: Step) -> None:
        """The states that a step left and entered."""
        if step.event is not None and step.event.time > self.now:
            self.now = step.event.time
        if step.moves:
            before = self.moves
            number = 1 if before is None else before[1] + 1
            if number <= MOST_ENTRIES:
                self.moves = (before, number, self.now, step.moves)
            else:
                self.note(f"only the first {MOST_ENTRIES} steps that moved are in this record")

    def _event(self, event: Event, step: Step, before: Snapshot) -> None:
        name = event.name
        if name == "call.answered" or (name.startswith("leg.") and name.endswith(".answered")):
            self._comes(event, before)
        elif name == "call.hangup" and event.data.get("by") == "caller" and self._crosses(before):
            self.cause = None
            self.line_dropped = None
            self.dropped_line(event.time)
            self.caused(name, "caller", before, event.data)
        elif name in _ENDS and not any(note.kind in ("own", "held", "dropped") for note in step.notes):
            # Out of our own reach, the far end may be on the line still.
            if name == "call.hangup" and event.data.get("cause") != "out_of_reach":
                self.dropped_line(event.time)
            by = self.told_by if name == "job.shutdown" else str(event.data.get("by") or _ENDS[name])
            self.caused(name, by, before, event.data)

    def _effect_ended(self, end: EffectEnded, before: Snapshot) -> None:
        running = before.memory.effects.get(end.id)
        if running is None or end.status == "cancelled":
            return
        verb = verb_of(running.verb)
        if verb.dials and running.leg in (None, MAIN_LEG):
            result = str(end.result.get("result") or ("no_answer" if end.status == "timed_out" else "failed"))
            if result == "answered":
                self._answered(end.time, before)
            elif result in _UNANSWERED:
                self.caused(f"dial.{result}", _UNANSWERED[result], before, {**end.result, "error": end.error})
        elif end.status != "ok" and self.cause is not None and self.cause[:2] == (running.verb, "agent"):
            self.undone = True
        elif verb.parties_end and end.status == "ok":  # until then the parties talk, or one of them ends it
            self.caused(running.verb, "agent", before, {})
        elif verb.holds_hang_up and verb.result_event(end.result) in verb.success:
            self.caused(verb.result_event(end.result), "agent", before, end.result)

    def _comes(self, event: Event, before: Snapshot) -> None:
        """Somebody is on the line. Whom the flow has dialled beside the far end is not who has left, and has come back."""
        if event.name == "call.answered":
            self._answered(event.time, before)
        elif not any(verb_of(one.verb).calls for one in before.memory.effects.values()):
            self._goes_on(before)

    def _answered(self, time: float, before: Snapshot) -> None:
        if self.answered is None:
            self.answered = time
        if self.cause is not None and self.cause.event.startswith("dial."):
            self.cause = None  # an earlier dial that was not answered ended nothing
        self._goes_on(before)

    def _goes_on(self, before: Snapshot) -> None:
        """Whoever has left before has not ended the call by that."""
        ends = before.memory.phase != "running" or self.ending in before.configuration
        if self.cause is not None and self.cause.event in _LEAVINGS and not ends:
            self.cause = self.line_dropped = None

    def _crosses(self, before: Snapshot) -> bool:
        """Whether the flow is dropping the line just now, or has just done so: a far end that hung up before it heard of
        that is told of afterwards."""
        cause = self.cause
        if cause is None or cause.by != "agent" or cause.event not in _AT_ONCE:
            return False
        runs = any(one.verb == cause.event for one in before.memory.effects.values())
        return runs or (self.line_dropped is not None and self.now - self.line_dropped < CROSSES)

    def _read(self, note: Note) -> None:
        data = note.data
        if note.kind == "late_outcome":
            self.came_late(f"outcome {data.get('name')}: {data.get('stands')} stands")
        elif note.kind == "late_answer":
            self.came_late(f"leg {data.get('leg')} answered after its dial was cancelled")
        elif note.kind == "not_carried_out":
            self.came_late(f"the model called {data.get('tool')}: {data.get('error')}")
        elif note.kind == "passed_over":
            self.came_late(
                f"{data.get('action')} of a tool that was called in {data.get('state')}: the call was ending"
            )
        else:
            self.note(f"effect {data.get('effect')} ({data.get('verb')}) did not stop when it was cancelled")

    def caused(self, event: str, by: str, before: Snapshot, detail: Mapping[str, Any]) -> None:
        """The first cause stays. A dial that was not answered is none where the call went on, to another dial or to
        whatever ended it before it had an outcome. Nor is an action that failed to drop the line, where somebody ends the
        call later; what may come of that very action is nobody else's doing."""
        earlier = self.cause
        ended = event in _ENDS or event == "fault"
        if (
            earlier is None
            or (self.undone and by != "agent" and event not in _MAY_FOLLOW)
            or (
                earlier.event.startswith("dial.")
                and (event.startswith("dial.") or (ended and before.outcome is None and earlier.time < self.now))
            )
        ):
            state = before.configuration[-1] if before.configuration else ""
            self.cause = Cause(event, by, self.now, state, detail)
            self.undone = False

    def broke(self, error: str, now: float, before: Snapshot) -> None:
        """The call was ended by force."""
        self.now, self.error = max(self.now, now), error
        self.caused("fault", "system", before, {"error": error})

    def dropped_line(self, time: float) -> None:
        if self.line_dropped is None:
            self.line_dropped = time

    def force(self, names: Iterable[str]) -> None:
        self.forced = tuple(sorted({*self.forced, *names}))

    def effect(self, one: EffectRecord) -> None:
        if self.effects is None:
            self.effects = []
        if len(self.effects) < MOST_ENTRIES:
            self.effects.append(one)
        else:
            self.note(f"only the first {MOST_ENTRIES} effects are in this record")

    def came_late(self, sentence: str) -> None:
        self.late = (*self.late, sentence)[:MOST_NOTES]

    def note(self, sentence: str) -> bool:
        """False: it is noted already."""
        if sentence in self.notes:
            return False
        self.notes = (*self.notes, sentence)[:MOST_NOTES]
        return True

    def drop(self, name: str) -> bool:
        """An event that a flood cost. False: the first one."""
        first = self.dropped is None
        if self.dropped is None:
            self.dropped = {}
        self.dropped[name] = self.dropped.get(name, 0) + 1
        return not first


def _drops_line(effect: Start) -> bool:
    verb = verb_of(effect.verb)
    if verb.forced:
        return bool(effect.arguments.get("line"))
    if verb.parties_end:
        return False
    return "line" in verb.closes or (verb.drops_leg and effect.arguments.get("leg") in (None, MAIN_LEG))


def cause_of(log: Log, snapshot: Snapshot, now: float) -> Cause:
    """By what the call has ended, as far as it is known."""
    failed = snapshot.memory.fault is not None or log.error is not None
    return log.cause or Cause("fault" if failed else "none", "system", now, "", {})


def record_of(
    call: str,
    flow: Flow,
    log: Log,
    snapshot: Snapshot,
    *,
    now: float,
    steps: int = 0,
    facts: Facts | None = None,
    journal: str | None = None,
    redactor: Redactor | None = None,
) -> CallRecord:
    """The record of a call as it is now."""
    memory = snapshot.memory
    facts = facts or Facts()
    failed = memory.fault is not None or log.error is not None
    return CallRecord(
        call=call,
        flow=flow.name,
        file=flow.file,
        outcome=memory.outcome or ("failed" if failed else "none"),
        cause=cause_of(log, snapshot, now),
        started=memory.started or now,
        ended=now,
        answered=log.answered,
        line_dropped=log.line_dropped and (facts.dropped_again or log.line_dropped),
        line="stands" if log.line_dropped is None else "unknown" if facts.line_in_doubt else "dropped",
        digest=flow.digest,
        room=facts.room,
        room_sid=facts.room_sid,
        job=facts.job,
        worker_id=facts.worker_id,
        dispatch_id=facts.dispatch_id,
        agent_name=facts.agent_name,
        participant=facts.participant,
        trigger=_trigger(log, flow),
        final=memory.final,
        states=_visits(log, now),
        effects=tuple(sorted(log.effects or (), key=lambda one: one.id)),
        vars=dict(memory.vars.get("", {})),
        transcript=facts.transcript,
        usage=facts.usage,
        latencies=facts.latencies,
        fault=memory.fault,
        error=log.error,
        forced=log.forced,
        late=log.late,
        notes=(*log.notes, *facts.notes),
        journal=journal,
        steps=steps,
        dropped=log.dropped or {},
        redactor=redactor,
    )


def bare_record(call: str, flow: Flow, now: float, error: str) -> CallRecord:
    """What is left to say of a call whose record cannot be made."""
    return CallRecord(
        call, flow.name, flow.file, "failed", Cause("fault", "system", now), now, now, digest=flow.digest, error=error
    )


def _trigger(log: Log, flow: Flow) -> str | None:
    into = (move for _, move in _all_moves(log) if flow.ending in move.entered)
    return next((move.trigger for move in into), None)


def _all_moves(log: Log) -> list[tuple[float, Microstep]]:
    """In their order, each with its time."""
    found: list[tuple[float, Microstep]] = []
    link = log.moves
    while link is not None:
        link, _, time, moves = link
        found += [(time, move) for move in reversed(moves)]
    return found[::-1]


def _visits(log: Log, now: float) -> tuple[Visit, ...]:
    found: list[Visit] = []
    open_at: dict[str, int] = {}
    for time, move in _all_moves(log):
        for state in move.exited:
            index = open_at.pop(state, None)
            if index is not None:
                found[index] = found[index]._replace(left=time, seconds=time - found[index].entered)
        for state in move.entered:
            open_at[state] = len(found)
            found.append(Visit(state, time, None, 0.0))
    for index in open_at.values():
        found[index] = found[index]._replace(seconds=now - found[index].entered)
    return tuple(found)
