"""What it costs to hide the line of a log in a call that knows many private values, one more of them with each line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import cycle

from benchmarks.measure import Ratio, in_turn
from callflow.runtime.search import Index

LINE = "The caller +1 555 123 4567 asked for order customer-0007 and will come on Monday at nine, they said."
MOST = 1_000


def one_more(known: int) -> Callable[[], str]:
    """Learns one of many values, and hides a line."""
    index, numbers = filled(known), cycle(range(known, 2 * known))

    def learn_and_hide() -> str:
        index.learn(f"customer-{next(numbers):04d}", "pii:0")
        return index.replace(LINE)

    return learn_and_hide


def filled(known: int) -> Index:
    index = Index()
    for number in range(known):
        index.learn(f"customer-{number:04d}", "pii:0")
    return index


def compiled_anew(known: int) -> Callable[[], str]:
    values = [f"customer-{number:04d}" for number in range(known)]

    def compile_and_hide() -> str:
        re.purge()
        return re.compile("|".join(f"({re.escape(value)})" for value in values), re.IGNORECASE).sub("pii:0", LINE)

    return compile_and_hide


def ratios() -> Iterator[Ratio]:
    many, anew = in_turn(one_more(MOST), compiled_anew(MOST))
    yield Ratio(
        "learn a value, hide a line, of 1000", many, anew, "s", "one pattern of all, compiled anew", 100, at_least=True
    )
    many, few = in_turn(lambda: filled(MOST).learn("x", "y"), lambda: filled(MOST // 10).learn("x", "y"))
    yield Ratio("learn 1000 private values", many / MOST, few / (MOST // 10), "s", "each of 100", 5)
    line, other = hidden(MOST), hidden(10)
    many, few = in_turn(line, other)
    yield Ratio("hide a line, 1000 values known", many, few, "s", "10 values known", 2)


def hidden(known: int) -> Callable[[], str]:
    index = filled(known)
    return lambda: index.replace(LINE)
