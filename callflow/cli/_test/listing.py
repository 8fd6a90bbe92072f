"""A session for programs: one line for each failure, or JSON; and what would be played."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from callflow.cli._test.files import INSIDE, File
from callflow.cli._test.session import Played, Reporter, Session
from callflow.errors import printable


class Short(Reporter):
    """`file:line:column: failed: name: message`, one a line; defects as `callflow check --format short` has them."""

    def over(self, session: Session) -> None:
        from callflow.cli._formats import short

        if session.defects:
            click.echo(short(session.defects))
        for one in session.failed:
            if one.failure is not None:
                at, unmet = one.failure.position, one.failure.unmet
                more = "".join(f"; {it.what}: expected {it.expected}, seen {it.seen}" for it in unmet)
                place = f"{at.file}:{at.line}:{at.column}"
                click.echo(printable(f"{place}: failed: {one.name}: {one.failure.message}{more}"))


class Json(Reporter):
    """`{"scenarios": [{file, name, line, passed, skipped, notes, seconds, length, message, at, unmet: [{what, expected, seen, difference},
    …], story, rows: [{place, time, told}, …]}, …],
    "defects": […], "deselected", "ended"}`; defects are as `callflow check --format json` has them."""

    def over(self, session: Session) -> None:
        found = {
            "scenarios": [_told(one) for one in session.played],
            "defects": [one._asdict() for one in session.defects],
            "deselected": session.left_out,
            "ended": session.ended.value,
        }
        click.echo(json.dumps(found, indent=2))


def _told(one: Played) -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": one.file,
        "name": one.name,
        "line": one.position.line,
        "passed": one.passed,
        **({"skipped": one.skipped} if one.skipped else {}),
        **({"notes": list(one.notes)} if one.notes else {}),
        "seconds": round(one.seconds, 6),
        "length": one.length,
    }
    if one.failure is not None:
        at = one.failure.position
        found |= {
            "message": one.failure.message,
            "at": {"file": at.file, "line": at.line, "column": at.column},
            "unmet": [
                {"what": it.what, "expected": it.expected, "seen": it.seen, "difference": it.difference}
                for it in one.failure.unmet
            ],
        }
    rows = [{"place": it.place, "time": it.time, "told": it.told} for it in one.rows]
    return found | ({"story": list(one.story), "rows": rows} if one.story else {})


def listed(files: Sequence[File]) -> None:
    """Each scenario as it may be named, and what is wrong with files."""
    from callflow.cli._formats import short

    for file in files:
        for _, one in file.scenarios:
            click.echo(printable(f"{file.name}{INSIDE}{one.name}"))
    defects = [one for file in files for one in file.defects]
    if defects:
        click.echo(short(dict.fromkeys(defects)), err=True)
