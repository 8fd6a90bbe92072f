"""Scenarios played whole, with all that goes on around a call and is expected of it, beside the bare steps of the same calls: those of
the shipped flows, and calls of some 40 steps."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import callflow
from benchmarks.measure import Ratio, in_turn
from callflow.scenario import Flows, load, play

ROOT = Path(__file__).parents[1]
FOLDERS = {"of the shipped flows": ROOT / "flows" / "scenarios", "long": ROOT / "benchmarks" / "scenarios"}


def ratios() -> Iterator[Ratio]:
    for what, folder in FOLDERS.items():
        yield _ratio(what, folder)


def _ratio(what: str, folder: Path) -> Ratio:
    flows = Flows()
    scenarios = [one for path in sorted(folder.glob("*.scenario.yaml")) for one in load(path, flows)]
    played = [(one, play(one).inputs) for one in scenarios]

    def whole() -> None:
        for one in scenarios:
            play(one)

    def bare() -> None:
        for one, inputs in played:
            given = {"time": one.start, "env": one.env, "call": one.call, "waiting": one.waiting}
            snapshot = callflow.start(one.flow, one.vars, **given).snapshot
            for event in inputs:
                snapshot = callflow.step(one.flow, snapshot, event).snapshot

    taken, beside = in_turn(whole, bare)
    steps = statistics.mean(len(inputs) for _, inputs in played)
    calls = len(scenarios) / statistics.median(taken)
    name = f"scenarios {what}: {calls:,.0f} calls a second of {steps:.0f} steps"
    return Ratio(name, taken, beside, "their steps alone", 3.0)
