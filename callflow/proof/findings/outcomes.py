"""Outcomes that are named too early."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import Input
from callflow.core.flow import Action, Flow, Transition
from callflow.core.snapshot import Step
from callflow.proof.finding import Suspect, Suspects, in_ending
from callflow.proof.node import Edge, Exploration, Node, Passage
from callflow.verify.places import warning


class Early:
    """A row that names the outcome, and leads back to the very state from which it was taken: nothing has come to its end."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.back: dict[int, tuple[Action, Passage]] = {}

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        same = before.snapshot.configuration == after.snapshot.configuration
        if not same or not taken.moves or not taken.entered or in_ending(self.flow, after):
            return
        for number in taken.moves[0].transitions:
            row = self.flow.transitions[number]
            action = next((one for one in row.actions if "outcome" in verb_of(one.verb).roles), None)
            if action is not None and self._is_the_authors(row):
                self.back.setdefault(number, (action, (before, Edge(event, after))))

    def _is_the_authors(self, row: Transition) -> bool:
        return not row.supplied and row.target is not None and row.position.file == self.flow.file

    def found(self, exploration: Exploration) -> Suspects:
        for action, passage in self.back.values():
            yield Suspect(
                warning(
                    "outcome-too-early", "this outcome is named, and the call goes on where it was, as if nothing had been said",
                    action.position, "lead to the ending; of several outcomes the first one stays", len(action.verb),
                ),
                passage[0], more=(passage,), after="The call goes on where it was.",
            )  # fmt: skip
