"""Plain moves: what most events of a flat flow are, worked out once per configuration and event, then looked up.

A move is plain when it depends on nothing but the active states and the event's name, and changes nothing else: no
guard, no action, no timer, no history, nothing that must finish. A test holds every plain move to the long way round.
"""

from __future__ import annotations

from collections.abc import Iterable

from callflow.core.events import STATE_EVENTS
from callflow.core.flow import ROOT, Transition
from callflow.core.observation import OBSERVED
from callflow.core.snapshot import Microstep
from callflow.core.statechart.structure import ends_the_call, inside
from callflow.core.table import CACHE_LIMIT, PlainMove, Table


def plain_move(table: Table, configuration: tuple[str, ...], name: str) -> PlainMove | None:
    """The plain move, remembered; None where the event has to go the long way."""
    known = table.plain.setdefault(configuration, {})
    if name not in known:
        if len(known) >= CACHE_LIMIT:
            known.clear()
        known[name] = _work_out(table, configuration, name)
    return known[name]


def _work_out(table: Table, configuration: tuple[str, ...], name: str) -> PlainMove | None:
    if len(configuration) != 1 or name in STATE_EVENTS or name.startswith(OBSERVED):
        return None
    leaf = configuration[0]
    active = (leaf, *table.states[leaf].ancestors)
    if any(path in table.must_finish or table.states[path].always for path in active):
        return None
    if ends_the_call(table.states[leaf].state):
        return None
    row = next((row for path in active for row in table.states[path].candidates(name)), _NOBODY)
    if row is _NOBODY or row is None:
        return configuration, (), 0
    if not isinstance(row, Transition) or row.guard is not None or row.target is None or row.actions:
        return None
    domain = table.domain(row)
    exited = [path for path in active if path != ROOT and inside(path, domain)]
    entered = _default_inside(table, row.target, domain)
    if entered is None or not all(_is_plain(table, path) for path in (*exited, *entered)):
        return None
    outer = table.states[exited[-1]].parent if exited else None
    if outer is not None and table.states[outer].history:
        return None
    order = tuple(sorted(exited, key=table.order, reverse=True))
    moved = Microstep(name, (row.id,), order, tuple(sorted(entered, key=table.order)))
    return (moved.entered[-1],), (moved,), len(entered)


_NOBODY = object()


def _default_inside(table: Table, target: str, domain: str) -> list[str] | None:
    """The states that a target brings with it, where that is one line of states; else None."""
    around: Iterable[str] = (path for path in table.states[target].ancestors if inside(path, domain))
    line = [*around]
    path = target
    while True:
        state = table.states[path]
        line.append(path)
        if state.kind == "atomic":
            break
        if state.kind != "compound" or state.state.initial is None:
            return None
        if table.states[state.state.initial].parent != path:
            return None
        path = state.state.initial
    return None if any(table.states[path].kind == "parallel" for path in line) else line


def _is_plain(table: Table, path: str) -> bool:
    state = table.states[path]
    written = state.state
    return not (
        written.entry
        or written.exit
        or state.timers
        or state.always
        or written.task
        or state.history
        or path in table.must_finish
        or path in table.counts_visits
        or path in table.flow.scopes
        or state.candidates("done")
    )
