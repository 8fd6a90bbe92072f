"""Zones against the plain meaning of what they say: sets of times, looked at one by one."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from callflow.proof.zone import (
    NEVER,
    NOW,
    Zone,
    apart,
    at_most,
    example,
    includes,
    later,
    size_of,
    widened,
    with_moments,
)

LONGEST = 5
TIMES = range(-2 * LONGEST, 2 * LONGEST + 1)


def holds(zone: Zone, times: tuple[int, ...]) -> bool:
    size, all_times = size_of(zone), (0, *times)
    return all(all_times[i] - all_times[j] <= zone[i * size + j] for i, j in product(range(size), repeat=2))


def members(zone: Zone) -> set[tuple[int, ...]]:
    return {times for times in product(TIMES, repeat=size_of(zone) - 1) if holds(zone, times)}


spans = st.tuples(st.integers(0, LONGEST), st.integers(0, LONGEST)).map(lambda pair: (min(pair), max(pair)))


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    """What two timers come to: one armed, some time later another, some time later now."""
    first = with_moments(NOW, (), [draw(spans)])
    waited = later(first, (0,))
    assert waited is not None
    zone = with_moments(waited, (1,), [draw(spans)])
    return later(zone, (0, 0)) or zone if draw(st.booleans()) else zone


@given(zones(), st.tuples(st.integers(-LONGEST, 0), st.integers(-LONGEST, 0)))
def test_time_goes_by_until_something_is_due(zone: Zone, floors: tuple[int, int]) -> None:
    after = later(zone, floors)
    moved = {tuple(time - gone for time in times) for times in members(zone) for gone in range(3 * LONGEST)}
    wanted = {times for times in moved if all(time >= floor for time, floor in zip(times, floors, strict=True))}
    assert (members(after) if after is not None else set()) == wanted


@given(zones(), st.sampled_from([1, 2]), st.integers(-1, LONGEST))
def test_a_moment_lies_no_further_ahead(zone: Zone, moment: int, most: int) -> None:
    cut = at_most(zone, moment, most)
    assert (members(cut) if cut is not None else set()) == {
        times for times in members(zone) if times[moment - 1] <= most
    }


@given(zones(), zones())
def test_one_zone_includes_another_where_its_times_do(outer: Zone, inner: Zone) -> None:
    assert includes(outer, inner) == (members(inner) <= members(outer))


@given(zones())
def test_what_is_asked_of_a_zone_is_true_of_its_times(zone: Zone) -> None:
    inside = members(zone)
    assert tuple(example(zone)) in inside
    for moment in (1, 2):
        seen = {times[moment - 1] for times in inside}
        assert apart(zone, moment) == (min(seen), max(seen))


@given(zones())
def test_moments_may_be_left_out_and_put_in_another_order(zone: Zone) -> None:
    assert members(with_moments(zone, (2, 1), ())) == {(b, a) for a, b in members(zone)}
    assert members(with_moments(zone, (2,), ())) == {(b,) for _, b in members(zone)}


@given(zones(), zones())
def test_what_grows_is_widened_once_and_for_all(one: Zone, other: Zone) -> None:
    hull = tuple(map(max, one, other))
    wide = widened(hull, one, (LONGEST, LONGEST), (True, True))
    assert members(one) | members(other) <= members(wide)
    grown = tuple(map(max, wide, hull))
    assert widened(grown, wide, (LONGEST, LONGEST), (True, True)) == wide  # nothing gives way a second time


def test_a_moment_without_a_bound_is_none() -> None:
    assert with_moments(NOW, (), [(0, NEVER)])[2] == NEVER
