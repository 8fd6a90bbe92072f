"""Outcomes that are named too early."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import Input
from callflow.core.flow import Action, Flow, Transition
from callflow.core.snapshot import Step
from callflow.proof.finding import Seen, Suspect, Suspects, first_seen, in_ending
from callflow.proof.node import Exploration, Situation
from callflow.verify.places import warning


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
                passage[0], more=(passage,), after="The call goes on where it was.",
            )  # fmt: skip


def _outcome(row: Transition) -> Action | None:
    """The action of a row that names the outcome."""
    return next((one for one in row.actions if "outcome" in verb_of(one.verb).roles), None)
