"""A step at work: the mutable copy of a snapshot that one input is carried out on, and frozen again at its end.

Nobody outside `core` sees it. The rules live in the modules that work on it: `selection` (which rows), `moves` (which
states), `lists` (the sequencer of actions), `clocks` (timers and silence).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from callflow.core.configuration import Configuration, configuration_of
from callflow.core.events import MAIN_LEG, NO_DATA, Event, Input
from callflow.core.expressions import Context, EvaluationError, Expression
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
"""Shared, as NO_DATA is: most of what a live call remembers is empty."""


class Queued(NamedTuple):
    """An event that the step itself raised. `list` waits until it is taken; `result` says that it is a verb's named
    result, so that one other than success that nobody takes becomes a failure. Of one that is not `heard` nothing follows
    but that it counts (rule 3)."""

    event: Event
    list: int | None = None
    result: bool = False
    heard: bool = True


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


def _as_is(part: Any) -> Any:
    return part


# A part of the memory: how a step takes it up to work on it, and how it is put down again.
_AS_IT_IS = (_as_is, _as_is)
_A_LIST = (list, tuple)
_A_SET = (set, lambda part: frozenset(part) if part else NOTHING)
_A_DICT = (dict, lambda part: part or NO_DATA)
_OTHERS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "vars": (lambda part: {scope: dict(values) for scope, values in part.items()}, _as_is),
    "lists": (lambda part: {one.seq: one for one in part}, lambda part: tuple(part.values())),
    "effects": _A_DICT,
    "timers": _A_LIST,
    "silences": (lambda part: {one.state: one for one in part}, lambda part: tuple(part.values())),
    "kept": _A_LIST,
    "held": _A_LIST,
    "history": _A_DICT,
    "visits": _A_DICT,
    "finished": _A_SET,
    "legs": _A_DICT,
    "closed": _A_SET,
    "closing": _A_SET,
}
_PARTS = {name: (index, *_OTHERS.get(name, _AS_IT_IS)) for index, name in enumerate(Memory._fields)}


class _Part:
    """A part of the memory, taken up from the snapshot when it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._index, self._take_up, _ = _PARTS[name]

    def __get__(self, turn: Turn, _owner: type[Turn]) -> Any:
        # What a memory holds may be shared with other snapshots: what is worked on is a copy.
        part = turn.__dict__[self._name] = self._take_up(turn.before.memory[self._index])
        return part


class _Name:
    """What stands behind one of the first names of an expression, made when it is first read."""

    def __init__(self, make: Callable[[_Names], Any]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, names: _Names, _owner: type[_Names]) -> Any:
        made = names.__dict__[self._name] = self._make(names)
        return made


class _Names(Context):
    """The names of an expression, in the midst of a step."""

    def __init__(self, turn: Turn, scope: str, path: str, event: Event | None, others: Mapping[str, Any]) -> None:
        self._turn, self._scope, self._path, self._event, self.others = turn, scope, path, event, others

    @_Name
    def event(self) -> Any:
        event = self._event
        return None if event is None else {"time": event.time, "name": event.name, **event.data}

    @_Name
    def vars(self) -> Any:
        return self._turn.seen("vars").get(self._scope, NO_DATA)

    @_Name
    def call(self) -> Any:
        turn = self._turn
        leg = turn.seen("legs").get(MAIN_LEG)
        return {
            **(NO_DATA if leg is None else leg.data),
            **turn.call,
            "outcome": turn.outcome_so_far,
            "elapsed": turn.time - turn.started,
            "answered": leg is not None and leg.status not in ("absent", "dialing", "ringing"),
        }

    @_Name
    def env(self) -> Any:
        return self._turn.env

    @_Name
    def state(self) -> Any:
        return {"visits": self._turn.seen("visits").get(self._path, 0)}


class Turn:
    """One input being carried out. `at` is the configuration.

    The parts of the memory are taken up when they are first asked for; what a step does not touch is shared with the
    snapshot `before`.
    """

    __slots__ = (
        *(
            "__dict__",
            "at",
            "attempts",
            "before",
            "broken",
            "budget",
            "entered",
            "flow",
            "moves",
            "notes",
            "out",
            "queue",
        ),
        *("fresh", "phase", "returning", "table", "time", "tools", "verdicts"),
    )

    started: float
    vars: dict[str, dict[str, Any]]
    env: Mapping[str, str]
    call: Mapping[str, Any]
    lists: dict[int, ActionList]
    effects: dict[int, Running]
    timers: list[Timer]
    silences: dict[str, Silence]
    kept: list[Event]
    held: list[Event]
    history: dict[str, tuple[str, ...]]
    visits: dict[str, int]
    finished: set[str]
    legs: dict[str, Leg]
    caller_speaks: bool
    agent_busy: bool
    others_speak: bool
    muted: bool
    caller_muted: bool
    cut_off: bool
    closed: set[str]
    closing: set[str]
    outcome: str | None
    fault: str | None
    faults: int
    final: str | None
    next_effect: int
    next_seq: int
    next_generation: int

    def __init__(self, flow: Flow, snapshot: Snapshot, time: float, recorded: Verdicts | None = None) -> None:
        self.before = snapshot
        self.flow: Flow = flow
        self.table: Table = table_of(flow)
        self.time = time
        self.verdicts = None if recorded is None else iter(recorded.guards)
        self.broken = None if recorded is None else recorded.broken
        self.attempts = 0  # expressions that were tried beside guards
        self.at: Configuration = configuration_of(self.table, snapshot.configuration)
        self.entered = snapshot.entered
        self.phase: Phase = snapshot.memory.phase
        self.fresh: list[ActionList] = []  # lists of this step that nothing keeps from running through, in their order
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

    def seen(self, name: str) -> Any:
        """A part of the memory to look at, not to change; `lists` and `silences` may be as the snapshot has them."""
        parts = self.__dict__
        return parts[name] if name in parts else getattr(self.before.memory, name)

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

    def begin_list(
        self, kind: ListKind, owner: str, writer: str, key: str | int, event: Event | None = None, position: int = 0
    ) -> None:
        """A list of a move. Where nothing is under way for which it might have to wait it is not put down in the sequencer:
        as a rule it is through at once."""
        effects = self.seen("effects")
        if self.fresh or not (self.seen("lists") or (effects and any(one.stopping for one in effects.values()))):
            self.fresh.append(ActionList(0, kind, owner, writer, key, position, event=event))
        else:
            self.add_list(kind, owner, writer, key, event, position)

    def put_down(self) -> None:
        """The fresh lists stand in the sequencer from now on."""
        if self.fresh:
            for one in self.fresh:
                seq = self.sequence()
                self.lists[seq] = one._replace(seq=seq)
            self.fresh.clear()

    def numbered(self, one: ActionList, position: int) -> ActionList:
        """A list that has to wait at an action, as it stands in the sequencer, and before those that are begun after it."""
        if one.seq == 0:  # it is the first of the fresh ones
            seq = self.next_seq
            self.put_down()
            one = self.lists[seq]
        if position != one.position:
            one = self.lists[one.seq] = one._replace(position=position)
        return one

    def done_with(self, one: ActionList) -> None:
        if one.seq == 0:
            del self.fresh[0]
        else:
            del self.lists[one.seq]

    def drop_done(self, path: str) -> None:
        """A state that is left is not done any more, also when it is entered again before its `done` is looked at. One that
        was kept is stale as well when the state's inside has moved on."""
        if self.queue:
            stale = [one for one in self.queue if one.event.name == "done" and one.event.state == path]
            for one in stale:
                self.queue.remove(one)
        if self.seen("kept"):
            self.kept = [one for one in self.kept if not _is_over(one, path)]
        if self.returning:
            self.returning = deque(one for one in self.returning if not _is_over(one, path))

    def has_finished(self, path: str) -> None:
        """A state that must finish is done: what was kept returns, once."""
        if path in self.at.must_finish and path not in self.finished:
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

    def context(self, scope: str, state: str, event: Event | None, result: Any = None) -> Context:
        """The names of an expression, as they are now."""
        return _Names(self, scope, state, event, NO_DATA if result is None else {"result": result})

    def latest(self, scope: str) -> str:
        """Where a sub-flow's variables are: at its host's path while it is active, afterwards at that of its last instance."""
        known = self.seen("vars")
        if scope in known:
            return scope
        past = [name for name in known if name.startswith(f"{scope}#")]
        return max(past, key=lambda name: int(name.rpartition("#")[2]), default=scope)

    def holds(self, row: Transition, guard: Expression, event: Event | None) -> bool:
        """Whether a row's guard is true now. An error in it counts as false, and is noted."""
        recorded = None if self.verdicts is None else next(self.verdicts, None)
        if recorded is not None:
            verdict = recorded
        else:
            try:
                verdict = bool(guard.evaluate(self.context(self.latest(row.scope), row.source, event)))
            except EvaluationError as error:
                verdict = False
                self.note("guard_error", transition=row.id, error=str(error))
        self.note("guard", transition=row.id, holds=verdict)
        return verdict

    def _unnumber(self) -> None:
        """Lists that a step has begun and carried through leave no trace: the next one takes their numbers."""
        if self.next_seq != self.before.memory.next_seq:
            numbers = [one.seq for one in self.lists.values()]
            numbers += [number for one in self.effects.values() for number in (one.seq, one.list or 0)]
            numbers += [int(name.rpartition("#")[2]) for name in self.seen("vars") if "#" in name]
            self.next_seq = max((self.before.memory.next_seq - 1, *numbers)) + 1

    def freeze(self, event: Input | None) -> Step:
        """The step's value."""
        before = self.before.memory
        if self.phase != before.phase:
            self.__dict__["phase"] = self.phase
        if "next_seq" in self.__dict__:
            self._unnumber()
        parts = None
        for name, part in self.__dict__.items():
            index, _, put_down = _PARTS[name]
            now = part if put_down is _as_is else put_down(part)
            if now != before[index]:
                parts = parts or list(before)
                parts[index] = now
        memory = before if parts is None else Memory._make(parts)
        snapshot = Snapshot(self.at.leaves, memory, self.entered)
        return Step(event, snapshot, tuple(self.out), tuple(self.moves), tuple(self.notes))


for _name in _PARTS.keys() - {"phase"}:
    setattr(Turn, _name, _Part(_name))
