"""A step at work: the mutable copy of a snapshot that one input is carried out on, and frozen again at its end.

Nobody outside `core` sees it. The rules live in the modules that work on it: `selection` (which rows), `moves` (which
states), `lists` (the sequencer of actions), `clocks` (timers and silence).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from callflow.core.configuration import Configuration, configuration_of
from callflow.core.events import MAIN_LEG, NO_DATA, Event, Input, Queued
from callflow.core.expressions import EvaluationError, Expression, Values
from callflow.core.flow import Flow, Transition
from callflow.core.snapshot import (
    ActionList,
    Cancel,
    Forward,
    Lasting,
    Leg,
    Memory,
    Microstep,
    Needless,
    Note,
    Phase,
    Running,
    Silence,
    Snapshot,
    Start,
    Step,
    Timer,
    without,
)
from callflow.core.statechart.structure import within
from callflow.core.table import TABLE, Table, table_of

LIVE = frozenset({"waiting", "running"})
"""The phases in which events are taken: no final state of the top level is reached yet."""


class ToolCall(NamedTuple):
    """A tool that returns at the end of this step: its event, the state that offered it (`left`: before this step), its
    result or its error."""

    event: Event
    state: str | None
    left: bool = False
    result: Any = None
    error: str | None = None


def _is_over(event: Event, left: tuple[str, ...]) -> bool:
    """Whether this is the `done` of a state that is left, or whose inside is."""
    state = event.state
    return event.name == "done" and state is not None and any(within(path, state) for path in left)


Asked = Callable[[Transition], bool | None]
"""The verdict of a row's guard, whenever one is asked for; None: what is known now says it."""


class Given(Protocol):
    """What is given of a step that hangs on values which nobody knows any more: verdicts of guards, and which attempts at an
    expression failed, counted from 1, with the sentence that said so; None where that is not told."""

    @property
    def broken(self) -> Mapping[int, str] | None: ...

    def asked(self) -> Asked: ...


class Verdicts(NamedTuple):
    """What a journal has of a step that hangs on values which are digests there: the verdict of each guard, in their order, and what
    failed."""

    guards: Iterable[bool] = ()
    broken: Mapping[int, str] | None = None

    def asked(self) -> Asked:
        verdicts = iter(self.guards)
        return lambda _: next(verdicts, None)


class _Names:
    """The names of an expression, in the midst of a step."""

    __slots__ = ("_event", "_path", "_turn", "others", "vars")

    def __init__(
        self, macrostep: Macrostep, scope: str, path: str, event: Event | None, others: Mapping[str, Any]
    ) -> None:
        self._turn, self._path, self._event, self.others = macrostep, path, event, others
        self.vars: Mapping[str, Any] = macrostep.lasting.vars.get(scope, NO_DATA)

    @property
    def event(self) -> Any:
        event = self._event
        return None if event is None else {"time": event.time, "name": event.name, **event.data}

    @property
    def call(self) -> Any:
        macrostep = self._turn
        leg = macrostep.legs.get(MAIN_LEG)
        return {
            **(NO_DATA if leg is None else leg.data),
            **macrostep.call,
            "outcome": macrostep.outcome_so_far,
            "elapsed": macrostep.time - macrostep.started,
            "answered": leg is not None and leg.status not in ("absent", "dialing", "ringing"),
        }

    @property
    def env(self) -> Any:
        return self._turn.env

    @property
    def state(self) -> Any:
        return {"visits": self._turn.visits.get(self._path, 0)}


class Macrostep:
    """One input being carried out. `at` is the configuration; what a `Memory` has stands here under the same names.

    None of it is changed in place, since other snapshots may share it: what becomes different is made anew.
    """

    __slots__ = (
        *("at", "attempts", "before", "broken", "budget", "entered", "flow", "fresh", "moves", "notes", "out", "queue"),
        *("returning", "table", "time", "tools", "verdicts"),
        *Memory._fields,
    )

    lasting: Lasting
    started: float
    vars: Mapping[str, Mapping[str, Any]]
    env: Mapping[str, str]
    call: Mapping[str, Any]
    phase: Phase
    lists: Mapping[int, ActionList]
    effects: Mapping[int, Running]
    timers: tuple[Timer, ...]
    silences: Mapping[str, Silence]
    kept: tuple[Event, ...]
    held: tuple[Event, ...]
    history: Mapping[str, tuple[str, ...]]
    visits: Mapping[str, int]
    finished: frozenset[str]
    legs: Mapping[str, Leg]
    needless: Needless | None
    caller_speaks: bool
    agent_busy: bool
    others_speak: bool
    muted: bool
    caller_muted: bool
    cut_off: bool
    closed: frozenset[str]
    closing: frozenset[str]
    outcome: str | None
    fault: str | None
    faults: int
    final: str | None
    next_effect: int
    next_seq: int
    next_generation: int

    def __init__(self, flow: Flow, snapshot: Snapshot, time: float, recorded: Given | None = None) -> None:
        table: Table = flow.made.get(TABLE) or table_of(flow)
        self.before = snapshot
        self.flow: Flow = flow
        self.table = table
        self.time = time
        self.verdicts = None if recorded is None else recorded.asked()
        self.broken = None if recorded is None else recorded.broken
        self.attempts = 0  # expressions that were tried beside guards
        leaves, memory, self.entered = snapshot
        self.at: Configuration = table.configurations.get(leaves) or configuration_of(table, leaves)
        (
            self.phase, self.lists, self.effects, self.timers, self.silences, self.kept, self.legs, self.caller_speaks,
            self.agent_busy, self.closed, self.closing, self.finished, self.outcome, self.final, self.next_effect,
            self.next_seq, self.next_generation, self.lasting,
        ) = memory  # fmt: skip
        self.fresh: list[ActionList] = []  # lists of this step that nothing keeps from running through, in their order
        self.queue: tuple[Queued, ...] = ()
        self.returning: tuple[Event, ...] = ()
        self.tools: list[ToolCall] = []
        self.out: list[Start | Cancel | Forward] = []
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

    def add_list(self, one: ActionList) -> ActionList:
        """A list stands in the sequencer from now on, under the next number."""
        seq = self.sequence()
        one = one.numbered(seq)
        self.lists = {**self.lists, seq: one}
        return one

    def begin_lists(self, lists: Iterable[ActionList]) -> None:
        """Lists of a move. Where nothing is under way for which they might have to wait they are not put down in the
        sequencer: as a rule they are through at once."""
        if self.fresh or not (self.lists or (self.effects and any(it.stopping for it in self.effects.values()))):
            self.fresh += lists
        else:
            for one in lists:
                self.add_list(one)

    def put_down(self) -> None:
        """The fresh lists stand in the sequencer from now on."""
        for one in self.fresh:
            self.add_list(one)
        self.fresh.clear()

    def numbered(self, one: ActionList, position: int) -> ActionList:
        """A list that has to wait at an action, as it stands in the sequencer, and before those that are begun after it."""
        if one.seq == 0:  # it is the first of the fresh ones
            seq = self.next_seq
            self.put_down()
            one = self.lists[seq]
        return one if position == one.position else self.change_list(one.at(position))

    def change_list(self, one: ActionList) -> ActionList:
        """A list of the sequencer as it is from now on."""
        self.lists = {**self.lists, one.seq: one}
        return one

    def done_with(self, one: ActionList) -> None:
        """A list of the sequencer that is through, or dropped."""
        self.lists = without(self.lists, one.seq)

    def drop_done(self, left: tuple[str, ...]) -> None:
        """A state that is left is not done any more, also when it is entered again before its `done` is looked at. One that
        was kept is stale as well when the state's inside has moved on."""
        if self.queue:
            self.queue = tuple([one for one in self.queue if one.event.name != "done" or one.event.state not in left])
        if self.kept:
            self.kept = tuple([one for one in self.kept if not _is_over(one, left)])
        if self.returning:
            self.returning = tuple([one for one in self.returning if not _is_over(one, left)])

    def has_finished(self, path: str) -> None:
        """A state that must finish is done: what was kept returns, once."""
        if path in self.at.must_finish and path not in self.finished:
            self.finished |= {path}
            self.release_kept()

    def release_kept(self) -> None:
        self.returning += self.kept
        self.kept = ()

    @property
    def live(self) -> bool:
        return self.phase in LIVE

    @property
    def active(self) -> frozenset[str]:
        """The active states, the top level excepted."""
        return self.at.active

    @property
    def in_ending(self) -> bool:
        return self.at.in_ending

    @property
    def farewell(self) -> bool:
        """Whether what is said now are the call's last words."""
        return self.at.in_ending or self.at.says_goodbye or not self.live

    @property
    def outcome_so_far(self) -> str:
        """The outcome, or what it would be if the call ended now (rule 14)."""
        return self.outcome or ("failed" if self.fault else "none")

    def context(self, scope: str, state: str, event: Event | None, result: Any = None) -> Values:
        """The names of an expression, as they are now."""
        return _Names(self, scope, state, event, NO_DATA if result is None else {"result": result})

    def latest(self, scope: str) -> str:
        """Where a sub-flow's variables are: at its host's path while it is active, afterwards at that of its last instance."""
        if scope in self.vars:
            return scope
        past = [name for name in self.vars if name.startswith(f"{scope}#")]
        return max(past, key=lambda name: int(name.rpartition("#")[2]), default=scope)

    def holds(self, row: Transition, guard: Expression, event: Event | None) -> bool:
        """Whether a row's guard is true now. An error in it counts as false, and is noted."""
        recorded = None if self.verdicts is None else self.verdicts(row)
        if recorded is not None:
            verdict = recorded
        else:
            try:
                scope = row.scope if row.scope in self.lasting.vars else self.latest(row.scope)
                verdict = bool(guard.evaluate(_Names(self, scope, row.source, event, NO_DATA)))
            except EvaluationError as error:
                verdict = False
                self.note("guard_error", transition=row.id, error=str(error))
        self.notes.append(self.table.verdicts[row.id][verdict])
        return verdict

    def _unnumber(self) -> None:
        """Lists that a step has begun and carried through leave no trace: the next one takes their numbers."""
        if self.next_seq - 1 in self.lists:
            return
        numbers = [*self.lists]
        numbers += [number for one in self.effects.values() for number in (one.seq, one.list or 0)]
        numbers += [int(name.rpartition("#")[2]) for name in self.vars if "#" in name]
        self.next_seq = max((self.before.memory.next_seq - 1, *numbers)) + 1

    def freeze(self, event: Input | None) -> Step:
        """The step's value."""
        before = self.before.memory
        if self.next_seq != before.next_seq:
            self._unnumber()
        now = (
            self.phase, self.lists, self.effects, self.timers, self.silences, self.kept, self.legs, self.caller_speaks,
            self.agent_busy, self.closed, self.closing, self.finished, self.outcome, self.final, self.next_effect,
            self.next_seq, self.next_generation, self.lasting,
        )  # fmt: skip
        # Of variables 1, 1.0 and true are equal, and not the same.
        same = now == before and (self.lasting is before.lasting or self.vars is before.vars)
        memory = before if same else Memory._make(now)
        snapshot = Snapshot(self.at.leaves, memory, self.entered)
        return Step(event, snapshot, tuple(self.out), tuple(self.moves), tuple(self.notes))


def _lasting(name: str) -> property:
    """A part of the memory that hardly any event changes: its tier is made anew only where it becomes another."""
    part = attrgetter(f"lasting.{name}")

    def change(macrostep: Macrostep, value: Any) -> None:
        if value is not part(macrostep):
            macrostep.lasting = macrostep.lasting._replace(**{name: value})

    return property(part, change)


for _name in Lasting._fields:
    setattr(Macrostep, _name, _lasting(_name))
