"""When a call begins."""

from __future__ import annotations

import pytest

from callflow.scenario.clock import moment, moment_shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-11-27 18:30 Europe/Berlin", "2026-11-27 17:30 UTC"),
        ("2026-07-27 18:30 Europe/Berlin", "2026-07-27 16:30 UTC"),
        ("2026-11-27T18:30:05+01:00", "2026-11-27 17:30:05 UTC"),
        ("2026-11-27T18:30:05.25Z", "2026-11-27 18:30:05.25 UTC"),
        ("1970-01-01 00:00 UTC", "1970-01-01 00:00 UTC"),
    ],
)
def test_a_time_by_somebody_s_clock(written, shown):
    assert moment_shown(moment(written)) == shown
    assert moment(shown) == moment(written)


@pytest.mark.parametrize(
    "written",
    ["18:30", "2026-11-27", "2026-11-27 18:30", "2026-02-29 10:00 UTC", "2026-01-01 24:00 UTC", "2026-03-29 02:30 Europe/Berlin",
     "2026-01-01 10:00 ../passwd", "0001-01-01 00:00 Asia/Tokyo", "9999-12-31 23:59 America/New_York", "2026-11-27 18:30 Mars/Base"],
)  # fmt: skip
def test_what_is_no_time(written):
    with pytest.raises(ValueError, match=r"\w"):
        moment(written)
