"""A move itself: states are left and entered at once; what they do then stands in the sequencer (W3C SCXML, Algorithm for
SCXML Interpretation; rules 4 to 6)."""

from __future__ import annotations

from collections.abc import Iterable

from callflow.core import clocks, sequencer
from callflow.core.configuration import Way
from callflow.core.content import forget, outlive
from callflow.core.events import NO_DATA, Event
from callflow.core.flow import ROOT, Transition
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Microstep
from callflow.core.statechart.structure import inside
from callflow.core.table import StateTable


def move(macrostep: Macrostep, rows: tuple[Transition, ...], trigger: str, event: Event | None) -> None:
    """Takes rows: the configuration changes at once; then their lists stand in the sequencer, exit before `do` before entry."""
    at = macrostep.at
    macrostep.budget += len(rows)
    way = at.known_way(rows)
    if way is None:
        leaving = at.leaving(rows)
        remember(macrostep, leaving)
        way = at.way(rows, leaving, macrostep.history)
    elif way.remembers:
        remember(macrostep, way.exited)
    enter(macrostep, rows, way, trigger, event)
    if macrostep.kept and not macrostep.table.must_finish.isdisjoint(way.exited):
        macrostep.release_kept()  # one that had to finish was left


def remember(macrostep: Macrostep, leaving: Iterable[str]) -> None:
    """What the history states of the states that are left stand for from now on."""
    for path in leaving:
        for history in macrostep.table.states[path].history:
            deep = macrostep.flow.states[history].history == "deep"
            left = {state for state in macrostep.active if inside(state, path)}
            if deep:
                parents = {macrostep.table.states[state].parent for state in left}
                last = [state for state in left if state not in parents]
            else:
                last = [state for state in left if macrostep.table.states[state].parent == path]
            macrostep.history = {**macrostep.history, history: tuple(sorted(last, key=macrostep.table.order))}


def enter(macrostep: Macrostep, rows: tuple[Transition, ...], way: Way, trigger: str, event: Event | None) -> None:
    """The move, given what it leaves and enters."""
    _leave(macrostep, rows, way, event)
    macrostep.at = way.after
    for state in way.entering:
        _enter(macrostep, state)
    if way.entries:
        macrostep.begin_lists(way.entries)
    if way.entered:
        macrostep.entered += len(way.entered)
        if macrostep.phase == "waiting":
            macrostep.phase = "running"
            clocks.disarm(macrostep, "answer", ROOT)
    macrostep.moves.append(Microstep(trigger, way.taken, way.exited, way.entered))
    if way.final is not None:
        end(macrostep, way.final)


def _leave(macrostep: Macrostep, rows: tuple[Transition, ...], way: Way, event: Event | None) -> None:
    """The states are left; what their exit lists and the rows' `do` say is owed."""
    if macrostep.lists or macrostep.effects or macrostep.fresh:
        speech = event.effect if event is not None and event.name.startswith("tool.") else None
        sequencer.leave(macrostep, way.left, speech)
    if macrostep.queue or macrostep.kept or macrostep.returning:
        macrostep.drop_done(way.exited)
    if way.exits:
        macrostep.begin_lists(way.exits)
    for state in way.leaving:
        if state.path in macrostep.finished:
            macrostep.finished -= {state.path}
        if state.timers:
            clocks.leave(macrostep, state.path)
        if state.is_scope:
            outlive(macrostep, state.path, asked=any(row.id in way.cut and row.scope == state.path for row in rows))
    for row in rows:
        if row.actions:
            sequencer.add_do(macrostep, row, event, left=row.id in way.cut)
    if way.ends_scope:
        forget(macrostep)  # only now is it known what can ask for their variables


def _enter(macrostep: Macrostep, state: StateTable) -> None:
    path = state.path
    if state.counts_visits:
        macrostep.visits = {**macrostep.visits, path: macrostep.visits.get(path, 0) + 1}
    if state.is_scope:
        variables = macrostep.flow.scopes[path].variables
        values = {name: one.default for name, one in variables.items() if not one.required}
        macrostep.vars = {**macrostep.vars, path: values}
        forget(macrostep)
    if state.timers:
        clocks.enter(macrostep, path)


def end(macrostep: Macrostep, final: str | None) -> None:
    """A final state of the top level is reached: timers stop, no event is taken any more (rule 13). What the model called
    is not forgotten: those events stay, for the rows of the states in which it did."""
    macrostep.phase = "final"
    macrostep.final = final
    macrostep.timers = tuple([timer for timer in macrostep.timers if timer.kind in ("stop", "away")])
    macrostep.silences = NO_DATA
    sequencer.let_go_on(macrostep)
    calls = [event for event in (*macrostep.returning, *macrostep.kept) if event.offered_in is not None]
    for event in (*macrostep.kept, *macrostep.held):
        if event.offered_in is None:
            macrostep.note("dropped", event=event.name, why="the call is over")
    macrostep.returning = tuple(calls)
    macrostep.kept = macrostep.held = ()
