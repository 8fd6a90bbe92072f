"""What a step makes of the times of its calls: worked out once for all zones of a situation, since it depends on none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from callflow.proof.zone import FAR, NEVER, Zone, later

Span = tuple[int, int]
"""At least and at most, in microseconds."""


Times = tuple[Zone, tuple[Span, ...]]
"""A zone, and how long each paused silence has lasted."""


class Kept(NamedTuple):
    """A moment that there was before, at this place."""

    place: int


class Resumed(NamedTuple):
    """The timer of a silence that counts again: it was paused, at this place, and was armed for so long."""

    place: int
    seconds: int


class Lasted(NamedTuple):
    """How long a silence has counted that pauses now: its timer at this place was armed for so long."""

    place: int
    seconds: int


Source = Kept | Resumed | Span
"""Where the time of a moment comes from; a span: it is new, and lies between these two from now."""

Count = Kept | Lasted | Span
"""The same of how long a paused silence has lasted, by its place among those that were paused before."""


class Shift:
    """From the zones of `size - 1` moments to those of others. `sources` and `counts` say of each moment afterwards, and of each
    paused silence, where it comes from. `floors`: how far back each of them can lie then as time goes by; None where none does."""

    __slots__ = ("_counts", "_floors", "_from_now", "_order", "_size", "_sources", "_to_now")

    def __init__(
        self, size: int, sources: Sequence[Source], counts: Sequence[Count] = (), floors: Sequence[int] | None = None
    ) -> None:
        self._size = size
        self._counts = counts
        self._floors = floors
        self._sources = [one for one in sources if not isinstance(one, Kept)]
        kept = [0, *(one.place for one in sources if isinstance(one, Kept))]
        self._from_now, self._to_now = kept, [place * size for place in kept]
        self._order = _getter(_places(size, sources, kept))

    def times(self, zone: Zone, counted: tuple[Span, ...]) -> Times | None:
        """The zone of the moments that there are afterwards, and how long each silence that is paused then has lasted; None where that
        can not be."""
        made: Zone | None = self._order(self._with_new(zone, counted) if self._sources else zone)
        if self._floors is not None and made is not None:
            made = later(made, self._floors)
        if made is None:
            return None
        return made, tuple([_count(one, self._size, zone, counted) for one in self._counts]) if self._counts else ()

    def _with_new(self, zone: Zone, counted: tuple[Span, ...]) -> Sequence[int]:
        spans = [_span(one, counted) for one in self._sources]
        found = [*zone, 0]
        for least, most in spans:  # as far from what was there as from now, and from now to there
            found += [most + zone[place] for place in self._from_now]
            found += [zone[place] - least for place in self._to_now]
        found += [most - least for _, most in spans for least, _ in spans]
        return [bound if bound < FAR else NEVER for bound in found]


def _places(size: int, sources: Sequence[Source], kept: Sequence[int]) -> list[int]:
    """Where each bound of a zone afterwards stands among those of `Shift._with_new`: what was there, a zero, for each new moment its row and
    its column, and what lies between the new ones."""
    known = size * size
    count, new = len(kept), sum(not isinstance(one, Kept) for one in sources)
    between = known + 1 + 2 * count * new
    rank, numbers = [0], [-1]  # of each moment afterwards: its place among those kept, or its number among the new
    for one in sources:
        is_kept = isinstance(one, Kept)
        rank.append(sum(number < 0 for number in numbers) if is_kept else -1)
        numbers.append(-1 if is_kept else sum(number >= 0 for number in numbers))

    def place(i: int, j: int) -> int:
        if rank[i] >= 0 and rank[j] >= 0:
            return kept[rank[i]] * size + kept[rank[j]]
        if i == j:
            return known
        if rank[j] >= 0:
            return known + 1 + 2 * count * numbers[i] + rank[j]
        if rank[i] >= 0:
            return known + 1 + 2 * count * numbers[j] + count + rank[i]
        return between + numbers[i] * new + numbers[j]

    return [place(i, j) for i in range(len(rank)) for j in range(len(rank))]


def _getter(places: Sequence[int]) -> Callable[[Sequence[int]], Zone]:
    if len(places) == 1:  # of no moments but now
        return lambda _: (0,)
    return itemgetter(*places)


def _span(source: Source, counted: tuple[Span, ...]) -> Span:
    if isinstance(source, Resumed):
        least, most = counted[source.place]
        return max(source.seconds - most, 0), max(source.seconds - least, 0)
    if isinstance(source, Kept):
        raise TypeError("what was there before has no span of its own")
    return source


def _count(one: Count, size: int, zone: Zone, counted: tuple[Span, ...]) -> Span:
    if isinstance(one, Kept):
        return counted[one.place]
    if isinstance(one, Lasted):
        return one.seconds - zone[one.place * size], one.seconds + zone[one.place]
    return one
