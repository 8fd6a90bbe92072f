"""Rows that nothing ever takes, since others always come first."""

from __future__ import annotations

from callflow.proof.finding import Evidence, Suspect, Suspects
from callflow.verify.places import defect, named


def always_beaten(evidence: Evidence) -> Suspects:
    """Rows whose event does happen, and in whose place another row is taken each time."""
    if not evidence.exploration.finished:
        return
    for number, (node, edge, others) in evidence.seen.beaten.items():
        if number in evidence.seen.taken or not others:
            continue
        row, other = evidence.flow.transitions[number], evidence.flow.transitions[others[0]]
        yield Suspect(
            defect(
                "row-always-beaten", f"the row of {named(row.source)} in line {row.position.line} is never taken: that in line "
                f"{other.position.line} always comes first, since it is {_why(row.source, other.source)}",
                row.position, "take one of them out, or narrow the one that comes first",
            ),
            node, more=((node, edge),),
        )  # fmt: skip


def _why(source: str, other: str) -> str:
    return "further in" if source != other else "closer to the event's name, or written first"
