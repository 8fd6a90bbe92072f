"""Where rows lead: which states a call can come to, by structure and rows alone.

Guards are not asked: a row may be taken, and `always` rows without one are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from callflow.core.flow import ROOT, State, TimerRow, Transition
from callflow.core.statechart.action_lists import Trigger, transitions, triggers
from callflow.core.statechart.descriptors import matches_any
from callflow.core.statechart.structure import States, ancestors, around, inward, leaf


def closure(starts: Iterable[str], onward: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """The states that one comes to from `starts`, these included; `onward` says where a state leads."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += onward(path)
    return frozenset(seen)


def targets(moves: Iterable[Transition]) -> Iterator[str]:
    """Where rows lead; those that stay lead nowhere."""
    return (move.target for move in moves if move.target is not None)


def sure(moves: Iterable[Transition]) -> bool:
    """Whether one of these rows leads on whatever the call brings: the first whose guard holds is taken."""
    return any(move.guard is None and move.target is not None for move in moves)


def driven(state: State, comes: Collection[str]) -> Iterator[tuple[Trigger, Transition]]:
    """The rows of a state that are taken when nothing but these events comes: those for them, those that time brings, and
    those that need no event. A silence is somebody's."""
    for row, move in triggers(state):
        if row is None or (row.kind != "silence" if isinstance(row, TimerRow) else matches_any(row.pattern, comes)):
            yield row, move


def reachable(states: States, start: str = ROOT) -> frozenset[str]:
    """The states that a call can enter from `start` on: by a way in, or around one that has such a way."""
    return closure((start,), lambda path: onward(states, path))


def onward(states: States, path: str) -> Iterator[str]:
    """The states that are active with this one, or become so by a row of its own."""
    state = states[path]
    yield from ancestors(states, path)
    yield from inward(state)
    yield from targets(transitions(state))


Round = tuple[tuple[str, Transition], ...]
"""Rows that follow one another, each with the leaf in which it is taken."""


def endless(states: States) -> Iterator[Round]:
    """The `always` rows that come round without anything between them: one that stays where it is, or several that lead
    round in a circle. A row without a guard is taken as soon as its state is active (rule 3)."""
    for state in states.values():
        yield from (((state.path, move),) for move in state.always if move.guard is None and move.target is None)
    following = {path: move for path in states if (move := _sure(states, path)) is not None}
    seen: set[str] = set()
    for start in following:
        way: list[str] = []
        path = start
        while path in following and path not in seen:
            seen.add(path)
            way.append(path)
            path = leaf(states, following[path].target or ROOT)
        if path in way:
            yield tuple((one, following[one]) for one in way[way.index(path) :])


def _sure(states: States, path: str) -> Transition | None:
    """The `always` row by which this leaf is sure to be left as soon as it is active."""
    if states[path].children:
        return None
    for outer in around(states, path):
        if states[outer].kind == "parallel":
            return None
        rows = states[outer].always
        if rows:
            return rows[0] if rows[0].guard is None and rows[0].target is not None else None
    return None
