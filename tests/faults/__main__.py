# ruff: noqa: T201 - a program that says what it does
"""`python -m tests.faults FILE …` runs scenario files again; `--calls N [--seed N]` plays random calls until one breaks,
on all cores."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
from pathlib import Path

from tests.faults.scenario import read
from tests.faults.workers import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="scenario files to run again")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; drawn unless given")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes; one for each core unless given"
    )
    chosen = parser.parse_args()
    if chosen.files:
        logging.disable(logging.CRITICAL)
        return max(_again(path) for path in chosen.files)
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    print(f"{chosen.calls} random calls from seed {seed}: again with --seed {seed}", flush=True)
    found = soak(seed, chosen.calls, min(chosen.workers, chosen.calls))
    if found is not None:
        print(f"a call went wrong: {found}\n{found.read_text()}")
    return int(found is not None)


def _again(path: Path) -> int:
    problem = read(path).problem()
    print(f"{path}: {problem or 'nothing is wrong'}")
    return int(problem is not None)


if __name__ == "__main__":
    sys.exit(main())
