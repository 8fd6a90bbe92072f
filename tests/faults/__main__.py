# ruff: noqa: T201 - a program that says what it does
"""`python -m tests.faults FILE …` runs scenario files again; `--calls N [--seed N]` plays random calls until one breaks."""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import time
from pathlib import Path

from tests.faults.scenario import read, soak

FOUND = Path(".callflow/faults")
"""Where counter-examples are written."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="scenario files to run again")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; drawn unless given")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what the calls say of their broken worlds
    if chosen.files:
        return max(_again(path) for path in chosen.files)
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    print(f"{chosen.calls} random calls from seed {seed}: again with --seed {seed}", flush=True)
    began = said = time.monotonic()

    def report(done: int, at: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= 10 or done == chosen.calls:
            said = now
            print(f"{done} calls in {now - began:.0f} s, {done / (now - began):.0f} a second, seed {at}", flush=True)

    found = soak(seed, chosen.calls, FOUND, report)
    if found is not None:
        print(f"a call went wrong: {found}\n{found.read_text()}")
    return int(found is not None)


def _again(path: Path) -> int:
    problem = read(path).problem()
    print(f"{path}: {problem or 'nothing is wrong'}")
    return int(problem is not None)


if __name__ == "__main__":
    sys.exit(main())
