"""Prints every ratio of one run, and what the project promises. Exit status 1 where a promise does not hold."""

from __future__ import annotations

import logging
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from benchmarks import bench_proof, bench_redact, bench_replay, bench_scenario, bench_start
from benchmarks.bench_call import Live, weights
from benchmarks.bench_recorded import Kind, kinds, mean
from benchmarks.bench_step import Pure, Seen
from benchmarks.measure import HEADING, Ratio, half, interleaved, written
from benchmarks.peers import peers
from benchmarks.recorded import played

CALLS = 20
"""Of the phone call in each round; of the recorded calls one each."""

MACHINE = "transitions.Machine"
THAN = f"{MACHINE} with callables on the phone call"

OURS = (
    Pure("step"),
    Pure("step, three levels deep", 3),
    Pure("replay with recorded verdicts", replays=True),
    Seen(),
    Live("live, at-once actions"),
    Live("live, two owned effects", owned=True),
    Live("live, at-once actions, journal", journal=True),
    Live("live, two owned effects, journal", owned=True, journal=True),
)

PROMISED = {
    "step": 1.0,
    "step, three levels deep": 1.3,
    Seen.name: 0.7,
    "live, at-once actions": 1.8,
    "live, two owned effects": 4.0,
}


def stepped(found: Mapping[str, Sequence[float]], recorded: Sequence[Kind]) -> Iterator[Ratio]:
    machine = found[MACHINE]
    for name, bound in PROMISED.items():
        yield Ratio(name, found[name], machine, THAN, bound)
    for name in ("live, at-once actions", "live, two owned effects"):
        more = [whole - bare for whole, bare in zip(found[f"{name}, journal"], found[name], strict=True)]
        yield Ratio(f"{name}: the journal adds", more, machine, THAN, 1.0)
    yield Ratio("replay with recorded verdicts", found["replay with recorded verdicts"], found["step"], "step", 1.05)
    yield Ratio("mean step of recorded calls", mean(recorded, found), machine, THAN, 1.0)
    slowest = max(recorded, key=lambda one: statistics.median(found[one.name]))
    yield Ratio(f"slowest kind: {slowest.name}", found[slowest.name], machine, THAN, 3.0)


def shown(found: Mapping[str, Sequence[float]], recorded: Sequence[Kind], missing: Sequence[str]) -> None:
    """What everybody takes for an event of the phone call, and a step for each kind of input."""
    counts = {one.name: len(one.steps) for one in recorded}
    for kind in (False, True):
        print("\nA step of the recorded calls, by its input" if kind else "\nAn event of the phone call")
        for name, rounds in found.items():
            if (name in counts) == kind:
                low, high = (written(one, "s") for one in half(rounds))
                number = f"   {counts[name]} steps" if kind else ""
                print(f"{name:44} {written(statistics.median(rounds), 's'):>10}   half from {low} to {high}{number}")
    for name in missing:
        print(f"{name} is not at hand")


def main() -> int:
    for name in ("callflow", "livekit", "livekit.agents"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # nobody listens
    steps = played()
    recorded = kinds(steps)
    others, missing = peers()
    found = interleaved([*OURS, *others, *recorded], CALLS, warm=40)
    for one in others:
        close = getattr(one, "close", None)
        if close is not None:
            close()
    missed = 0
    print(HEADING)
    more = (
        bench_redact.ratios(),
        bench_replay.ratios(),
        bench_proof.ratios(),
        bench_scenario.ratios(),
        bench_start.ratios(),
    )
    for ratio in chain(stepped(found, recorded), weights(steps), *more):
        print(ratio)
        missed += not ratio.holds
    shown(found, recorded, missing)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
