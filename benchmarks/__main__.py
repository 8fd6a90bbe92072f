"""Prints every ratio of one run, and what the project promises. Exit status 1 where a promise does not hold."""

from __future__ import annotations

import sys

from benchmarks import bench_call, bench_redact, bench_start, bench_step
from benchmarks.measure import written


def main() -> int:
    missed = 0
    print(f"{'':34} {'callflow':>10} {'other':>10} {'ratio':>8} {'promise':>8}   than")
    for module in (bench_step, bench_call, bench_redact, bench_start):
        for one in module.ratios():
            sign = "≥" if one.at_least else "≤"
            ours, theirs = written(one.ours, one.unit), written(one.theirs, one.unit)
            verdict = "" if one.holds else "   MISSED"
            missed += not one.holds
            print(
                f"{one.name:34} {ours:>10} {theirs:>10} {one.ratio:8.2f} {sign + format(one.bound, 'g'):>8}   {one.than}{verdict}"
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
