"""What it costs to replay journals: to read their lines, to make their inputs of them, and to compare, beside the steps alone; and
what else reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Ratio, in_turn
from callflow.core.events import Input
from callflow.core.flow import Flow
from callflow.core.macrostep import Given
from callflow.core.snapshot import Snapshot
from callflow.core.step import step
from callflow.flowfile import load
from callflow.journal.diverging import judge
from callflow.journal.reading import Reading
from callflow.journal.replaying import Again
from callflow.journal.summary import summary_of

JOURNALS = Path(__file__).parents[1] / "tests" / "journals" / "3"


def ratios() -> Iterator[Ratio]:
    flows = {flow.digest: flow for flow in (load(path) for path in sorted((JOURNALS / "flows").glob("*.yaml")))}
    steps = bare(flows)
    yield Ratio("replay journals, from files", *in_turn(replayed(flows), steps), "their steps", 5.0)
    yield Ratio("list journals, from files", *in_turn(listed, steps), "their steps", 3.0)


def replayed(flows: dict[str, Flow]) -> Callable[[], None]:
    """All journals, as `callflow replay` does."""

    def run() -> None:
        for path in JOURNALS.glob("*.jsonl"):
            with Reading(path) as reading:
                assert judge(flows[reading.head["digest"]], reading).result == "same"

    return run


def listed() -> None:
    """All journals, as `callflow journal list` does."""
    for path in JOURNALS.glob("*.jsonl"):
        with Reading(path) as reading:
            summary_of(reading)


def bare(flows: dict[str, Flow]) -> Callable[[], None]:
    """The steps of all journals, from where each began, with the verdicts that were recorded."""
    taken: list[tuple[Flow, Snapshot, Input, Given | None]] = []
    for path in sorted(JOURNALS.glob("*.jsonl")):
        with Reading(path) as reading:
            flow = flows[reading.head["digest"]]
            again, before = Again(flow, reading), None
            for one in again.follow():
                if before is not None and one.step.event is not None:
                    taken.append((flow, before, one.step.event, again.given(one.line)))
                before = one.step.snapshot

    def run() -> None:
        for flow, before, entry, given in taken:
            step(flow, before, entry, recorded=given)

    return run
