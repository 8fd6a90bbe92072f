"""What a proof came to, as plain data: it can be told and kept without the explorer."""

from __future__ import annotations

from attrs import frozen

from callflow.errors import Defect


@frozen
class Told:
    """A fault with its story, and the call that shows it as a scenario: the lines that stand under its name in a scenario file;
    none where no scenario can hold that call."""

    defect: Defect
    scenario: str


@frozen
class Proved:
    """How far a proof has come that could take `budget` steps: the situations found, the steps taken, the situations left
    unlooked at; and what it tells, as `callflow.proof.prove.Proof` has it. `accepted` is no defect. The bounds of a finished proof, in
    whole seconds: how long somebody hears nothing, and it is not their turn, and how long a call goes on after a hang-up; 0 for not
    at all."""

    budget: int
    situations: int
    steps: int
    left: int
    told: tuple[Told, ...]
    doubts: tuple[Defect, ...]
    accepted: tuple[Told, ...] = ()
    quiet: int = 0
    after_hang_up: int = 0

    @property
    def finished(self) -> bool:
        return not self.left

    @property
    def broken_off(self) -> bool:
        """Whether it was ended before its budget was."""
        return not self.finished and self.steps < self.budget

    @property
    def clean(self) -> bool:
        """Whether nothing is left open: of what it does not tell, nothing happens."""
        return self.finished and not self.doubts

    def answers(self, budget: int) -> bool:
        """Whether a proof with this budget comes to the same."""
        return not self.broken_off and (self.budget == budget or (self.finished and self.steps < budget))
