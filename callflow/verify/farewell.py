"""The call's last words: nobody interrupts them unless the flow says so, and what counts on that it can be is told."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.farewell import goodbyes
from callflow.core.flow import Action, Flow
from callflow.core.statechart.structure import is_over
from callflow.errors import Defect
from callflow.verify.places import warning


def never_interrupted(flow: Flow) -> Iterator[Defect]:
    """A warning for last words that are to be said again after an interruption, which does not come any more."""
    for action in _last_words(flow):
        if action.arguments.get("repeat_if_interrupted") and action.arguments.get("interruptible") is None:
            yield warning(
                "never-interrupted",
                "the call's last words are not interrupted, so that `repeat_if_interrupted` does nothing here",
                action.position, "take it out, or write `interruptible: true`", len(action.verb),
            )  # fmt: skip


def _last_words(flow: Flow) -> Iterator[Action]:
    """What is said in the ending, in a state that leads nowhere else, in a final one, and on the way there."""
    last = goodbyes(flow) | {path for path in flow.states if is_over(flow, path)}
    for path in flow.states:
        if path in last:
            yield from (*flow.states[path].entry, *flow.states[path].exit)
    for move in flow.transitions:
        if move.target in last:
            yield from move.actions
