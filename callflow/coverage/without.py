"""A flow without some of its rows: what it would be if nobody had written them."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

import attrs

from callflow.core.flow import Flow, State, TimerRow, Transition
from callflow.core.statechart.action_lists import transitions


def without(flow: Flow, rows: Collection[int]) -> Flow:
    """The same flow without these transitions, by their numbers. What is left of it keeps its numbers and places."""
    states = {
        path: _state(state, rows) if any(move.id in rows for move in transitions(state)) else state
        for path, state in flow.states.items()
    }
    return attrs.evolve(flow, states=states)


def _state(state: State, rows: Collection[int]) -> State:
    def left(moves: tuple[Transition, ...]) -> tuple[Transition, ...]:
        return tuple(move for move in moves if move.id not in rows)

    written = [(row, left(row.transitions)) for row in state.rows]
    timers = [(timer, left(timer.transitions)) for timer in state.timers]
    number = count()
    return attrs.evolve(
        state,
        # A row without a transition is one that ignores its event: that is kept where it was written so, and else goes.
        rows=tuple(
            row._replace(transitions=kept) for row, kept in written if kept or row.ignore or not row.transitions
        ),
        timers=tuple(_timer(timer, kept, next(number)) for timer, kept in timers if kept or not timer.transitions),
        always=left(state.always),
    )


def _timer(timer: TimerRow, kept: tuple[Transition, ...], index: int) -> TimerRow:
    return attrs.evolve(timer, transitions=kept, index=index)
