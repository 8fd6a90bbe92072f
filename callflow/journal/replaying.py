"""Taking the same call through a flow again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from attrs import evolve

from callflow.core.events import TimerFired
from callflow.core.flow import Flow
from callflow.core.macrostep import Given, Verdicts
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.step import start, step
from callflow.errors import JournalError, StartError
from callflow.journal.comparing import Compared, Difference
from callflow.journal.given import ByGuard
from callflow.journal.inputs import Inputs, stand_in
from callflow.journal.reading import Line, is_redacted

LATE = 1.0
"""Seconds by which a timer may be told late: a process has other calls."""

EARLY = 0.05
"""And early: the loop's clock and that of the day are not the same."""

OVERTAKES = "timer"
"""The key of a difference that is no line's: a timer of this flow comes due, and did not then."""


class Journal(Protocol):
    """A journal, read whole (`Recorded`) or while it is (`Reading`)."""

    @property
    def path(self) -> Path: ...

    @property
    def head(self) -> Line: ...

    @property
    def lines(self) -> Iterable[Line]: ...


class Replayed(NamedTuple):
    """A line, its number in the file, the step that this flow makes of it, and what of that is not as it was recorded."""

    number: int
    line: Line
    step: Step
    difference: Difference | None


def replay(flow: Flow, recorded: Journal) -> tuple[Step, ...]:
    """The steps of a recorded call, made again by this flow.

    Where private values are digests, values of the right type stand in for them, guards have the verdicts that were
    recorded, and an expression fails where it did then. Raises JournalError at the first step that comes out differently,
    with the line and both versions.
    """
    return tuple(replaying(flow, recorded))


def replaying(flow: Flow, recorded: Journal) -> Iterator[Step]:
    """As `replay`, one step at a time."""
    for one in followed(flow, recorded):
        if one.difference is not None:
            key, was, made = one.difference
            raise JournalError(
                f"{recorded.path}:{one.number}: `{key}` comes out differently: recorded was {was!r}, and this flow makes {made!r}"
            )
        yield one.step


def followed(flow: Flow, recorded: Journal) -> Iterator[Replayed]:
    """The same with what is different; the last one is the first that is. Raises JournalError."""
    return Again(flow, recorded).follow()


class Again:
    """One recorded call, taken through a flow again. `snapshot` is how far it has come."""

    def __init__(self, flow: Flow, recorded: Journal) -> None:
        """Raises JournalError for a call of another flow."""
        head = recorded.head
        if head["flow"] != flow.name:
            raise JournalError(f"{recorded.path}:1: this is a call of the flow {head['flow']}, not of {flow.name}")
        self.recorded = recorded
        self.inputs = Inputs(flow)
        self.inputs.hide(head["vars"])
        self._compared = Compared(flow, head)
        self.changed = flow.digest != head["digest"]
        self.flow = evolve(flow, reconnect_grace=None) if head["journal"] == 1 else flow
        self._redacted = is_redacted(head)
        self.snapshot: Snapshot | None = None

    def follow(self) -> Iterator[Replayed]:
        """Step by step, to the first that is different."""
        for number, line in enumerate(self.recorded.lines, start=2):
            early = self._overtaken(line)
            if early is not None:
                difference = Difference(OVERTAKES, None, self._compared.made(self.flow, early).get("moves"))
                yield Replayed(number, line, early, difference)
                return
            done = self._begun(line) if self.snapshot is None else self._taken(line, self.snapshot)
            difference_ = self._compared.difference(line, done)
            yield Replayed(number, line, done, difference_)
            if difference_ is not None:
                return
            self.took(line, done)

    def took(self, line: Line, done: Step) -> None:
        """A step that is as it was recorded, or takes the place of that."""
        for effect in done.effects:
            if isinstance(effect, Start):
                self.inputs.started[effect.id] = effect
        for note in line.get("notes", ()):
            if note["kind"] == "set":
                self.inputs.hide({str(note.get("name")): note.get("value")})
        self.snapshot = done.snapshot

    def given(self, line: Line) -> Given | None:
        """What hangs on values that are digests here, as it was when they were not."""
        self._redacted = self._redacted or is_redacted(line)
        if not self._redacted:
            return None
        head = self.recorded.head
        if self.changed:
            return _by_guard(self.flow, head, line, self.inputs.hidden)
        return _given(line, head.get("tells", ()))

    def _taken(self, line: Line, before: Snapshot) -> Step:
        entry = self.inputs.read(line, before)
        if self.changed and isinstance(entry, TimerFired):
            entry = _due(before, entry)
        return step(self.flow, before, entry, recorded=self.given(line))

    def _overtaken(self, line: Line) -> Step | None:
        """What a timer of a changed flow brings that comes due before the next input, of which the journal has nothing."""
        if not self.changed or self.snapshot is None or "timer" in line or not self.snapshot.timers:
            return None
        timer = self.snapshot.timers[0]
        if timer.kind in ("stop", "settle") or timer.due > line["time"] - LATE:
            return None
        return step(self.flow, self.snapshot, TimerFired(timer.generation, timer.due), recorded=self.given({}))

    def _begun(self, line: Line) -> Step:
        head, variables = self.recorded.head, self.flow.scopes[""].variables
        values = {
            name: stand_in(variables[name].type, value) if name in variables else value
            for name, value in head["vars"].items()
        }
        try:
            return start(
                self.flow,
                values,
                time=head["time"],
                env=head["env"],
                call=head["facts"],
                waiting=head["waiting"],
                recorded=self.given(line),
            )
        except StartError as error:
            raise JournalError(f"{self.recorded.path}:1: the call cannot start: {error}") from None


def _due(before: Snapshot, fired: TimerFired) -> TimerFired:
    """The timer of a changed flow that comes due then: timers have other numbers where there are others beside them."""
    first = before.timers[0] if before.timers else None
    return fired._replace(generation=first.generation if first is not None and first.due <= fired.time + EARLY else 0)


_NOTHING = Verdicts((), {})


def _given(line: Mapping[str, Any], tells: Sequence[str]) -> Verdicts:
    """What hangs on values that are digests here, as it was when they were not. An older journal has the guards alone."""
    if "guards" not in line and "broke" not in line and "broke" in tells:
        return _NOTHING
    broken = {int(attempt): str(error) for attempt, error in line.get("broke", ())} if "broke" in tells else None
    return Verdicts([holds for _, holds in line.get("guards", ())], broken)


def _by_guard(flow: Flow, head: Line, line: Line, hidden: Collection[str]) -> ByGuard:
    """The same for a flow that has been changed since. A journal that does not say which guards its flow had gives none."""
    known: Mapping[str, Sequence[str]] = head.get("guards", {})
    verdicts: dict[tuple[str, str], list[bool]] = {}
    for number, holds in line.get("guards", ()):
        if str(number) in known:
            source, guard = known[str(number)]
            verdicts.setdefault((source, guard), []).append(holds)
    broken = {int(attempt): str(error) for attempt, error in line.get("broke", ())}
    return ByGuard(flow, verdicts, hidden, broken if "broke" in head.get("tells", ()) else None)
