"""Zones: sets of times, as difference bound matrices (Dill 1989; Bengtsson and Yi 2004).

A zone says of some moments x1 … xn, and of now (x0), how far they may lie apart: `zone[i * size + j]` is the most that
xi - xj can be, in microseconds. What lies ahead of now is positive, what is past negative. Bounds are closed, and the matrices
canonical: no bound is looser than what follows from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from operator import le, lt, sub

Zone = tuple[int, ...]

NEVER = 10**17
"""No bound."""

FAR = NEVER // 2
"""What is beyond this is no bound either: none of which something was taken off."""

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
    from_now = [min(map(sub, zone[size + j :: size], floors)) for j in range(1, size)]
    if max(from_now) > FAR:
        from_now = [bound if bound < FAR else NEVER for bound in from_now]
    bounds = [0, *from_now, *zone[size:]]
    if any(map(lt, from_now, zone[1:size])):  # it lies further back than its floor at times
        for row in range(size, size * size, size):
            to_now = bounds[row]
            if to_now + from_now[row // size - 1] < 0:
                return None
            _close(bounds, row, to_now)
    return tuple(bounds)


def at_most(zone: Zone, moment: int, most: int) -> Zone | None:
    """Where a moment lies no further ahead of now than this; None where that can not be."""
    size = size_of(zone)
    if zone[moment * size] <= most:
        return zone
    if most + zone[moment] < 0:
        return None
    bounds = list(zone)
    for row in range(0, size * size, size):
        to_now = zone[row + moment] + most
        if to_now < zone[row]:
            bounds[row] = to_now
            _close(bounds, row, to_now)
    return tuple(bounds)


def _close(bounds: list[int], row: int, to_now: int) -> None:
    """No bound of this row is looser than what follows from that to now."""
    if to_now < NEVER:
        for j in range(1, size_of(bounds)):
            by_way = to_now + bounds[j]
            if by_way < bounds[row + j]:
                bounds[row + j] = by_way


def widened(zone: Zone, earlier: Zone, widest: Sequence[int], which: Sequence[bool]) -> Zone:
    """What a zone comes to that grows and grows, as it has since an earlier one (Cousot and Cousot 1977): each bound that has
    given way is as loose as it can be, if `which` says so, by its place. `widest`: how far ahead of now each moment can lie."""
    size = len(widest) + 1
    to_now = (0, *(max(most, 0) for most in widest))
    from_now = (0, *(max(-most, 0) for most in widest))
    bounds = [
        bound if bound <= old or not which[n] else min(to_now[n // size] + from_now[n % size], NEVER)
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
