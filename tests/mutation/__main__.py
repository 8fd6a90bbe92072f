"""`python -m tests.mutation [FILE…]`: small changes of these files, and those that no test of their part notices."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from itertools import groupby

from tests.mutation.survivors import reason
from tests.mutation.trying import Tried, files, suite_of, tried


def main() -> int:
    """Tells of each change that nobody notices and that `survivors.yaml` gives no reason for: 1 where there is one."""
    options = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    options.add_argument(
        "files", nargs="*", metavar="FILE", help="callflow/core/clocks.py; by default all that are tried"
    )
    options.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many changes at once")
    options.add_argument(
        "--tests", nargs="+", metavar="PATH", help="under these tests alone, instead of those of the part"
    )
    given = options.parse_args()
    total: Counter[str] = Counter()
    for tests, batch in (
        groupby(given.files, suite_of) if given.files else ((suite_of(file), [file]) for file in files())
    ):
        for file, result in tried(list(batch), given.tests or tests, given.jobs).items():
            total += _told(file, result)
    _tell("all", total)
    return int(bool(total["new"] or total["unclear"]))


def _told(file: str, result: Tried) -> Counter[str]:
    new = [change for change in result.unnoticed if not reason(change)]
    for change in new:
        sys.stdout.write(f"{change}\n")
    counts = result.counts + Counter({"with a reason": len(result.unnoticed) - len(new), "new": len(new)})
    _tell(file, counts)
    return counts


def _tell(what: str, counts: Counter[str]) -> None:
    sys.stdout.write(f"{what}: {', '.join(f'{count} {word}' for word, count in counts.items())}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
