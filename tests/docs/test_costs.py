"""The table of what a test costs has the rows that are measured, and a time in each."""

from __future__ import annotations

import re

from benchmarks.costs import PAGE, ROWS, TABLE


def test_every_row_is_measured():
    [table] = TABLE.finditer(PAGE.read_text(encoding="utf-8"))
    _, _, *rows = [line.strip("| ").split(" | ") for line in table[0].splitlines() if line.startswith("|")]
    assert [what for what, _ in rows] == list(ROWS)
    assert all(re.fullmatch(r"[0-9.]+ (s|ms|µs)", costs) for _, costs in rows)
