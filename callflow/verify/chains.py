"""States that must finish, one after the other: a hang-up that is kept comes out between them, or never.

What is kept returns when a state that must finish is done, but after its `done` has been taken. Where that leads straight into
another state that must finish, it is kept again; where such states lead round in a circle, for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow, State, Transition
from callflow.core.statechart.structure import entered, in_ending, inside, subtree, within
from callflow.errors import Defect
from callflow.verify.endings import self_driven
from callflow.verify.places import defect, named


def chains(flow: Flow) -> Iterator[Defect]:
    """A defect for each circle of states that must finish, at its first one."""
    # What a state that must finish leads to when it is over: other such states; None where a kept event is taken.
    follow = {
        path: _follows(flow, state)
        for path, state in flow.states.items()
        if state.must_finish and not in_ending(flow, path)
    }
    bound = {path: after for path, after in follow.items() if after is not None}
    before: dict[str, list[str]] = {}
    for path, after in bound.items():
        for one in after:
            before.setdefault(one, []).append(path)
    free = [path for path in follow if path not in bound] + [path for path in before if path not in follow]
    while free:
        free += [path for path in before.get(free.pop(), ()) if bound.pop(path, None) is not None]
    told: set[str] = set()
    for path in bound:
        if path not in told:
            circle = _round(bound, path)
            told.update(circle)
            state = flow.states[path]
            yield defect(
                "end-kept-for-ever",
                f"`call.hangup` waits until {named(path)} is done, and then for the next one that must finish, for ever: "
                + " → ".join([*circle[:4], *(["…"] if len(circle) > 4 else []), circle[0]]),
                state.position, "lead on to a state that need not finish: there the end of the call is taken", len(state.name),
            )  # fmt: skip


def _follows(flow: Flow, outer: State) -> list[str] | None:
    """The states that must finish to which `outer` is sure to lead; None if a kept event may be taken behind it."""
    done = [move for row in outer.rows if row.pattern == "done" for move in row.transitions]
    if all(move.guard is not None for move in done) or any(move.target is None for move in done):
        return None  # it may be done and stay
    leaving: list[str] = []
    for path in subtree(flow.states, outer.path):
        for move in self_driven(flow.states[path]):
            if move.target is None or inside(move.target, outer.path):
                continue
            held = _held(flow, move)
            if not held:
                return None
            leaving += held
    return leaving


def _held(flow: Flow, move: Transition) -> list[str]:
    """The states that must finish which a row enters."""
    target = move.target or ""
    if in_ending(flow, target):
        return []
    return [
        path
        for path in entered(flow.states, target)
        if flow.states[path].must_finish and (path == move.source or not within(move.source, path))
    ]


def _round(bound: dict[str, list[str]], path: str) -> list[str]:
    """The circle that a chain comes to, from its first state on."""
    seen: dict[str, int] = {}
    while path not in seen:
        seen[path] = len(seen)
        path = bound[path][0]
    return list(seen)[seen[path] :]
