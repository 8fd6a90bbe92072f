"""The way that a call has taken through its flow, as a picture shows it."""

from __future__ import annotations

from typing import NamedTuple

from callflow.core.flow import Flow
from callflow.journal.reading import Recorded
from callflow.journal.replaying import followed


class Way(NamedTuple):
    """Paths of states that were entered, ids of rows that were taken, the states at the end; and what the picture lacks."""

    visited: frozenset[str]
    taken: frozenset[int]
    current: frozenset[str]
    remarks: tuple[str, ...] = ()


def way_of(flow: Flow, recorded: Recorded) -> Way:
    """The way of a recorded call in this flow. Raises JournalError."""
    entered = {state for line in recorded.lines for move in line.get("moves", ()) for state in move.get("entered", ())}
    last = {*recorded.lines[-1]["states"]} if recorded.lines else set[str]()
    taken, remarks = set[int](), list[str]()
    for one in followed(flow, recorded):
        if one.difference is not None:
            remarks.append(
                f"{flow.file} makes something else of this call from line {one.number} on: no row behind it is drawn as taken"
            )
            break
        taken.update(row for move in one.step.moves for row in move.transitions)
    unknown = sorted((entered | last) - flow.states.keys())
    if unknown:
        remarks.append(f"{flow.file} has no state {', '.join(unknown)}")
    return Way(
        frozenset(entered & flow.states.keys()), frozenset(taken), frozenset(last & flow.states.keys()), tuple(remarks)
    )
