"""What is about to happen by itself, in the order in which it does."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Container, Hashable
from typing import NamedTuple

from callflow.core.events import Input

Make = Callable[[float], Input | None]
"""What happens then, given the time; None: nothing of which the call hears."""


class Due(NamedTuple):
    """`of` is what it belongs to: with that it is dropped. A `limit` is not waited for: what it bounds may end before. They stand
    in the order in which they happen: of what is due at once a limit comes last, and else what was added first comes first."""

    time: float
    limit: bool
    number: int
    make: Make
    of: Hashable


class Schedule:
    """All that is due, the earliest first."""

    def __init__(self) -> None:
        self._due: list[Due] = []
        self._number = 0

    def add(self, time: float, make: Make, of: Hashable = None, *, limit: bool = False) -> None:
        self._number += 1
        insort(self._due, Due(time, limit, self._number, make, of))

    def drop(self, of: Hashable) -> None:
        """What belongs to this does not happen any more."""
        self._due = [one for one in self._due if one.of != of]

    def clear(self) -> None:
        """Nothing happens any more."""
        self._due = []

    def next(self) -> Due | None:
        """The earliest."""
        return self._due[0] if self._due else None

    def pop(self, one: Due) -> Due:
        self._due.remove(one)
        return one

    @property
    def settled(self) -> bool:
        """Whether nothing is under way that ends by itself."""
        return all(one.limit for one in self._due)

    def settled_but(self, those: Container[Hashable]) -> bool:
        """The same beside what belongs to those."""
        return all(one.limit or one.of in those for one in self._due)
