"""What it costs to hide the line of a log in a call that knows many private values, one more of them with each line."""

from __future__ import annotations

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


def ratios() -> Iterator[Ratio]:
    yield Ratio("hide a line, 1000 values known", *in_turn(hidden(MOST), hidden(10)), "10 values known", 2.0)
    yield Ratio("and learn one more each time", *in_turn(one_more(MOST), one_more(10)), "10 values known", 2.0)


def hidden(known: int) -> Callable[[], str]:
    index = filled(known)
    return lambda: index.replace(LINE)
