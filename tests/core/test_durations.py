# ruff: noqa: PT017 - some inputs raise, others do not
"""Durations: what is read, what is refused and how, and what is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("850ms", 0.85),
        ("12s", 12.0),
        ("10m", 600.0),
        ("1h", 3600.0),
        ("0s", 0.0),
        ("1ms", 0.001),
        ("720h", LONGEST),
        ("090s", 90.0),
    ],
)
def test_a_number_with_its_unit(written, seconds):
    parsed = parse_duration(written)
    assert parsed == seconds
    assert isinstance(parsed, float)


ONE_UNIT = "a duration is a whole number with one unit: write "
TOO_LONG = "a duration is at most 30 days (720h)"
GENERAL = "a duration is a whole number with its unit, ms, s, m or h: write 12s"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (12, "a duration needs its unit: write 12s"),
        (0.5, "a duration needs its unit: write 500ms"),
        (90, "a duration needs its unit: write 90s"),
        (-3, "a duration is never negative: write 3s"),
        (-1e300, "a duration is never negative: write 12s"),
        (3600000, "a duration needs its unit: write 1h"),
        (float("nan"), "a duration needs its unit: write 12s"),
        (float("inf"), "a duration needs its unit: write 12s"),
        (10**400, TOO_LONG),
        ("30", "a duration needs its unit: write 30s"),
        (" 30 ", "a duration needs its unit: write 30s"),
        (True, "a duration is a whole number with its unit: write 12s"),
        (None, "a duration is a whole number with its unit: write 12s"),
        (["12s"], "a duration is a whole number with its unit: write 12s"),
        ("1m30s", ONE_UNIT + "90s"),
        ("1.5h", ONE_UNIT + "90m"),
        ("12 s", ONE_UNIT + "12s"),
        ("12S", ONE_UNIT + "12s"),
        ("12 seconds", ONE_UNIT + "12s"),
        ("2min", ONE_UNIT + "2m"),
        ("1 day", ONE_UNIT + "24h"),
        ("1 hour 30 min", ONE_UNIT + "90m"),
        ("", GENERAL),
        ("-5s", "a duration is never negative: write 5s"),
        ("- 1m30s", "a duration is never negative: write 90s"),
        ("\N{MINUS SIGN}5s", "a duration is never negative: write 5s"),
        ("-5", "a duration is never negative: write 12s"),
        ("-0s", "a duration is never negative: write 12s"),
        ("+5s", "a duration has no sign: write 5s"),
        ("-soon", GENERAL),
        ("1:30", ONE_UNIT + "90s"),
        ("1:02:03", ONE_UNIT + "3723s"),
        ("PT1M30S", ONE_UNIT + "90s"),
        ("P1D", ONE_UNIT + "24h"),
        ("PT", GENERAL),
        ("soon", GENERAL),
        ("12x", GENERAL),
        ("١٢s", GENERAL),
        ("5 fortnights", GENERAL),
        ("99999999999999s", TOO_LONG),
        ("45 days", TOO_LONG),
        ("3000000000000", TOO_LONG),
        ("721h", TOO_LONG),
    ],
)
def test_anything_else_says_what_to_write(written, says):
    with pytest.raises(ValueError) as caught:
        parse_duration(written)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (90, "90s"),
        (60, "1m"),
        (5400, "90m"),
        (3600, "1h"),
        (0.85, "850ms"),
        (0, "0s"),
        (1.5, "1500ms"),
        (0.0004, "0s"),
        (-5, "-5s"),
        (86400, "24h"),
    ],
)
def test_the_shortest_written_form(seconds, written):
    assert format_duration(seconds) == written


@given(st.integers(0, int(LONGEST * 1000)))
def test_what_is_written_is_read_back(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.one_of(st.text(), st.text("0123456789.msh dayinu", max_size=60), st.floats(), st.integers()))
def test_nothing_but_a_value_error(anything):
    try:
        seconds = parse_duration(anything)
    except ValueError as error:
        assert "write" in str(error) or "at most" in str(error)
    else:
        assert 0 <= seconds <= LONGEST
