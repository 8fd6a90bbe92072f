"""The explorer of `callflow check` beside the bare steps that it takes: with what can happen, what is the same, and all times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import callflow
from benchmarks.measure import Ratio, in_turn
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore

FLOWS = Path(__file__).parent.parent / "flows"


def ratios() -> Iterator[Ratio]:
    flow = callflow.load(FLOWS / "hand-over.yaml")
    first = first_steps(flow)
    taken = [(node.snapshot, edge.input) for node in explore(flow, first).nodes for edge in node.edges]

    def bare() -> None:
        for snapshot, event in taken:
            callflow.step(flow, snapshot, event)

    yield Ratio(
        f"exploring hand-over.yaml, {len(taken):,} steps",
        *in_turn(lambda: explore(flow, first), bare),
        "these steps alone",
        3.0,
    )
