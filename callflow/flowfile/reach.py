"""Which states a call can come to: one without a way in is a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import ROOT, State, Transition
from callflow.flowfile.outline import Draft
from callflow.flowfile.part import Loading

UNSURE = frozenset({
    "unknown-target", "missing-initial", "missing-key", "unknown-key", "wrong-kind", "duplicate-key", "unknown-sub-flow",
    "sub-flow-cycle", "unknown-event", "unknown-tool", "unquoted-template", "bad-duration", "bad-name", "bad-parallel",
    "two-insides", "bad-history", "hidden-name", "number-for-text",
})  # fmt: skip
"""With one of these a state may seem to have no way in only because a row was not understood."""


def check_reach(loading: Loading, drafts: list[Draft]) -> None:
    """A defect for each outermost state that nothing leads to, and of states that only such a one leads to for none."""
    if any(defect.code in UNSURE for defect in loading.defects):
        return
    reached = reachable(loading.states)
    led_to = _led_to(loading.states, reached)
    for draft in drafts:
        inside_lost = draft.parent is not None and draft.parent.path != ROOT and draft.parent.path not in reached
        if draft.path in reached or draft.kind == "history" or inside_lost or draft.path in led_to:
            continue
        # The file of a sub-flow may have states for other uses of it; what is supplied is nobody's mistake.
        if not draft.supplied and not draft.part.chain[1:]:
            message = f"nothing leads to the state `{draft.name}`"
            draft.part.defect(
                "no-way-in", message, draft.key, draft.where, "write a row with it as its target, or take it out"
            )


def _led_to(states: dict[str, State], reached: set[str]) -> set[str]:
    """The states that others without a way in lead to; where these lead round and round, all but the first of them."""
    found: set[str] = set()
    for path in states:
        if path not in reached and path not in found:
            found |= reachable(states, path) - reached - {path}
    return found


def reachable(states: dict[str, State], start: str = ROOT) -> set[str]:
    """The paths of the states that a call can enter from `start` on, by structure and rows alone."""
    reached: set[str] = {start}
    waiting = [start]

    def enter(path: str) -> None:
        inner: str | None = path
        while inner is not None and inner not in reached:
            reached.add(inner)
            waiting.append(inner)
            inner = states[inner].parent

    while waiting:
        state = states[waiting.pop()]
        if state.initial is not None:
            enter(state.initial)
        if state.kind == "parallel":
            for child in state.children:
                enter(child)
        for move in moves(state):
            if move.target is not None:
                enter(move.target)
    return reached


def moves(state: State) -> Iterator[Transition]:
    """All rows of a state."""
    for row in state.rows:
        yield from row.transitions
    for timer in state.timers:
        yield from timer.transitions
    yield from state.always
