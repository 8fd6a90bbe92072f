"""Coverage as lcov's tracefile, which editors and CI servers read (man geninfo, "TRACEFILE FORMAT")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callflow.coverage.measure import Coverage, FileCoverage, Found

_BRANCHES = frozenset({"guard", "result"})
"""What goes one way or another: what a guard says, how an action ends."""


def lcov(coverage: Coverage) -> str:
    """A record for each file. A line has been reached as often as what on it is covered least: as many scenarios, and 0 where
    nobody would miss the row; a guard's two verdicts, and the ways in which an action ends, are branches of their line."""
    return "".join(f"{line}\n" for file in coverage.files for line in _record(file))


def _record(file: FileCoverage) -> Iterator[str]:
    yield "TN:"
    yield f"SF:{file.file}"
    branches = [one for one in file.found if one.thing.kind in _BRANCHES]
    yield from _branches(branches)
    yield f"BRF:{len(branches)}"
    yield f"BRH:{sum(bool(one.scenarios) for one in branches)}"
    lines: dict[int, int] = {}
    for one in file.found:
        if one.thing.kind not in _BRANCHES:
            hits = len(one.scenarios) if one.counts else 0
            lines[one.thing.line] = min(hits, lines.get(one.thing.line, hits))
    yield from (f"DA:{line},{hits}" for line, hits in sorted(lines.items()))
    yield f"LF:{len(lines)}"
    yield f"LH:{sum(hits > 0 for hits in lines.values())}"
    yield "end_of_record"


def _branches(found: Sequence[Found]) -> Iterator[str]:
    """What is asked at one place is a block; where it was never asked, nobody knows of its branches (`-`)."""
    blocks: dict[tuple[int, int, str], list[Found]] = {}
    for one in found:
        blocks.setdefault((one.thing.line, one.thing.column, one.thing.kind), []).append(one)
    for block, ((line, *_), each) in enumerate(blocks.items()):
        asked = any(one.scenarios for one in each)
        for number, one in enumerate(each):
            yield f"BRDA:{line},{block},{number},{len(one.scenarios) if asked else '-'}"
