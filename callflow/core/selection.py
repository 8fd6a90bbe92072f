"""Which rows an event takes (W3C SCXML selectTransitions), with `ignore`, `must_finish` and failures (rules 9, 11, 12)."""

from __future__ import annotations

from collections.abc import Iterable

from callflow.core.configuration import NOTHING, Configuration, Rows, Selected, offered_in
from callflow.core.events import Event
from callflow.core.flow import ROOT, TimerRow, Transition
from callflow.core.macrostep import Macrostep
from callflow.core.statechart.structure import within


class _Search:
    """One look for the rows of an event. `guarded` are the states that must finish and may keep a row from being taken.

    `ignored`: it has come to a row that ignores the event. `barred`: to one that may not be taken now; that has won all the
    same: what it would do is put off, and nobody behind or around it does something else instead.
    """

    __slots__ = ("barred", "event", "guarded", "ignored", "macrostep", "verdicts")

    def __init__(self, macrostep: Macrostep, event: Event | None, guarded: frozenset[str]) -> None:
        self.macrostep = macrostep
        self.event = event
        self.guarded = guarded
        self.barred = self.ignored = False
        self.verdicts: dict[int, bool] = {}  # two regions ask the same outer row once

    def selected(self, row: Transition | None) -> Selected:
        """What is selected where only this row was asked for."""
        return Selected(() if row is None else (row,), self.ignored, self.barred)

    def regions(self, chains: tuple[Rows, ...], at: Configuration) -> Selected:
        """Of each region's rows the first that holds."""
        found: list[Transition] = []
        for rows in chains:
            row = self.first(rows)
            if row is not None and not (found and any(row is other for other in found)):
                found.append(row)
        return Selected(tuple(found) if len(found) < 2 else at.optimal(found), self.ignored, self.barred)

    def first(self, rows: Iterable[Transition | None]) -> Transition | None:
        """The first row whose guard holds, if nothing ignores the event or keeps that row from being taken."""
        for row in rows:
            if row is None:
                self.ignored = True
                return None
            guard = row.guard
            if guard is not None:
                verdict = self.verdicts.get(row.id)
                if verdict is None:
                    verdict = self.verdicts[row.id] = self.macrostep.holds(row, guard, self.event)
                if not verdict:
                    continue
            if self.guarded and self.bars(row):
                self.barred = True
                return None
            return row
        return None

    def bars(self, row: Transition) -> bool:
        """Whether a state that must finish keeps this row from being taken (rule 11)."""
        if row.target is None or not self.guarded:
            return False
        macrostep = self.macrostep
        leaving = macrostep.at.exit_set(row)
        event = self.event
        origin = event.state if event is not None and event.name == "failed" else None
        for path in self.guarded - macrostep.finished:
            if path not in leaving or within(row.source, path):
                continue
            if origin is not None and path not in macrostep.table.endings and within(origin, path):
                continue  # a failure of its own actions may leave it by an outer row
            return True
        return False


def select(macrostep: Macrostep, event: Event) -> Selected:
    """The rows for an event that everybody may hear."""
    at = macrostep.at
    heard = at.heard(event.name)
    return heard.sure or _Search(macrostep, event, at.must_finish).regions(heard.rows, at)


def select_left(macrostep: Macrostep, event: Event) -> tuple[Transition, ...]:
    """The rows that an event of the model's tool would have taken where the model called it, in states that were left
    since (rule 6)."""
    then = offered_in(macrostep.table, event)
    if macrostep.live and macrostep.active.issuperset(then.leaves):
        return ()
    rows = _Search(macrostep, event, frozenset()).regions(then.heard(event.name).rows, then).rows
    return tuple(row for row in rows if macrostep.latest(row.scope) in macrostep.vars)


def select_always(macrostep: Macrostep) -> tuple[Transition, ...]:
    """The rows that need no event."""
    return _Search(macrostep, None, macrostep.at.must_finish).regions(macrostep.at.always, macrostep.at).rows


def select_done(macrostep: Macrostep, event: Event) -> Selected:
    """`done` is seen by its own state only."""
    state = event.state
    if state is None or state not in macrostep.active:
        return NOTHING
    search = _Search(macrostep, event, macrostep.at.must_finish)
    return search.selected(search.first(macrostep.table.states[state].candidates("done")))


def select_failed(macrostep: Macrostep, event: Event) -> Selected:
    """`failed` goes to its state, or the nearest outward that is still active, and outward; then to `ending:` (rule 9)."""
    origin = event.state or ROOT
    search = _Search(macrostep, event, macrostep.at.must_finish)
    path = origin.removesuffix(".")
    while path != ROOT and path not in macrostep.active:
        path = macrostep.table.states[path].parent or ROOT
    while True:
        state = macrostep.table.states[path]
        its_own = within(origin, path)
        ending = macrostep.table.to_ending.get(path) if path != ROOT else None
        row: Transition | None = None
        if path != ROOT and path in macrostep.flow.scopes and origin != path:
            # Inside a sub-flow: its own top level, then its own ending, then its host.
            row = search.first(state.at_level("failed", "inner"))
            nobody = row is None and not (search.ignored or search.barred)
            if nobody and ending is not None and ending.target not in macrostep.active and not search.bars(ending):
                row = ending
        if row is None and not (search.ignored or search.barred):
            row = search.first(state.at_level("failed", "own"))
        if row is not None or search.ignored or search.barred:
            return search.selected(row)
        if path in macrostep.table.endings and its_own:
            return Selected(ignored=True)  # only its own rows count in there: the next action runs
        if path == ROOT:
            break
        path = state.parent or ROOT
    if macrostep.in_ending:
        return NOTHING
    forced = macrostep.table.to_ending[ROOT]
    if search.bars(forced):
        return Selected(barred=True)
    macrostep.fault = macrostep.fault or f"{event.data.get('action')} failed: {event.data.get('error')}"
    macrostep.note("unhandled_failure", state=origin, action=event.data.get("action"), error=event.data.get("error"))
    return Selected((forced,))


def select_timer(macrostep: Macrostep, row: TimerRow, event: Event) -> Selected:
    """A timer is heard by its own state only, and spent by a guard that is false."""
    search = _Search(macrostep, event, macrostep.at.must_finish)
    return search.selected(search.first(row.transitions))


def has_outer_row(macrostep: Macrostep, name: str) -> bool:
    """Whether a level around a state that must finish has a row for this event, whatever its guard."""
    outer: set[str] = set()
    for path in macrostep.at.must_finish - macrostep.finished:
        outer.update(macrostep.table.states[path].ancestors)
    return any(macrostep.table.states[path].candidates(name) for path in outer)
