"""`callflow test --generate FLOW`: scenarios that cover a flow, for their author to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from callflow.cli._course import Board, Telling, interruptible
from callflow.cli._test.flows import flow_in
from callflow.cli._test.written import write_made
from callflow.coverage.table import file_shown
from callflow.errors import printable
from callflow.generating import Generated, generate

_HEAD = """\
Made by `callflow test --generate`: what becomes of calls of this flow today, not what should.
Read each, give it a name of its own, and expect what matters."""


def generated(file: str, output: Path | None) -> bool:
    """Writes the scenarios there, or to standard output, and tells what they cover; false where there are none. Raises
    click.ClickException for a flow with defects, and where they cannot be written."""
    flow = flow_in(file)
    board = Board([0] * Board.size(1))
    telling = Telling(board, [file])
    with interruptible(board):
        found = generate(flow, going=board.going(0, telling.look))
    telling.close()
    if found.scenarios:
        write_made(found.scenarios, output, _HEAD)
    for line in _told(found):
        click.echo(printable(line), err=True)
    return bool(found.scenarios)


def _told(found: Generated) -> Iterator[str]:
    """What they cover, and what they do not."""
    rows, of = found.coverage.rows
    number = len(found.scenarios)
    yield f"{number} scenario{'' if number == 1 else 's'} cover{'s' if number == 1 else ''} {rows} of {of} rows"
    unmissed = [one.thing for file in found.coverage.files for one in file.of("row") if one.unmissed]
    ended = "" if found.finished else f" in {found.steps:,} steps, where the search ended"
    for thing in found.left:
        yield f"{file_shown(thing.file)}:{thing.line}: no call was found that takes the row `{thing.what}`{ended}"
    for thing in unmissed:
        yield f"{file_shown(thing.file)}:{thing.line}: the row `{thing.what}` is taken, and nothing would fail without it"
