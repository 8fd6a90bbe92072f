"""`python -m tests.proof.mutants [FLOW…]`: every mutant of the shipped flows, and how many of each kind are found."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.proof.mutants.trying import chosen, table, tried
from tests.proof.mutants.verdicts import FLOWS


def main() -> None:
    """Tells of each mutant that is missed, and of how many are found."""
    options = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=__doc__)
    options.add_argument("flows", nargs="*", metavar="FLOW", help="names of shipped flows; all of them by default")
    options.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at once")
    options.add_argument("--every", type=int, default=1, help="only every so many-th of them")
    options.add_argument("--all", action="store_true", help="tell of each mutant, not only of those that are missed")
    given = options.parse_args()
    names = given.flows or sorted(path.stem for path in FLOWS.glob("*.yaml"))
    results = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for one in pool.map(tried, *zip(*chosen(names, given.every), strict=True), chunksize=4):
            results.append(one)
            if given.all or one.verdict.word == "missed":
                word, why = one.verdict
                sys.stdout.write(
                    f"{word}: {one.flow}: {one.mutant.kind}: {one.mutant.place}: {one.mutant.what} ({why})\n"
                )
                sys.stdout.flush()
    sys.stdout.write(table(results) + "\n")


if __name__ == "__main__":
    main()
