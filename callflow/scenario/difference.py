"""Two lists side by side: what is expected and not there, what is there and not expected, what is both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from callflow.scenario.model import ANYTHING

MOST = 200
"""Items that are compared; of what is longer the beginning is left out."""

SHOWN = 6
"""Of what stands for `...`."""

BOTH, MISSING, TOO_MUCH = "  ", "- ", "+ "


def difference(
    wanted: Sequence[Any], found: Sequence[Any], fits: Callable[[Any, Any], bool],
    show_wanted: Callable[[Any], str], show_found: Callable[[Any], str],
) -> tuple[str, ...]:  # fmt: skip
    """A line for each item, with the fewest that differ: in both, expected alone (`- `), found alone (`+ `). `...` in what is wanted
    takes anything."""
    left = (len(wanted) - MOST, len(found) - MOST)
    wanted, found = wanted[-MOST:], found[-MOST:]
    cost = _costs(wanted, found, fits)
    lines = [f"  … {more} more" for more in (max(left),) if more > 0]
    row = column = 0
    taken: list[str] = []  # by the gap at which we are
    while row < len(wanted) or column < len(found):
        here = cost[row][column]
        gap = row < len(wanted) and wanted[row] == ANYTHING
        both = row < len(wanted) and column < len(found)
        if both and not gap and here == cost[row + 1][column + 1] and fits(wanted[row], found[column]):
            lines.append(BOTH + show_found(found[column]))
            row, column = row + 1, column + 1
        elif gap and here == cost[row + 1][column]:
            lines += _gap(taken)
            taken = []
            row += 1
        elif gap and column < len(found) and here == cost[row][column + 1]:
            taken.append(show_found(found[column]))
            column += 1
        elif row < len(wanted) and not gap and here == cost[row + 1][column] + 1:
            lines.append(MISSING + show_wanted(wanted[row]))
            row += 1
        else:
            lines.append(TOO_MUCH + show_found(found[column]))
            column += 1
    return tuple(lines)


def _gap(taken: Sequence[str]) -> list[str]:
    """What `...` stands for, the last of it at least."""
    if len(taken) > SHOWN:
        taken = [f"({len(taken) - SHOWN} more)", *taken[-SHOWN:]]
    return [f"{BOTH}{ANYTHING} {one}" for one in taken] or [BOTH + ANYTHING]


def _costs(wanted: Sequence[Any], found: Sequence[Any], fits: Callable[[Any, Any], bool]) -> list[list[int]]:
    """How many lines differ at the least, from each place on to the end."""
    rows, columns = len(wanted), len(found)
    cost = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows, -1, -1):
        gap = row < rows and wanted[row] == ANYTHING
        for column in range(columns, -1, -1):
            ways = [0] if row == rows and column == columns else []
            if row < rows:
                ways.append(cost[row + 1][column] + (not gap))
            if column < columns:
                ways.append(cost[row][column + 1] + (not gap))
            if row < rows and column < columns and not gap and fits(wanted[row], found[column]):
                ways.append(cost[row + 1][column + 1])
            cost[row][column] = min(ways)
    return cost
