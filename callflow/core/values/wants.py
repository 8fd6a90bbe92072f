"""What is asked of one value: the constants that it is compared with, the bounds between which a number makes no difference,
and the same of its fields and items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from callflow.core.expressions import Type

Path = tuple[str | int, ...]
"""Fields by name and items by number, from a value inward: `body.open` is `("body", "open")`."""

MOST = 24
"""Constants, and bounds, that are kept for one value; one that is asked more is not followed."""


class Cut(NamedTuple):
    """Where an answer changes as a number grows: below `at` or from `at` on; with `after`, up to `at` or above it."""

    at: float
    after: bool


class Want:
    """Questions about one value. `lengths` are cuts of its length. `beyond`: it goes into an expression that cannot be turned
    round, so that more may be asked of it than stands here. `compared`: with another value that is only known in a call.
    `examples` are what both can be then. `kinds` are the types that it is made to fit."""

    __slots__ = ("beyond", "compared", "cuts", "examples", "inside", "kinds", "lengths", "values")

    def __init__(
        self,
        *values: Any,
        cuts: Iterable[Cut] = (),
        lengths: Iterable[Cut] = (),
        kinds: Iterable[Type] = (),
        examples: Iterable[Any] = (),
        beyond: bool = False,
        compared: bool = False,
    ) -> None:
        self.values: dict[Any, Any] = {same(value): value for value in values}
        self.cuts: set[Cut] = set(cuts)
        self.lengths: set[Cut] = set(lengths)
        self.kinds: dict[Type, None] = dict.fromkeys(kinds)
        self.examples: dict[Any, Any] = {same(value): value for value in examples}
        self.inside: dict[str | int, Want] = {}
        self.beyond = beyond
        self.compared = compared

    @property
    def asks(self) -> bool:
        """Whether it matters what the value is, beside whether it is there."""
        return bool(self.values or self.cuts or self.lengths or self.inside or self.beyond or self.compared)

    @property
    def followed(self) -> bool:
        return not self.beyond and all(one.followed for one in self.inside.values())

    @property
    def numbers(self) -> Iterator[float]:
        """The constants and bounds that are numbers."""
        yield from (value for value in self.values.values() if is_number(value))
        yield from (cut.at for cut in self.cuts)

    def at(self, path: Path) -> Want:
        """What is asked of a field or item, which is asked for from now on."""
        found = self
        for step in path:
            found = found.inside.setdefault(step, Want())
        return found

    def take(self, other: Want) -> bool:
        """Asks what another asks as well. True: that was new."""
        if other is self:
            return False
        before = self._size
        for mine, theirs in (
            (self.values, other.values.items()),
            (self.examples, other.examples.items()),
            (self.cuts, other.cuts),
            (self.lengths, other.lengths),
        ):
            mine.update(theirs)  # type: ignore[arg-type]
        self.kinds |= other.kinds
        self.beyond = self.beyond or other.beyond
        self.compared = self.compared or other.compared
        if max(len(self.values), len(self.cuts), len(self.lengths), len(self.examples)) > MOST:
            self._keep(MOST)
        grown = self._size != before
        for step, want in other.inside.items():
            known = step in self.inside
            grown = self.at((step,)).take(want) or not known or grown
        return grown

    def _keep(self, most: int) -> None:
        self.values = dict([*self.values.items()][:most])
        self.examples = dict([*self.examples.items()][:most])
        self.cuts = set(sorted(self.cuts, key=lambda cut: (abs(cut.at), cut))[:most])
        self.lengths = set(sorted(self.lengths)[:most])
        self.beyond = True

    @property
    def _size(self) -> tuple[Any, ...]:
        return (
            frozenset(self.values),
            frozenset(self.examples),
            frozenset(self.cuts),
            frozenset(self.lengths),
            frozenset(self.kinds),
            self.beyond,
            self.compared,
        )

    def mapped(self, value: Any) -> Iterator[Any]:
        """The constants, and a number on each side of the bounds, each as `value` has it; those of which it makes nothing are
        left out."""
        for one in (*self.values.values(), *between(self.cuts)):
            try:
                found = value(one)
            except (TypeError, ValueError, ArithmeticError, AttributeError):
                continue
            if found is not None:
                yield found


def same(value: Any) -> Any:
    """Hashable, and equal for values that no guard tells apart, and for no others: true is not 1."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, (list, tuple)):
        return list, tuple([same(item) for item in value])
    if isinstance(value, Mapping):
        return dict, frozenset([(name, same(item)) for name, item in value.items()])
    if value is None or isinstance(value, (str, int, float)):
        return value
    return type(value).__qualname__, repr(value)  # of the program's own


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def around(sign: str, number: float) -> set[Cut]:
    """Where the answer of a comparison with a number changes."""
    if sign in ("<", ">="):
        return {Cut(number, False)}
    if sign in (">", "<="):
        return {Cut(number, True)}
    return {Cut(number, False), Cut(number, True)}


def between(cuts: Iterable[Cut], *, whole: bool = False) -> list[float]:
    """A number for each stretch in which no answer changes, in order; with `whole` none but integers."""
    if whole:
        points = sorted({int(cut.at // 1) + 1 if cut.after else -int(-cut.at // 1) for cut in cuts})
        return [points[0] - 1, *points] if points else []
    ordered = sorted(set(cuts))
    if not ordered:
        return []
    found: list[float] = [ordered[0].at if ordered[0].after else ordered[0].at - 1]
    for place, cut in enumerate(ordered):
        above = ordered[place + 1].at if place + 1 < len(ordered) else cut.at + 2
        found.append(_plain((cut.at + above) / 2) if cut.after else cut.at)
    return found


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number
