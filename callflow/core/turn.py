"""A step at work: the mutable copy of a snapshot that one input is carried out on, and frozen again at its end.

Nobody outside `core` sees it. The rules live in the modules that work on it: `selection` (which rows), `moves` (which
states), `lists` (the sequencer of actions), `clocks` (timers and silence).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from callflow.core.events import MAIN_LEG, NO_DATA, Event, Input
from callflow.core.expressions import Context, EvaluationError
from callflow.core.flow import Flow, Transition
from callflow.core.snapshot import (
    ActionList,
    Cancel,
    Leg,
    ListKind,
    Memory,
    Microstep,
    Note,
    Phase,
    Running,
    Silence,
    Snapshot,
    Start,
    Step,
    Timer,
)
from callflow.core.statechart.structure import within
from callflow.core.table import Table, table_of

NOTHING: frozenset[str] = frozenset()
NO_EFFECTS: Mapping[int, Running] = {}
"""Shared, as NO_DATA is: most of what a live call remembers is empty."""


class Queued(NamedTuple):
    """An event that the step itself raised. `list` waits until it is taken; `result` says that it is a verb's named
    result, so that one other than success that nobody takes becomes a failure."""

    event: Event
    list: int | None = None
    result: bool = False


class ToolCall(NamedTuple):
    """A tool that returns at the end of this step: its event, the state that offered it (`left`: before this step), its
    result or its error."""

    event: Event
    state: str | None
    left: bool = False
    result: Any = None
    error: str | None = None


def _is_over(event: Event, left: str) -> bool:
    """Whether this is the `done` of a state that is left, or whose inside is."""
    return event.name == "done" and event.state is not None and within(left, event.state)


class Verdicts(NamedTuple):
    """What a journal has of a step that hangs on values which are digests there: the verdict of each guard, in their order,
    and which attempts at an expression failed, with the sentence that said so. `broken` is None where it does not tell."""

    guards: Iterable[bool] = ()
    broken: Mapping[int, str] | None = None


class Turn:
    """One input being carried out. `active` are the active states without the top level."""

    def __init__(self, flow: Flow, snapshot: Snapshot, time: float, recorded: Verdicts | None = None) -> None:
        memory = snapshot.memory  # what it holds may be shared with other snapshots: everything is copied
        self._before = memory
        self.flow: Flow = flow
        self.table: Table = table_of(flow)
        self.time = time
        self.verdicts = None if recorded is None else iter(recorded.guards)
        self.broken = None if recorded is None else recorded.broken
        self.attempts = 0  # expressions that were tried beside guards
        self.active: set[str] = self.table.expand(snapshot.configuration)
        self.began_in_ending = flow.ending in self.active
        self.entered = snapshot.entered
        self.started = memory.started
        self.vars: dict[str, dict[str, Any]] = {scope: dict(values) for scope, values in memory.vars.items()}
        self.env = memory.env
        self.call = memory.call
        self.phase: Phase = memory.phase
        self.lists: dict[int, ActionList] = {one.seq: one for one in memory.lists}
        self.effects: dict[int, Running] = dict(memory.effects)
        self.timers: list[Timer] = list(memory.timers)
        self.silences: dict[str, Silence] = {one.state: one for one in memory.silences}
        self.kept: list[Event] = list(memory.kept)
        self.held: list[Event] = list(memory.held)
        self.history: dict[str, tuple[str, ...]] = dict(memory.history)
        self.visits: dict[str, int] = dict(memory.visits)
        self.finished: set[str] = set(memory.finished)
        self.legs: dict[str, Leg] = dict(memory.legs)
        self.caller_speaks = memory.caller_speaks
        self.agent_busy = memory.agent_busy
        self.others_speak = memory.others_speak
        self.muted = memory.muted
        self.caller_muted = memory.caller_muted
        self.cut_off = memory.cut_off
        self.closed: set[str] = set(memory.closed)
        self.closing: set[str] = set(memory.closing)
        self.outcome = memory.outcome
        self.fault = memory.fault
        self.faults = memory.faults
        self.final = memory.final
        self.next_effect = memory.next_effect
        self.next_seq = memory.next_seq
        self.next_generation = memory.next_generation

        self.queue: deque[Queued] = deque()
        self.returning: deque[Event] = deque()
        self.tools: list[ToolCall] = []
        self.out: list[Start | Cancel] = []
        self.moves: list[Microstep] = []
        self.notes: list[Note] = []
        self.budget = 0  # transitions and internal events since the input

    # -- what everybody needs ------------------------------------------------------------------------------------

    def note(self, kind: str, **data: Any) -> None:
        self.notes.append(Note(kind, data))

    def sequence(self) -> int:
        number = self.next_seq
        self.next_seq += 1
        return number

    def add_list(
        self, kind: ListKind, owner: str, writer: str, key: str | int, event: Event | None = None, position: int = 0
    ) -> ActionList:
        one = ActionList(self.sequence(), kind, owner, writer, key, position, event=event)
        self.lists[one.seq] = one
        return one

    def drop_done(self, path: str) -> None:
        """A state that is left is not done any more, also when it is entered again before its `done` is looked at. One that
        was kept is stale as well when the state's inside has moved on."""
        stale = [one for one in self.queue if one.event.name == "done" and one.event.state == path]
        for one in stale:
            self.queue.remove(one)
        self.kept = [one for one in self.kept if not _is_over(one, path)]
        if self.returning:
            self.returning = deque(one for one in self.returning if not _is_over(one, path))

    def has_finished(self, path: str) -> None:
        """A state that must finish is done: what was kept returns, once."""
        if path in self.table.must_finish & self.active - self.finished:
            self.finished.add(path)
            self.release_kept()

    def release_kept(self) -> None:
        self.returning.extend(self.kept)
        self.kept = []

    @property
    def live(self) -> bool:
        """Whether events are taken: no final state of the top level is reached yet."""
        return self.phase in ("waiting", "running")

    @property
    def in_ending(self) -> bool:
        return self.flow.ending in self.active

    @property
    def farewell(self) -> bool:
        """Whether what is said now are the call's last words."""
        return not self.live or self.in_ending or not self.table.goodbyes.isdisjoint(self.active)

    @property
    def outcome_so_far(self) -> str:
        """The outcome, or what it would be if the call ended now (rule 14)."""
        return self.outcome or ("failed" if self.fault else "none")

    def context(self, scope: str, state: str, event: Event | None, result: Any = None) -> Context:
        """The names of an expression, as they are now."""
        data = None if event is None else {"time": event.time, "name": event.name, **event.data}
        leg = self.legs.get(MAIN_LEG)
        call = {
            **(NO_DATA if leg is None else leg.data),
            **self.call,
            "outcome": self.outcome_so_far,
            "elapsed": self.time - self.started,
            "answered": leg is not None and leg.status not in ("absent", "dialing", "ringing"),
        }
        return Context(
            event=data,
            vars=self.vars.get(scope, {}),
            call=call,
            env=self.env,
            state={"visits": self.visits.get(state, 0)},
            others=NO_DATA if result is None else {"result": result},
        )

    def latest(self, scope: str) -> str:
        """Where a sub-flow's variables are: at its host's path while it is active, afterwards at that of its last instance."""
        if scope in self.vars:
            return scope
        past = [name for name in self.vars if name.startswith(f"{scope}#")]
        return max(past, key=lambda name: int(name.rpartition("#")[2]), default=scope)

    def holds(self, row: Transition, event: Event | None) -> bool:
        """Whether a row's guard is true now. An error in it counts as false, and is noted."""
        if row.guard is None:
            return True
        recorded = None if self.verdicts is None else next(self.verdicts, None)
        if recorded is not None:
            verdict = recorded
        else:
            try:
                verdict = bool(row.guard.evaluate(self.context(self.latest(row.scope), row.source, event)))
            except EvaluationError as error:
                verdict = False
                self.note("guard_error", transition=row.id, error=str(error))
        self.note("guard", transition=row.id, holds=verdict)
        return verdict

    def _kept(self, name: Literal["vars", "legs"]) -> Any:
        """What this step has left as it was is shared with the snapshot before."""
        before, now = getattr(self._before, name), getattr(self, name)
        return before if before == now else now

    def freeze(self, event: Input | None) -> Step:
        """The step's value."""
        memory = Memory(
            started=self.started,
            vars=self._kept("vars"),
            env=self.env,
            call=self.call,
            phase=self.phase,
            lists=tuple(self.lists.values()),
            effects=self.effects or NO_EFFECTS,
            timers=tuple(self.timers),
            silences=tuple(self.silences.values()),
            kept=tuple(self.kept),
            held=tuple(self.held),
            history=self.history or NO_DATA,
            visits=self.visits or NO_DATA,
            finished=frozenset(self.finished) if self.finished else NOTHING,
            legs=self._kept("legs"),
            caller_speaks=self.caller_speaks,
            agent_busy=self.agent_busy,
            others_speak=self.others_speak,
            muted=self.muted,
            caller_muted=self.caller_muted,
            cut_off=self.cut_off,
            closed=frozenset(self.closed) if self.closed else NOTHING,
            closing=frozenset(self.closing) if self.closing else NOTHING,
            outcome=self.outcome,
            fault=self.fault,
            faults=self.faults,
            final=self.final,
            next_effect=self.next_effect,
            next_seq=self.next_seq,
            next_generation=self.next_generation,
        )
        snapshot = Snapshot(self.table.leaves(self.active), memory, self.entered)
        return Step(event, snapshot, tuple(self.out), tuple(self.moves), tuple(self.notes))
