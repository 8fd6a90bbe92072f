"""Taking the same call through a flow again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from attrs import evolve

from callflow.core.flow import Flow
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.step import start, step
from callflow.core.turn import Given, Verdicts
from callflow.errors import JournalError, StartError
from callflow.journal.comparing import Compared, Difference
from callflow.journal.given import ByGuard
from callflow.journal.inputs import Inputs, stand_in
from callflow.journal.reading import Line, is_redacted


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
    head = recorded.head
    if head["flow"] != flow.name:
        raise JournalError(f"{recorded.path}:1: this is a call of the flow {head['flow']}, not of {flow.name}")
    inputs, compared, tells = Inputs(flow), Compared(flow, head), head.get("tells", ())
    if head["journal"] == 1:
        flow = evolve(flow, reconnect_grace=None)
    redacted, snapshot, changed = is_redacted(head), None, flow.digest != head["digest"]
    inputs.hide(head["vars"])
    for number, line in enumerate(recorded.lines, start=2):
        redacted = redacted or is_redacted(line)
        given: Given | None = None
        if redacted:
            given = _by_guard(flow, head, line, inputs.hidden) if changed else _given(line, tells)
        done = _begun(flow, recorded, given) if snapshot is None else _taken(flow, inputs, snapshot, line, given)
        different = compared.difference(line, done)
        yield Replayed(number, line, done, different)
        if different is not None:
            return
        for effect in done.effects:
            if isinstance(effect, Start):
                inputs.started[effect.id] = effect
        for note in line.get("notes", ()):
            if note["kind"] == "set":
                inputs.hide({str(note.get("name")): note.get("value")})
        snapshot = done.snapshot


def _taken(flow: Flow, inputs: Inputs, snapshot: Snapshot, line: Line, given: Given | None) -> Step:
    return step(flow, snapshot, inputs.read(line, snapshot), recorded=given)


def _given(line: Mapping[str, Any], tells: Sequence[str]) -> Verdicts:
    """What hangs on values that are digests here, as it was when they were not. An older journal has the guards alone."""
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


def _begun(flow: Flow, recorded: Journal, given: Given | None) -> Step:
    head, variables = recorded.head, flow.scopes[""].variables
    values = {
        name: stand_in(variables[name].type, value) if name in variables else value
        for name, value in head["vars"].items()
    }
    try:
        return start(
            flow,
            values,
            time=head["time"],
            env=head["env"],
            call=head["facts"],
            waiting=head["waiting"],
            recorded=given,
        )
    except StartError as error:
        raise JournalError(f"{recorded.path}:1: the call cannot start: {error}") from None
