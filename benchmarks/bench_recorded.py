"""The steps of recorded calls, by the kind of their input."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import callflow
from benchmarks.recorded import Played, kind


class Kind:
    """All recorded steps of one kind of input, one after the other."""

    def __init__(self, name: str, steps: Sequence[Played]) -> None:
        self.name = name
        self.steps = steps

    def seconds(self, number: int) -> float:
        step, steps = callflow.step, self.steps
        began = time.process_time()
        for _ in range(number):
            for flow, before, event, _ in steps:
                step(flow, before, event)
        return (time.process_time() - began) / number / len(steps)


def kinds(played: Sequence[Played]) -> list[Kind]:
    by_kind: dict[str, list[Played]] = {}
    for one in played:
        by_kind.setdefault(kind(one), []).append(one)
    return [Kind(name, steps) for name, steps in sorted(by_kind.items(), key=lambda item: -len(item[1]))]


def mean(kinds: Sequence[Kind], found: Mapping[str, Sequence[float]]) -> list[float]:
    """The mean step over all of them, round by round."""
    total = sum(len(one.steps) for one in kinds)
    rounds = zip(*(found[one.name] for one in kinds), strict=True)
    return [sum(took * len(one.steps) for took, one in zip(each, kinds, strict=True)) / total for each in rounds]
