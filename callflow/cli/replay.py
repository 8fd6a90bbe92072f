"""`callflow replay JOURNAL…`: the calls of journals, taken once more through the flow of today."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from callflow.cli._journals import NOTHING_FOUND, Progress, files_of, flow_option, rule, unreadable
from callflow.errors import CallflowError, printable

if TYPE_CHECKING:
    from callflow.journal.diverging import Change, Verdict
    from callflow.journal.flows import Flows

SHOWN = 5
"""Differences that are told as stories; of all others it is said how many there are."""


@click.command("replay")
@click.argument("paths", nargs=-1, required=True, metavar="JOURNAL...")
@flow_option("The flow to take the calls through, or a folder of flows; unless given the file that each journal names.")
@click.option("-v", "--verbose", is_flag=True, help="Name the calls that come out the same, and tell every difference.")
def command(paths: Sequence[str], flows: Sequence[str], verbose: bool) -> None:
    """Take the calls of journals (files, or folders of *.jsonl) through their flow as it is today, step by step.

    Each step has to come out as it was recorded. Of a call that goes another way the first difference is told with both sides; all of
    them are counted by what has changed.

    Exit status: 0 all come out the same, 1 some do not, 2 wrong usage or a file that cannot be replayed, 5 there are none.
    """
    from callflow.journal.flows import Flows, NoFlow

    try:
        known = Flows(flows)
    except NoFlow as error:
        raise click.UsageError(str(error)) from None
    files = list(files_of(paths))
    progress = Progress(len(files))
    same, bad, unknown, steps, told = 0, 0, 0, 0, 0
    changes: dict[Change, tuple[int, str]] = {}
    for number, verdict in enumerate(_verdicts(files, known), start=1):
        progress.at(number)
        steps += verdict.steps
        if verdict.result == "same":
            same += 1
            if verbose or verdict.remark:
                progress.clear()
                remark = f" ({verdict.remark})" if verdict.remark else ""
                click.echo(f"{printable(verdict.file)} {click.style('.', fg='green')}{remark}")
        elif verdict.result == "unknown":
            unknown += 1
            progress.clear()
            click.echo(f"{printable(verdict.file)}:{verdict.line}: cannot know from here: {printable(verdict.why)}")
        elif verdict.result == "unreadable":
            bad += 1
            progress.clear()
            unreadable(verdict.why)
        elif verdict.change is not None:
            count, example = changes.get(verdict.change, (0, f"{verdict.file}:{verdict.line}"))
            changes[verdict.change] = count + 1, example
            if verbose or (count == 0 and told < SHOWN):
                told += 1
                progress.clear()
                click.echo("\n".join([*_difference(verdict), ""]))
    progress.clear()
    if sum(count for count, _ in changes.values()) > 1:
        click.echo("\n".join([*_grouped(changes), ""]))
    different = len(files) - same - bad - unknown
    counts = ((different, "go another way"), (unknown, "not known"), (same, "the same"), (bad, "not replayed"))
    click.secho(
        ", ".join(f"{number:,} {what}" for number, what in counts if number) + f"; {steps:,} steps"
        if files
        else "no journals",
        bold=True,
        fg="red" if different or unknown or bad else "green" if same else None,
    )
    sys.exit(2 if bad else 1 if different or unknown else 0 if same else NOTHING_FOUND)


def _verdicts(files: Sequence[str], known: Flows) -> Iterator[Verdict]:
    from callflow.journal.diverging import Verdict, judge
    from callflow.journal.flows import NoFlow
    from callflow.journal.reading import Reading

    for file in files:
        try:
            with Reading(file) as reading:
                try:
                    flow = known.of(reading.head)
                except NoFlow as error:
                    yield Verdict(file, "unreadable", why=f"{file}:1: {error}")
                    continue
                yield judge(flow, reading)
        except CallflowError as error:
            yield Verdict(file, "unreadable", why=str(error))


def _difference(verdict: Verdict) -> Iterator[str]:
    """What led there, what happened, and both sides."""
    yield rule(verdict.file)
    yield f"{click.style(printable(f'{verdict.file}:{verdict.line}'), fg='blue')}: it goes another way from here"
    yield from (f"    {printable(line)}" for line in verdict.lead)
    yield f"    {verdict.seconds:.3f} s: {printable(verdict.happened)}"
    for name, colour, side, other in (
        ("recorded", "green", verdict.recorded, verdict.made),
        ("today", "red", verdict.made, verdict.recorded),
    ):
        for number, phrase in enumerate(side):
            begin = f"  {name if number == 0 else '':10}"
            yield (
                f"{begin}{printable(phrase)}"
                if phrase in other
                else click.style(f"{begin}{printable(phrase)}", fg=colour)
            )


def _grouped(changes: dict[Change, tuple[int, str]]) -> Iterator[str]:
    """What has changed, the most frequent first, with an example of each."""
    for change, (count, example) in sorted(changes.items(), key=lambda item: -item[1][0]):
        where = f"in {change.state or 'no state'}, on {change.on}"
        yield f"{count:6,}  {printable(f'{where}: {change.what}')}"
        yield f"        {printable(f'recorded: {change.was}')}"
        yield f"        {printable(f'today:    {change.now}')}"
        yield f"        {printable(f'such as   {example}')}"
