"""The dispatch tables that a step runs on, read off the flow's machine once, and what SCXML derives from structure alone.

Structure and rows come from `transitions` (`machine_with`); order, levels and what transitions has no word for come
from the flow itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from attrs import Factory, define

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.events import Event, Queued
from callflow.core.farewell import goodbyes
from callflow.core.flow import ROOT, Flow, Row, State, TimerRow, Transition
from callflow.core.machine import ALWAYS, PathTransition, machine_with, outermost
from callflow.core.snapshot import WITH, ActionList, Note
from callflow.core.statechart.action_lists import lists_of, transitions
from callflow.core.statechart.descriptors import candidates
from callflow.core.statechart.structure import inside

TABLE = "table"

CACHE_LIMIT = 1024  # event names come from outside: what is remembered of them is bounded


@define
class StateTable:
    """One state, ready for the step. `ancestors` are the states around it, the nearest first, the top level last."""

    state: State
    path: str
    order: int
    kind: str
    parent: str | None
    ancestors: tuple[str, ...]
    children: tuple[str, ...]
    rows: tuple[Row, ...]
    always: tuple[Transition, ...]
    timers: tuple[TimerRow, ...]
    history: tuple[str, ...]  # the history states among its children
    silences: tuple[TimerRow, ...]  # of the timers those
    speaks: bool
    hears_done: bool  # something follows from its being done
    unheard: Queued  # its `done`, where nothing follows from that
    acts_on_entry: bool  # or somebody waits for its entry list
    counts_visits: bool
    is_scope: bool  # its inside is a sub-flow, with variables of its own
    entry: ActionList  # the lists of a move, as they begin
    exit: ActionList
    cache: dict[str, tuple[Transition | None, ...]] = Factory(dict)

    def at_level(self, name: str, level: str) -> tuple[Transition | None, ...]:
        """The same for one level alone: `inner` is the top of the sub-flow that is this state's inside."""
        return tuple(candidates((row for row in self.rows if row.level == level), name))

    def candidates(self, name: str) -> tuple[Transition | None, ...]:
        """The rows for an event, the first to try first; None: it is ignored here."""
        found = self.cache.get(name)
        if found is None:
            found = tuple(candidates(self.rows, name))
            if len(self.cache) >= CACHE_LIMIT:
                self.cache.clear()
            self.cache[name] = found
        return found


@define
class Table:
    """All states of a flow, ready for the step."""

    flow: Flow
    states: Mapping[str, StateTable]
    to_ending: Mapping[str, Transition]  # by scope: the row that a failure takes when nobody handles it
    endings: frozenset[str]  # the states that `ending:` names, of the flow and of its sub-flows
    must_finish: frozenset[str]
    domains: dict[int, str]
    hears_tools: frozenset[str]  # the scopes with rows for tools
    most_entered: float  # `limits.no_progress`, infinite where there is none
    goodbyes: frozenset[str]  # states before the ending from which nothing but the end is left
    verdicts: Mapping[int, tuple[Note, Note]]  # by row: what is noted of its guard where it is false, and true
    # What others have worked out of them, and look up: a list by its kind and key, a configuration by its leaves.
    contents: dict[str, dict[str | int, Any]] = Factory(lambda: defaultdict(dict))
    configurations: dict[tuple[str, ...], Any] = Factory(dict)

    def expand(self, leaves: Iterable[str]) -> set[str]:
        """The active states, the top level excepted, from the active leaves."""
        active: set[str] = set()
        for leaf in leaves:
            active.add(leaf)
            active.update(self.states[leaf].ancestors)
        active.discard(ROOT)
        return active

    def leaves(self, active: Collection[str]) -> tuple[str, ...]:
        """The active leaves in document order: what a snapshot holds."""
        inner = {self.states[path].parent for path in active}
        return tuple(sorted((path for path in active if path not in inner), key=self.order))

    def order(self, path: str) -> int:
        return self.states[path].order

    def domain(self, row: Transition) -> str:
        """The state that a transition stays inside (W3C SCXML, getTransitionDomain), with XState's difference: a target
        inside the state that writes the row keeps that state active, also a parallel one, unless `reenter`."""
        known = self.domains.get(row.id)
        if known is not None:
            return known
        target = row.target or ROOT
        top = row.source == ROOT or row.level == "inner"  # a sub-flow's top level stays, as the main flow's does
        if top or (not row.reenter and inside(target, row.source)):
            domain = row.source
        else:
            domain = next(
                outer
                for outer in self.states[row.source].ancestors
                if self.states[outer].kind != "parallel" and inside(target, outer)
            )
        self.domains[row.id] = domain
        return domain

    def side_by_side(self, one: str, other: str) -> bool:
        """Whether two states stand in different regions of one parallel state, so that their lists need not wait."""
        if one == other or inside(one, other) or inside(other, one):
            return False
        around = set(self.states[one].ancestors)
        nearest = next(outer for outer in self.states[other].ancestors if outer in around)
        return self.states[nearest].kind == "parallel"


def table_of(flow: Flow) -> Table:
    """The tables of a flow, made once."""
    found: Table | None = flow.made.get(TABLE)
    if found is None:
        found = flow.made[TABLE] = compile_table(flow)
    return found


def compile_table(flow: Flow) -> Table:
    """Reads the tables off the flow's machine."""
    machine = machine_with(flow, outermost(flow)[:1])
    found: dict[str, dict[str, dict[int, Transition]]] = {path: {} for path in flow.states}
    for trigger, event in machine.events.items():
        for moves in event.transitions.values():
            for move in moves:
                if not isinstance(move, PathTransition):
                    raise TypeError("this machine was not made from a flow")
                row = move.row
                found[row.source].setdefault(trigger, {})[row.id] = row
    parents: dict[str, str] = {}

    def walk(states: Mapping[str, Any], outer: str) -> None:
        for name, state in states.items():
            path = f"{outer}.{name}" if outer else name
            parents[path] = outer
            walk(state.states, path)

    walk(machine.states, ROOT)
    reads = {path for path in flow.states if _reads_visits(flow, path)}
    # An empty list is one for which those of its regions wait, where it waits itself.
    regions = any(state.kind == "parallel" for state in flow.states.values())
    states = {
        path: _state_table(flow, path, number, found[path], parents, path in reads, regions)
        for number, path in enumerate(flow.states)
    }
    scopes = {
        path: Transition(-n, scope.path, scope.ending, None, (), False, flow.states[scope.path].position, scope=path)
        for n, (path, scope) in enumerate(flow.scopes.items(), 1)
        if scope.ending is not None
    }
    must_finish = frozenset(path for path, state in flow.states.items() if state.must_finish)
    hears_tools = frozenset(
        move.scope
        for state in flow.states.values()
        for row in state.rows
        if row.pattern.startswith("tool.")
        for move in row.transitions
    )
    verdicts = {row.id: _verdicts(row) for row in flow.transitions if row.guard is not None}
    most = math.inf if flow.limits.no_progress is None else flow.limits.no_progress
    endings = frozenset(row.target for row in scopes.values() if row.target is not None)
    return Table(flow, states, scopes, endings, must_finish, {}, hears_tools, most, goodbyes(flow), verdicts)


def _state_table(
    flow: Flow,
    path: str,
    order: int,
    found: Mapping[str, Mapping[int, Transition]],
    parents: Mapping[str, str],
    reads_visits: bool,
    regions: bool,
) -> StateTable:
    state = flow.states[path]
    parent = parents.get(path, state.parent)  # a history state is no state of the machine
    ancestors: list[str] = []
    outer = parent
    while outer is not None:
        ancestors.append(outer)
        outer = parents.get(outer, flow.states[outer].parent)
    history = tuple(child for child in state.children if flow.states[child].kind == "history")
    rows = tuple(row for row in state.rows if row.ignore or row.pattern in found)
    hears_done = state.must_finish or any(True for _ in candidates(rows, "done"))
    is_scope = path in flow.scopes and path != ROOT
    listed = bool(state.entry or state.arguments or state.task or state.kind in ("atomic", "final"))
    return StateTable(
        state=state,
        path=path,
        order=order,
        kind=state.kind,
        parent=parent,
        ancestors=tuple(ancestors),
        children=tuple(child for child in state.children if child not in history),
        rows=rows,
        always=tuple(found.get(ALWAYS, {}).values()),
        timers=state.timers,
        history=history,
        silences=tuple(timer for timer in state.timers if timer.kind == "silence"),
        speaks=any(verb_of(action.verb).takes_the_turn for action in state.entry),
        hears_done=hears_done,
        unheard=Queued(Event("done", state=path), heard=False),
        acts_on_entry=listed or regions,
        counts_visits=reads_visits,
        is_scope=is_scope,
        entry=ActionList(0, "entry", path, path, path, WITH if state.arguments else 0),
        exit=ActionList(0, "exit", path, path, path),
    )


def _verdicts(row: Transition) -> tuple[Note, Note]:
    false, true = (Note("guard", {"transition": row.id, "holds": holds}) for holds in (False, True))
    return false, true


def _reads_visits(flow: Flow, path: str) -> bool:
    state = flow.states[path]
    if any(move.guard is not None and "state.visits" in move.guard.reads for move in transitions(state)):
        return True
    return any(
        "state.visits" in template.reads
        for written in lists_of(state)
        for action in written.actions
        for template in templates_in(action.arguments)
    )
