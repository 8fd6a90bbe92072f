"""Mutants that are tried, and how many of them are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, get_args

from tests.proof.mutants.making import Mutant
from tests.proof.mutants.verdicts import Verdict, Word, all_mutants, verdict

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
