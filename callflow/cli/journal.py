"""`callflow journal …`: what journals of calls say, told as stories, in a table, searched, drawn, and as scenarios."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from callflow.cli._journals import flow_option, story_lines
from callflow.errors import JournalError, printable

_FLOW = "The calls' flow, or a folder of flows; unless given the file that the journal names, where it stands in this folder."


@click.group("journal")
def command() -> None:
    """Look into journals: what calls were, told from the files that `journal=` of `callflow.run` writes."""


@command.command("show")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@flow_option(_FLOW)
def show(files: Sequence[str], flows: Sequence[str]) -> None:
    """Tell a call as a story: when, what happened, what was heard, in which states.

    Exit status: 0 told, 2 wrong usage or a file that is no journal.
    """
    from callflow.journal.flows import Flows, NoFlow
    from callflow.journal.reading import read_journal
    from callflow.journal.telling import heading, tell_journal

    try:
        known = Flows(flows)
    except NoFlow as error:
        raise click.UsageError(str(error)) from None
    wrong = False
    for number, file in enumerate(files):
        try:
            recorded = read_journal(file)
            flow, why = None, ""
            try:
                flow = known.of(recorded.head)
            except NoFlow as error:
                why = f"told line by line: {error}"
            told = tell_journal(recorded, flow, why)
        except JournalError as error:
            click.echo(f"Error: {printable(str(error))}", err=True)
            wrong = True
            continue
        first, *more = heading(recorded.head, told.summary)
        click.echo("\n".join([*([""] if number else []), click.style(first, bold=True), *more, ""]))
        click.echo("\n".join(story_lines(told.story)))
        for remark in told.remarks:
            click.echo(f"note: {printable(remark)}", err=True)
    sys.exit(2 if wrong else 0)
