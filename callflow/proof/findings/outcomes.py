"""Outcomes that are named too early, and that are not named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from callflow.core.actions import verb_of
from callflow.core.events import Event, Input, TimerFired
from callflow.core.flow import Action, Flow, Transition
from callflow.core.snapshot import Step
from callflow.core.statechart.structure import within
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, first_seen, in_ending, leaf_of
from callflow.proof.node import Exploration, Situation
from callflow.verify.places import warning

By = Literal["tool", "timer", ""]
"""What ends a call: the model, by a tool; a timer whose row does something beside; anything else."""


class Early:
    """A row that names the outcome, and leads back to the very state from which it was taken: nothing has come to its end."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[int]:
        same = before.snapshot.configuration == after.snapshot.configuration
        if not same or not taken.moves or not taken.entered or in_ending(self.flow, after):
            return
        for number in taken.moves[0].transitions:
            row = self.flow.transitions[number]
            if _outcome(row) is not None and self._is_the_authors(row):
                yield number

    def _is_the_authors(self, row: Transition) -> bool:
        return not row.supplied and row.target is not None and row.position.file == self.flow.file

    def found(self, exploration: Exploration, seen: Seen[int]) -> Suspects:
        for number, passage in first_seen(seen).items():
            action = _outcome(self.flow.transitions[number])
            if action is None:
                continue
            yield Suspect(
                warning(
                    "outcome-too-early", "this outcome is named, and the call goes on where it was, as if nothing had been said",
                    action.position, "lead to the ending; of several outcomes the first one stays", len(action.verb),
                ),
                passage[0], frozenset({leaf_of(passage[1].target)}), (passage,), "The call goes on where it was.",
            )  # fmt: skip


class Unnamed:
    """The model ends the call by a tool, or a timer of the flow's does, and no outcome is named then; and of all rows by which calls end
    this is the only one. Of a timer that is told where it does something beside, and another timer names an outcome."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        inside = [state for path, state in flow.states.items() if within(path, flow.ending)]
        self.of_ending = any(_names_outcome(action) for state in inside for action in state.entry)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[int, bool, By]]:
        if not taken.moves or in_ending(self.flow, before) or not in_ending(self.flow, after):
            return
        rows = [self.flow.transitions[number] for move in taken.moves for number in move.transitions]
        mine = [row for row in rows if not row.supplied and row.position.file == self.flow.file]
        if mine:
            states = [self.flow.states[path] for path in active_in(self.flow, before)]
            here = any(_names_outcome(action) for state in states for action in state.entry)
            names = here or taken.snapshot.memory.outcome is not None or any(_outcome(row) is not None for row in rows)
            yield mine[-1].id, names, _by(event, mine[-1])

    def found(self, exploration: Exploration, seen: Seen[tuple[int, bool, By]]) -> Suspects:
        ways = {number for (number, _, _), _ in seen}
        unnamed = {number for (number, names, _), _ in seen if not names}
        timed = any(names and by == "timer" for (_, names, by), _ in seen)
        if not exploration.finished or self.of_ending or len(unnamed) != 1 or len(ways) == 1:
            return
        for (number, names, by), passage in seen:
            if not names and (by == "tool" or (by == "timer" and timed)):
                yield Suspect(
                    warning(
                        "no-outcome", "the call ends here without an outcome, and with one wherever else it ends",
                        self.flow.transitions[number].position, "name it: `{outcome: completed}`",
                    ),
                    passage[0], more=(passage,), after="The record names no outcome.",
                )  # fmt: skip
                return


def _by(event: Input, row: Transition) -> By:
    if isinstance(event, Event) and event.name.startswith("tool."):
        return "tool"
    return "timer" if isinstance(event, TimerFired) and row.actions else ""


def _outcome(row: Transition) -> Action | None:
    """The action of a row that names the outcome."""
    return next(filter(_names_outcome, row.actions), None)


def _names_outcome(action: Action) -> bool:
    return "outcome" in verb_of(action.verb).roles
