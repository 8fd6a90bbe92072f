"""`python -m tests.proof.sound`: random calls of many flows against what is proved of each, and a table of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tests.proof.sound.experiment import Tried, tried
from tests.proof.sound.flows import names, random_names


def main() -> int:
    """Tells of each flow as soon as its calls are played; 1 where something impossible has happened."""
    options = argparse.ArgumentParser(prog="python -m tests.proof.sound", description=__doc__)
    options.add_argument(
        "flows", nargs="*", metavar="FLOW", help="how names of flows begin (shipped:, random:7); all by default"
    )
    options.add_argument("--calls", type=int, default=100_000, help="how many, of all flows together")
    options.add_argument(
        "--random", type=int, default=200, help="how many flows made at random, those that are refused among them"
    )
    options.add_argument("--seed", type=int, default=0, help="the number of each flow's first call")
    options.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many flows at once")
    given = options.parse_args()
    chosen = [*names(), *islice(random_names(), given.random)]
    if given.flows:
        chosen = [name for name in chosen if name.startswith(tuple(given.flows))]
    each = -(-given.calls // max(len(chosen), 1))
    results = []
    sys.stdout.write(f"{'':50}{'calls':>7}{'steps':>8}{'silence':>16}{'after a hang-up':>18}\n")
    with ProcessPoolExecutor(given.jobs) as pool:
        for one in pool.map(tried, chosen, [each] * len(chosen), [given.seed] * len(chosen)):
            results.append(one)
            sys.stdout.write("".join(f"{line}\n" for line in lines(one)))
            sys.stdout.flush()
    sys.stdout.write(f"{summary(results)}\n")
    return int(any(one.problems for one in results))


def lines(one: Tried) -> list[str]:
    """A flow's line in the table, and what its calls have done that is impossible."""
    if one.why:
        return [f"{one.name[:48]:50}{one.why}"]
    quiet, after = (f"{worst:.1f} of {bound} s" for bound, worst in (one.quiet, one.after))
    return [
        f"{one.name[:48]:50}{one.calls:>7}{one.steps:>8}{quiet:>16}{after:>18}",
        *(f"  {each}" for each in one.problems[:3]),
    ]


def summary(results: Iterable[Tried]) -> str:
    """All of them together."""
    played = [one for one in results if not one.why]
    silent = [one for one in played if one.quiet[0]]
    near = sum(one.quiet[1] >= 0.9 * one.quiet[0] for one in silent)
    at_random = sum(one.name.startswith(("random:", "around:", "odd:")) for one in played)
    steps = sum(one.steps for one in played)
    exact = sum(one.steps * one.exact for one in played) / max(steps, 1)
    return (
        f"{sum(one.calls for one in played)} calls of {len(played)} flows, {at_random} of them made at random: {steps} steps, of which "
        f"{exact:.1%} lead to a situation of the proof, the others to one but for silences and who speaks; "
        f"{sum(one.beyond for one in played)} calls went beyond what is followed.\n"
        f"The worst silence comes within 10 % of the bound in {near} of {len(silent)} flows.\n"
        f"{sum(len(one.problems) for one in played)} calls did what was proved impossible."
    )


if __name__ == "__main__":
    sys.exit(main())
