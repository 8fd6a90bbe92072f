"""What nothing can read again is dropped from a snapshot, so that calls that go on in the same way are the same.

Dropped are the values of variables, of visits and of the legs that no guard reads; of the outcome, unless a guard asks for it, but
whether there is one; how the call was at fault. What is dropped of a value leaves one of its kind: a text that shows it renders all
the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import NO_DATA, Event
from callflow.core.expressions import Expression
from callflow.core.flow import ROOT, Flow, Transition
from callflow.core.occurs import Facts
from callflow.core.render import templates_in
from callflow.core.snapshot import ActionList, Memory, Snapshot
from callflow.core.statechart.descriptors import candidates
from callflow.core.statechart.lists import every_list, transitions
from callflow.core.statechart.structure import ends_the_call, inside
from callflow.core.table import table_of
from callflow.core.turn import LIVE

Forget = Callable[[Snapshot], Snapshot]


def forgetting(flow: Flow) -> Forget:
    """What a snapshot of this flow is without what nothing can read again."""
    table = table_of(flow)
    everywhere = _Read(flow, flow.transitions)
    at_the_end = _Read(flow, [move for path in within_ending(flow) for move in transitions(flow.states[path])])
    over = ends_alone(flow)
    decisive = _Decisive(flow)

    def forget(snapshot: Snapshot) -> Snapshot:
        memory = snapshot.memory
        live = memory.phase in LIVE
        in_the_end = over and configuration_of(table, snapshot.configuration).in_ending
        changed = (at_the_end if in_the_end or not live else everywhere).left_of(memory)
        if memory.closing & memory.closed:
            changed["closing"] = memory.closing - memory.closed
        if memory.kept:
            changed["kept"] = decisive.up_to(memory.kept)
        if memory.lists:
            changed["lists"] = _no_more_than_many(memory)
        if not live:
            changed |= _OVER
        elif in_the_end:
            changed |= _of_the_end(flow, memory)
        if not changed.get("silences", memory.silences):
            changed |= _VOICES
        return Snapshot(snapshot.configuration, memory._replace(**changed), 0)

    return forget


MANY = 2
"""So many lists of one kind that wait behind each other are as good as more."""


class _Decisive:
    """Kept events after which no other matters: wherever they return, they lead to the ending, from which nothing leads back."""

    def __init__(self, flow: Flow) -> None:
        self._over = ends_alone(flow)
        self._flow = flow
        self._known: dict[str, bool] = {}
        self._first: Event | None = None

    def decides(self, event: Event) -> bool:
        if event.name not in self._known:
            self._known[event.name] = self._over and self._decides(event)
        return self._known[event.name]

    def _decides(self, event: Event) -> bool:
        rows = [row for state in self._flow.states.values() for row in candidates(state.rows, event.name)]
        if event.state == ROOT:  # a timer
            rows = list(table_of(self._flow).states[ROOT].timers[event.data["row"]].transitions)
        return [self._ends(row) for row in rows] == [True]

    def _ends(self, row: Transition | None) -> bool:
        return (
            row is not None
            and row.source == ROOT
            and row.guard is None
            and row.target == self._flow.ending
            and all(verb_of(action.verb).at_once and "outcome" in verb_of(action.verb).roles for action in row.actions)
        )

    def up_to(self, kept: tuple[Event, ...]) -> tuple[Event, ...]:
        """Those up to the first that decides, which stands for any other that does."""
        for place, event in enumerate(kept):
            if self.decides(event):
                if self._first is None:
                    self._first = event
                return (*kept[:place], self._first)
        return kept


def _no_more_than_many(memory: Memory) -> Mapping[int, ActionList]:
    count: Counter[tuple[str, str, str | int]] = Counter()
    kept = {}
    for seq, one in memory.lists.items():
        waits = one.effect is None and not one.stopped and one.position == 0 and one.kind in ("stay", "do", "rest", "late")
        if waits:
            count[one.kind, one.owner, one.key] += 1
            if count[one.kind, one.owner, one.key] > MANY:
                continue
        kept[seq] = one
    return kept or NO_DATA


class _Read:
    """What these rows can read of a snapshot."""

    def __init__(self, flow: Flow, rows: Iterable[Transition]) -> None:
        rows = [row for row in rows if row.guard is not None]
        guards = frozenset[str]().union(*(row.guard.reads for row in rows if row.guard is not None))
        self.variables = _deciding(flow, rows)
        self.outcome = "call.outcome" in guards
        self.legs = any(name.startswith("call.") and name != "call.outcome" for name in guards)
        self.visits = max((_largest(row.guard) for row in rows if row.guard and "state.visits" in row.guard.reads), default=0)
        self.shown: dict[tuple[str, str], Any] = {}

    def left_of(self, memory: Memory) -> dict[str, Any]:
        changed: dict[str, Any] = {"needless": None, "final": None}
        if not self.outcome:
            changed["outcome"] = changed["fault"] = None
        if memory.visits:
            most = self.visits
            changed["visits"] = {path: min(count, most) for path, count in memory.visits.items()} if most else NO_DATA
        if not self.legs:
            changed["call"] = NO_DATA
            changed["legs"] = {name: leg._replace(data=NO_DATA) for name, leg in memory.legs.items()}
        if memory.vars:
            changed["vars"] = {name: self._scope(name, values) for name, values in memory.vars.items()}
        return changed

    def _scope(self, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        path = name.partition("#")[0]
        return {
            one: value if value is None or (path, one) in self.variables else self.shown.setdefault((path, one), value)
            for one, value in values.items()
        }


def _largest(guard: Expression) -> int:
    """From how many visits on it makes no difference how many there were."""
    return 2 + max((int(number) for number in re.findall(r"\d+", guard.source)), default=0)


def within_ending(flow: Flow) -> frozenset[str]:
    """The state that `ending:` names, and those inside."""
    return frozenset(path for path in flow.states if path == flow.ending or inside(path, flow.ending))


_VOICES: Mapping[str, bool] = dict.fromkeys(
    ("caller_speaks", "agent_busy", "others_speak", "muted", "caller_muted", "cut_off"), False
)
"""Where no silence counts nobody asks who speaks."""


_OVER: Mapping[str, Any] = {"legs": NO_DATA, "silences": NO_DATA, "timers": (), "kept": (), "held": (), "history": NO_DATA, "faults": 0}
"""Of a call that is over only what runs goes on."""


def _of_the_end(flow: Flow, memory: Memory) -> dict[str, Any]:
    """In an ending from which nothing leads but the end, what stands outside of it has no say any more."""
    within = within_ending(flow)
    return {
        "kept": tuple(event for event in memory.kept if event.name.startswith("tool.")) or (),
        "timers": tuple(one for one in memory.timers if one.state in within or one.kind in ("stop", "settle")),
        "history": NO_DATA,
        "silences": {path: one for path, one in memory.silences.items() if path in within} or NO_DATA,
    }


def ends_alone(flow: Flow) -> bool:
    """Whether the state that `ending:` names leads to the end of the call alone, whatever happens."""
    within = within_ending(flow)
    return all(
        move.target is None or move.target in within or ends_the_call(flow.states[move.target])
        for path in within
        for move in transitions(flow.states[path])
    )


def knowing(flow: Flow) -> Callable[[Snapshot, Facts], Facts]:
    """What of the facts can matter to whatever comes next."""
    table = table_of(flow)
    over = ends_alone(flow)
    decisive = _Decisive(flow)

    def know(snapshot: Snapshot, facts: Facts) -> Facts:
        if snapshot.memory.phase not in LIVE:
            return frozenset()
        if any(map(decisive.decides, snapshot.memory.kept)):
            facts -= _NO_MATTER
        return facts & _IN_THE_END if over and configuration_of(table, snapshot.configuration).in_ending else facts

    return know


_NO_MATTER: Facts = frozenset({"job", "away"})
"""Facts of the events that a state which must finish would but keep behind the one that decides."""

_IN_THE_END: Facts = frozenset({"session", "room"})


def canonical(memory: Memory) -> Memory:
    """With its timers in an order of their own, which is not that in which they are due."""
    timers = memory.timers
    if len(timers) < 2:
        return memory
    return memory._replace(timers=tuple(sorted(timers, key=lambda timer: timer[1:4])))


def _deciding(flow: Flow, rows: Iterable[Transition]) -> frozenset[tuple[str, str]]:
    """The variables, each by its scope and name, that the guards of rows read, and those that are set into these."""
    found = {
        (row.scope, name.split(".")[1])
        for row in rows
        if row.guard is not None
        for name in row.guard.reads
        if name.startswith("vars.")
    }
    while True:
        more = {
            (written.scope, read.split(".")[1])
            for written in every_list(flow)
            for action in written.actions
            for name, value in (verb_of(action.verb).given("variables", action.arguments) or {}).items()
            if (written.scope, name) in found
            for template in templates_in(value)
            for read in template.reads
            if read.startswith("vars.")
        }
        for path, state in flow.states.items():  # what a sub-flow is given, and what it returns
            more |= {
                (state.scope, read.split(".")[1])
                for name, value in state.arguments.items()
                if (path, name) in found
                for template in templates_in(value)
                for read in template.reads
                if read.startswith("vars.")
            }
            more |= {
                (state.scope, read.split(".")[1])
                for value in state.returns.values()
                for template in templates_in(value)
                for read in template.reads
                if read.startswith("vars.")
            }
        if more <= found:
            return frozenset(found)
        found |= more
