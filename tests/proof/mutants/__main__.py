"""`python -m tests.proof.mutants [FLOW…]`: every mutant of the shipped flows, and how many of each kind are found."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple, get_args

from tests.proof.mutants.making import Mutant
from tests.proof.mutants.verdicts import FLOWS, Verdict, Word, all_mutants, verdict

LARGE = {"keypad-menu": 6}
"""Of flows of which a proof takes long every so many-th mutant is tried."""


class Tried(NamedTuple):
    """A mutant of a flow, and what has become of it."""

    flow: str
    mutant: Mutant
    verdict: Verdict


def chosen(names: Iterable[str], every: int = 1) -> list[tuple[str, Mutant]]:
    """The mutants of these flows; every so many-th of them."""
    found = [(name, one) for name in names for one in list(all_mutants(name))[:: LARGE.get(name, 1)]]
    return found[::every]


def tried(name: str, mutant: Mutant) -> Tried:
    """A mutant with what becomes of it."""
    return Tried(name, mutant, verdict(name, mutant))


def share(words: Counter[Word]) -> float:
    """Of those that are neither equal nor meant, the part that is found."""
    good = words["refused"] + words["found"]
    return good / max(good + words["missed"], 1)


def table(results: Iterable[Tried]) -> str:
    """How many of each kind there are, and what has become of them."""
    kinds: dict[str, Counter[Word]] = {}
    for one in results:
        kinds.setdefault(one.mutant.kind, Counter())[one.verdict.word] += 1
    total = sum(kinds.values(), Counter[Word]())
    words: tuple[Word, ...] = get_args(Word)
    lines = [f"{'':20}{'all':>6}" + "".join(f"{word:>9}" for word in words) + f"{'share':>8}"]
    for kind, count in [*sorted(kinds.items()), ("all", total)]:
        numbers = "".join(f"{count[word]:>9}" for word in words)
        lines.append(f"{kind:20}{count.total():>6}{numbers}{share(count):>8.0%}")
    return "\n".join(lines)


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
