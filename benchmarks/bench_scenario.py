"""Scenarios played whole, with all that goes on around a call and is expected of it, beside the bare steps of the same calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import callflow
from benchmarks.measure import Ratio, in_turn
from callflow.scenario import Flows, load, play

FOLDER = Path(__file__).parent.parent / "flows" / "scenarios"


def ratios() -> Iterator[Ratio]:
    flows = Flows()
    scenarios = [one for path in sorted(FOLDER.glob("*.scenario.yaml")) for one in load(path, flows)]
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

    yield Ratio(
        f"playing {len(scenarios)} scenarios of the shipped flows",
        *in_turn(whole, bare),
        "their steps alone",
        4.5,
    )
