"""Two lists side by side: what is expected and not there, what is there and not expected, what is both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from callflow.scenario.model import ANYTHING

MOST = 200
"""Items that are compared; of what is longer the beginning is left out."""

SHOWN = 6
"""Of what stands for `...`."""

BOTH, MISSING, TOO_MUCH = "  ", "- ", "+ "


Fits = Callable[[Any, Any], bool]
"""Whether something that is found is what is wanted, or near it."""

MISSES, REPLACES, EXCEEDS = 3, 2, 2
"""What each costs that is missing, that stands in the place of something near it, that is too much."""


def never(_wanted: Any, _found: Any) -> bool:
    """None of them is near another."""
    return False


def difference(
    wanted: Sequence[Any], found: Sequence[Any], fits: Fits,
    show_wanted: Callable[[Any], str], show_found: Callable[[Any], str], near: Fits = never,
) -> tuple[str, ...]:  # fmt: skip
    """A line for each item, with the fewest that differ: in both, expected alone (`- `), found alone (`+ `). `...` in what is wanted
    takes anything."""
    lines, taken = list[str](), list[str]()  # by the gap at which we are
    for row, column in aligned(wanted, found, fits, near):
        if row is None:
            lines.append(TOO_MUCH + show_found(found[column or 0]))
        elif wanted[row] == ANYTHING and column is not None:
            taken.append(show_found(found[column]))
        elif wanted[row] == ANYTHING:
            lines += _gap(taken)
            taken = []
        elif column is None:
            lines.append(MISSING + show_wanted(wanted[row]))
        elif fits(wanted[row], found[column]):
            lines.append(BOTH + show_found(found[column]))
        else:
            lines += [MISSING + show_wanted(wanted[row]), TOO_MUCH + show_found(found[column])]
    return tuple(lines)


def aligned(
    wanted: Sequence[Any], found: Sequence[Any], fits: Fits, near: Fits = never
) -> Iterator[tuple[int | None, int | None]]:
    """Their places, in order, with the fewest that differ: of both where they fit, or are near each other, else of one alone. A gap comes with each that it
    takes, then alone. Of what is longer than MOST the last are compared."""
    above, below = max(0, len(wanted) - MOST), max(0, len(found) - MOST)
    yield from ((place, None) for place in range(above))
    yield from ((None, place) for place in range(below))
    wanted, found = wanted[above:], found[below:]
    cost = _costs(wanted, found, fits, near)
    row = column = 0
    while row < len(wanted) or column < len(found):
        here = cost[row][column]
        gap = row < len(wanted) and wanted[row] == ANYTHING
        both = row < len(wanted) and column < len(found)
        if both and not gap and here == cost[row + 1][column + 1] + _pair(wanted[row], found[column], fits, near):
            yield above + row, below + column
            row, column = row + 1, column + 1
        elif gap and here == cost[row + 1][column]:
            yield above + row, None
            row += 1
        elif gap and column < len(found) and here == cost[row][column + 1]:
            yield above + row, below + column
            column += 1
        elif row < len(wanted) and not gap and here == cost[row + 1][column] + MISSES:
            yield above + row, None
            row += 1
        else:
            yield None, below + column
            column += 1


def _gap(taken: Sequence[str]) -> list[str]:
    """What `...` stands for, the last of it at least."""
    if len(taken) > SHOWN:
        taken = [f"({len(taken) - SHOWN} more)", *taken[-SHOWN:]]
    return [f"{BOTH}{ANYTHING} {one}" for one in taken] or [BOTH + ANYTHING]


def _pair(wanted: Any, found: Any, fits: Fits, near: Fits) -> int:
    return 0 if fits(wanted, found) else REPLACES if near(wanted, found) else MISSES + EXCEEDS


def _costs(wanted: Sequence[Any], found: Sequence[Any], fits: Fits, near: Fits) -> list[list[int]]:
    """What the lines cost that differ, at the least, from each place on to the end."""
    rows, columns = len(wanted), len(found)
    cost = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows, -1, -1):
        gap = row < rows and wanted[row] == ANYTHING
        for column in range(columns, -1, -1):
            ways = [0] if row == rows and column == columns else []
            if row < rows:
                ways.append(cost[row + 1][column] + (0 if gap else MISSES))
            if column < columns:
                ways.append(cost[row][column + 1] + (0 if gap else EXCEEDS))
            if row < rows and column < columns and not gap:
                ways.append(cost[row + 1][column + 1] + _pair(wanted[row], found[column], fits, near))
            cost[row][column] = min(ways)
    return cost
