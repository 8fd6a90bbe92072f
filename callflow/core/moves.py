"""A move itself: states are left and entered at once; what they do then stands in the sequencer (W3C SCXML, Algorithm for
SCXML Interpretation; rules 4 to 6)."""

from __future__ import annotations

from collections.abc import Iterable

from callflow.core import clocks, lists
from callflow.core.configuration import Way
from callflow.core.content import forget, outlive
from callflow.core.events import NO_DATA, Event
from callflow.core.flow import ROOT, Transition
from callflow.core.snapshot import Microstep
from callflow.core.statechart.structure import inside
from callflow.core.table import StateTable
from callflow.core.turn import Turn


def move(turn: Turn, rows: tuple[Transition, ...], trigger: str, event: Event | None) -> None:
    """Takes rows: the configuration changes at once; then their lists stand in the sequencer, exit before `do` before entry."""
    at = turn.at
    turn.budget += len(rows)
    way = at.known_way(rows)
    if way is None:
        leaving = at.leaving(rows)
        remember(turn, leaving)
        way = at.way(rows, leaving, turn.history)
    elif way.remembers:
        remember(turn, way.exited)
    enter(turn, rows, way, trigger, event)
    if turn.kept and not turn.table.must_finish.isdisjoint(way.exited):
        turn.release_kept()  # one that had to finish was left


def remember(turn: Turn, leaving: Iterable[str]) -> None:
    """What the history states of the states that are left stand for from now on."""
    for path in leaving:
        for history in turn.table.states[path].history:
            deep = turn.flow.states[history].history == "deep"
            left = {state for state in turn.active if inside(state, path)}
            if deep:
                parents = {turn.table.states[state].parent for state in left}
                last = [state for state in left if state not in parents]
            else:
                last = [state for state in left if turn.table.states[state].parent == path]
            turn.history = {**turn.history, history: tuple(sorted(last, key=turn.table.order))}


def enter(turn: Turn, rows: tuple[Transition, ...], way: Way, trigger: str, event: Event | None) -> None:
    """The move, given what it leaves and enters."""
    _leave(turn, rows, way, event)
    turn.at = way.after
    for state in way.entering:
        _enter(turn, state)
    if way.entries:
        turn.begin_lists(way.entries)
    if way.entered:
        turn.entered += len(way.entered)
        if turn.phase == "waiting":
            turn.phase = "running"
            clocks.disarm(turn, "answer", ROOT)
    turn.moves.append(Microstep(trigger, way.taken, way.exited, way.entered))
    if way.final is not None:
        end(turn, way.final)


def _leave(turn: Turn, rows: tuple[Transition, ...], way: Way, event: Event | None) -> None:
    """The states are left; what their exit lists and the rows' `do` say is owed."""
    if turn.lists or turn.effects or turn.fresh:
        speech = event.effect if event is not None and event.name.startswith("tool.") else None
        lists.leave(turn, way.left, speech)
    if turn.queue or turn.kept or turn.returning:
        turn.drop_done(way.exited)
    if way.exits:
        turn.begin_lists(way.exits)
    for state in way.leaving:
        if state.path in turn.finished:
            turn.finished -= {state.path}
        if state.timers:
            clocks.leave(turn, state.path)
        if state.is_scope:
            outlive(turn, state.path, asked=any(row.id in way.cut and row.scope == state.path for row in rows))
    for row in rows:
        if row.actions:
            lists.add_do(turn, row, event, left=row.id in way.cut)
    if way.ends_scope:
        forget(turn)  # only now is it known what can ask for their variables


def _enter(turn: Turn, state: StateTable) -> None:
    path = state.path
    if state.counts_visits:
        turn.visits = {**turn.visits, path: turn.visits.get(path, 0) + 1}
    if state.is_scope:
        variables = turn.flow.scopes[path].variables
        values = {name: one.default for name, one in variables.items() if not one.required}
        turn.vars = {**turn.vars, path: values}
        forget(turn)
    if state.timers:
        clocks.enter(turn, path)


def end(turn: Turn, final: str | None) -> None:
    """A final state of the top level is reached: timers stop, no event is taken any more (rule 13). What the model called
    is not forgotten: those events stay, for the rows of the states in which it did."""
    turn.phase = "final"
    turn.final = final
    turn.timers = tuple([timer for timer in turn.timers if timer.kind in ("stop", "away")])
    turn.silences = NO_DATA
    lists.let_go_on(turn)
    calls = [event for event in (*turn.returning, *turn.kept) if event.offered_in is not None]
    for event in (*turn.kept, *turn.held):
        if event.offered_in is None:
            turn.note("dropped", event=event.name, why="the call is over")
    turn.returning = tuple(calls)
    turn.kept = turn.held = ()
