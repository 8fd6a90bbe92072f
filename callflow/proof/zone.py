"""Zones: sets of times, as difference bound matrices (Dill 1989; Bengtsson and Yi 2004).

A zone says of some moments x1 … xn, and of now (x0), how far they may lie apart: `zone[i * size + j]` is the most that
xi - xj can be, in microseconds. What lies ahead of now is positive, what is past negative. Bounds are closed, and the matrices
canonical: no bound is looser than what follows from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from operator import le

Zone = tuple[int, ...]

NEVER = 10**17
"""No bound."""

NOW: Zone = (0,)
"""The zone of no moments at all."""


def size_of(zone: Sequence[int]) -> int:
    """How many moments a zone tells of, now among them."""
    return isqrt(len(zone))


def includes(outer: Zone, inner: Zone) -> bool:
    """Whether all times of one zone are times of the other: of the same moments."""
    return all(map(le, inner, outer))


def later(zone: Zone, floors: Sequence[int]) -> Zone | None:
    """The same after any time in which no moment comes to lie further back than its floor: 0 where something falls due then.
    None where that is not so even now."""
    size = len(floors) + 1
    if size == 1:
        return zone
    bounds = list(zone)
    first = [0, *(-floor for floor in floors)]
    for j in range(1, size):
        least = first[j]
        for i in range(1, size):
            by_way = first[i] + bounds[i * size + j]
            least = min(least, by_way)
        bounds[j] = least
    for i in range(1, size):
        to_now = bounds[i * size]
        if to_now + bounds[i] < 0:
            return None
        if to_now < NEVER:
            row = i * size
            for j in range(1, size):
                by_way = to_now + bounds[j]
                if by_way < bounds[row + j]:
                    bounds[row + j] = by_way
    return tuple(bounds)


def at_most(zone: Zone, moment: int, most: int) -> Zone | None:
    """Where a moment lies no further ahead of now than this; None where that can not be."""
    size = size_of(zone)
    row = moment * size
    if zone[row] <= most:
        return zone
    if most + zone[moment] < 0:
        return None
    bounds = list(zone)
    to_now = [min(bounds[k * size], bounds[k * size + moment] + most) for k in range(size)]
    for k in range(size):
        bounds[k * size] = to_now[k]
    for k in range(size):
        by = to_now[k]
        if by < NEVER:
            start = k * size
            for j in range(1, size):
                by_way = by + bounds[j]
                if by_way < bounds[start + j]:
                    bounds[start + j] = by_way
    return tuple(bounds)


def with_moments(zone: Zone, kept: Sequence[int], new: Sequence[tuple[int, int]]) -> Zone:
    """A zone of the moments that are kept, in this order, and of new ones, each between two times from now."""
    old = size_of(zone)
    order = (0, *kept)
    to_now = [zone[i * old] for i in order] + [most for _, most in new]
    from_now = [zone[j] for j in order] + [-least for least, _ in new]
    count, size = len(order), len(order) + len(new)
    bounds: list[int] = []
    for i in range(size):
        if i < count:
            start = order[i] * old
            bounds += [zone[start + j] for j in order]
        else:
            bounds += [min(to_now[i] + from_now[j], NEVER) for j in range(count)]
        bounds += [0 if i == j else min(to_now[i] + from_now[j], NEVER) for j in range(count, size)]
    return tuple(bounds)


def apart(zone: Zone, moment: int) -> tuple[int, int]:
    """The earliest and the latest that a moment may lie from now."""
    return -zone[moment], zone[moment * size_of(zone)]


def example(zone: Zone) -> list[int]:
    """Times of all moments that the zone has: the latest of each. Raises ValueError where one is never due."""
    size = size_of(zone)
    times = [zone[i * size] for i in range(1, size)]
    if any(time >= NEVER for time in times):
        raise ValueError("a moment without a bound has no latest time")
    return times


def widened(zone: Zone, earlier: Zone, widest: Sequence[int], which: Sequence[bool]) -> Zone:
    """What a zone comes to that grows and grows, as it has since an earlier one (Cousot and Cousot 1977): each bound that has
    given way is as loose as it can be. `widest`: how far ahead of now each moment can lie."""
    size = len(widest) + 1
    to_now = (0, *(max(most, 0) for most in widest))
    from_now = (0, *(max(-most, 0) for most in widest))
    gives = (True, *which)
    bounds = [
        bound
        if bound <= old or not (gives[n // size] and gives[n % size])
        else min(to_now[n // size] + from_now[n % size], NEVER)
        for n, (bound, old) in enumerate(zip(zone, earlier, strict=True))
    ]
    for k in range(size):
        for i in range(size):
            by = bounds[i * size + k]
            if by < NEVER:
                for j in range(size):
                    by_way = by + bounds[k * size + j]
                    if by_way < bounds[i * size + j]:
                        bounds[i * size + j] = by_way
    return tuple(bounds)
