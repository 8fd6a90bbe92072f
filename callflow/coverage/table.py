"""Coverage as a table: a line for each file, as coverage.py prints it, and then what is missing in each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from callflow.coverage.measure import Coverage, FileCoverage, Found, percent
from callflow.coverage.things import KINDS, Kind

MOST = 30
"""Lines of what is missing in one file."""

BESIDE: tuple[Kind, ...] = ("state", "guard", "result", "timer", "tool")


def file_shown(file: str) -> str:
    """Its path from here, where it stands below."""
    if file.startswith("<"):
        return file
    path = os.path.relpath(file)
    return file if path.startswith(os.pardir) else path


def table(coverage: Coverage) -> Iterator[str]:
    """The table, and the rows that do not count."""
    heads = ["Flow", "Rows", "Miss", "Cover", *(KINDS[kind].capitalize() for kind in BESIDE), "Missing"]
    lines = [_line(one) for one in coverage.files]
    total = _total(coverage)
    widths = [max(len(line[place]) for line in (heads, *lines, total)) for place in range(len(heads) - 1)]

    def aligned(line: Sequence[str]) -> str:
        first, *numbers = (
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=False))
        )
        return "   ".join([first, *numbers, line[-1]]).rstrip()

    rule = "-" * max(len(aligned(line)) for line in (heads, *lines, total))
    yield aligned(heads)
    yield rule
    yield from map(aligned, lines)
    if len(lines) > 1:
        yield rule
        yield aligned(total)


def _line(one: FileCoverage) -> list[str]:
    rows, all_rows = one.share("row")
    missing = [found for found in one.of("row") if not found.counts]
    shares = [one.share(kind) for kind in BESIDE]
    return [
        file_shown(one.file), str(all_rows), str(all_rows - rows), _cover(rows, all_rows), *map(_share, shares), lines_of(missing),
    ]  # fmt: skip


def _total(coverage: Coverage) -> list[str]:
    rows, all_rows = coverage.rows
    shares = [[one.share(kind) for one in coverage.files] for kind in BESIDE]
    summed = ((sum(part for part, _ in each), sum(whole for _, whole in each)) for each in shares)
    return ["TOTAL", str(all_rows), str(all_rows - rows), _cover(rows, all_rows), *map(_share, summed), ""]


def _cover(part: int, whole: int) -> str:
    """Rounded down: 100% is all of them."""
    return f"{int(percent(part, whole))}%"


def _share(share: tuple[int, int]) -> str:
    part, whole = share
    return f"{part}/{whole}" if whole else "-"


def lines_of(found: Sequence[Found]) -> str:
    """Their lines: `12, 30-31, 44?`, with a question mark where a row is taken, and nothing would fail without it."""
    lines: dict[int, bool] = {}
    for one in found:
        lines[one.thing.line] = lines.get(one.thing.line, True) and one.unmissed
    spans: list[tuple[int, int, bool]] = []
    for line, unmissed in sorted(lines.items()):
        if spans and spans[-1][1:] == (line - 1, unmissed):
            spans[-1] = spans[-1][0], line, unmissed
        else:
            spans.append((line, line, unmissed))
    return ", ".join(
        f"{first if first == last else f'{first}-{last}'}{'?' if unmissed else ''}" for first, last, unmissed in spans
    )


def missing(coverage: Coverage) -> Iterator[str]:
    """Of each file what does not count, a sentence each."""
    for file in coverage.files:
        said = [*_missing(file)]
        if said:
            yield ""
            yield file_shown(file.file)
            yield from (f"  {one}" for one in said[:MOST])
        if len(said) > MOST:
            yield f"  … and {len(said) - MOST} more"


def _missing(file: FileCoverage) -> Iterator[str]:
    """What follows of a row that no scenario takes is not told again: that its timer never comes due, that nobody asks its guard."""
    width = max((len(str(one.thing.line)) for one in file.found), default=0)
    untaken = {one.thing[1:4] for one in file.of("row") if not one.scenarios}
    asked = {one.thing[1:4] for one in file.of("guard") if one.scenarios}
    for one in file.found:
        place = one.thing[1:4]
        follows = place in untaken and (one.thing.kind == "timer" or (one.thing.kind == "guard" and place not in asked))
        if not one.counts and not follows:
            yield f"{one.thing.line:>{width}}  {sentence(one)}"


def sentence(found: Found) -> str:
    """What is missing of it."""
    kind, what = found.thing.kind, found.thing.what
    if found.unmissed:
        by = f'"{found.scenarios[0]}"' if len(found.scenarios) == 1 else f"{len(found.scenarios)} scenarios"
        return f"the row `{what}` is taken by {by}, and nothing would fail without it: expect what comes of it"
    return {
        "row": f"no scenario takes the row `{what}`",
        "state": f"no scenario enters the state `{what}`",
        "guard": f"no scenario in which the guard is {what}",
        "result": f"no scenario in which this ends as {what}"
        if "." in what
        else f"no scenario in which this is {what}",
        "timer": f"no scenario in which `{what}` comes due",
        "tool": f"no scenario calls the tool `{what}`",
    }[kind]
