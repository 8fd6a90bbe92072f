"""The way that a call took through its flow: the rows that were taken, and those whose guard did not let it through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from callflow.core.flow import Flow, Position, Transition
from callflow.flowfile.standard import FILE
from callflow.scenario.call import Taken


class Row(NamedTuple):
    """A row of the flow that the call came to: when (seconds since the call began), where it stands, and what became of it. What no
    author has written has no place."""

    time: float
    position: Position | None
    told: str

    @property
    def place(self) -> str:
        return "supplied" if self.position is None else self.position.place


def way(flow: Flow, taken: Sequence[Taken]) -> Iterator[Row]:
    """The rows, in the order in which the call came to them."""
    for one in taken:
        for note in one.step.notes:
            if note.kind == "guard" and not note.data["holds"]:
                row = flow.transitions[note.data["transition"]]
                guard = "" if row.guard is None else f": {row.guard.source}"
                yield Row(one.time, _written(row), f"not taken{guard}")
        for move in one.step.moves:
            for number in move.transitions:
                row = flow.transitions[number]
                source, target = row.source or "the top level", row.target
                on = f"on {move.trigger}" if move.trigger else "always"
                goes = f"{source} -> {target}" if target is not None else f"stays in {source}"
                yield Row(one.time, _written(row), f"{goes}, {on}")


def _written(row: Transition) -> Position | None:
    return None if row.supplied or row.position.file == FILE else row.position
