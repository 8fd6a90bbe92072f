"""Zones against the plain meaning of what they say: sets of times, looked at one by one."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from callflow.proof.shift import Kept, Lasted, Resumed, Shift, Source
from callflow.proof.zone import NEVER, NOW, Zone, at_most, includes, later, size_of, widened

LONGEST = 5
TIMES = range(-2 * LONGEST, 2 * LONGEST + 1)


def holds(zone: Zone, times: tuple[int, ...]) -> bool:
    size, all_times = size_of(zone), (0, *times)
    return all(all_times[i] - all_times[j] <= zone[i * size + j] for i, j in product(range(size), repeat=2))


def members(zone: Zone) -> set[tuple[int, ...]]:
    return {times for times in product(TIMES, repeat=size_of(zone) - 1) if holds(zone, times)}


def shifted(zone: Zone, *sources: Source) -> Zone:
    times = Shift(size_of(zone), sources).times(zone, ())
    assert times is not None
    return times[0]


spans = st.tuples(st.integers(0, LONGEST), st.integers(0, LONGEST)).map(lambda pair: (min(pair), max(pair)))


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    """What two timers come to: one armed, some time later another, some time later now."""
    first = shifted(NOW, draw(spans))
    waited = later(first, (0,))
    assert waited is not None
    zone = shifted(waited, *draw(st.permutations([Kept(1), draw(spans)])))
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


@given(zones(), spans, spans)
def test_moments_are_left_out_put_in_another_order_and_come_anew(
    zone: Zone, one: tuple[int, int], two: tuple[int, int]
) -> None:
    inside = members(zone)
    assert members(shifted(zone, Kept(2), Kept(1))) == {(b, a) for a, b in inside}
    assert members(shifted(zone, one, Kept(2))) == {(new, b) for _, b in inside for new in _between(one)}
    assert members(shifted(zone, one, two)) == {(a, b) for a in _between(one) for b in _between(two)}


def _between(span: tuple[int, int]) -> range:
    return range(span[0], span[1] + 1)


@given(zones())
def test_a_silence_that_pauses_has_lasted_until_its_row_would_have_been_due(zone: Zone) -> None:
    times = Shift(3, [Kept(2)], [Lasted(1, LONGEST)]).times(zone, ())
    assert times is not None
    lasted = {LONGEST - due for due, _ in members(zone)}
    assert times[1] == ((min(lasted), max(lasted)),)


def test_a_silence_that_goes_on_is_over_sooner_the_longer_it_has_lasted() -> None:
    assert Shift(1, [Resumed(0, 10), Resumed(1, 10)]).times(NOW, ((2, 5), (8, 12))) == (
        (0, -5, 0, 8, 0, 8, 2, -3, 0),
        (),
    )


@given(zones(), zones())
def test_what_grows_is_widened_once_and_for_all(one: Zone, other: Zone) -> None:
    hull = tuple(map(max, one, other))
    wide = widened(hull, one, (LONGEST, LONGEST), (True,) * 9)
    assert members(one) | members(other) <= members(wide)
    grown = tuple(map(max, wide, hull))
    assert widened(grown, wide, (LONGEST, LONGEST), (True,) * 9) == wide  # nothing gives way a second time


def test_a_moment_without_a_bound_is_none() -> None:
    assert shifted(NOW, (0, NEVER))[2] == NEVER
