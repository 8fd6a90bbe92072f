"""`callflow journal …`: what journals of calls say, told as stories, in a table, searched, drawn, and as scenarios."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from callflow.cli._journals import NOTHING_FOUND, Progress, files_of, flow_option, story_lines, unreadable
from callflow.cli.draw import format_of, picture_options, save
from callflow.core.statechart.structure import within
from callflow.errors import CallflowError, JournalError, printable

if TYPE_CHECKING:
    from callflow.journal.summary import Summary

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


SORTED = ("began", "outcome", "cause", "state", "silence", "length", "flow", "file")


@command.command("list")
@click.argument("paths", nargs=-1, metavar="[DIR|FILE]...")
@click.option(
    "--sort", type=click.Choice(SORTED), help="By what the calls are sorted, the longest and the quietest first."
)
@click.option("--outcome", "outcomes", multiple=True, metavar="NAME", help="Only calls with this outcome.")
@click.option(
    "--cause",
    "causes",
    multiple=True,
    metavar="EVENT",
    help="Only calls that this has ended: call.hangup, delete_room …",
)
@click.option(
    "--by", "ended_by", multiple=True, metavar="WHO", help="Only calls that these have ended: caller, agent …"
)
@click.option(
    "--state", "states", multiple=True, metavar="PATH", help="Only calls that ended in this state, or inside it."
)
@click.option("--of", "names", multiple=True, metavar="FLOW", help="Only calls of the flow with this name.")
@click.option("--silence", type=float, metavar="SECONDS", help="Only calls with a silence of so many seconds at least.")
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table", help="json: an object a line."
)
def list_(
    paths: Sequence[str], sort: str | None, outcomes: Sequence[str], causes: Sequence[str], ended_by: Sequence[str],
    states: Sequence[str], names: Sequence[str], silence: float | None, format_: str,
) -> None:  # fmt: skip
    """List calls: outcome, what ended them, by whom, in which state, the longest silence, the length.

    Folders are looked through for *.jsonl; `.` unless given. A silence is time on the line in which the far end hears nothing and
    says nothing.

    Exit status: 0 listed, 2 wrong usage or a file that is no journal, 5 there are none.
    """
    wrong = 0

    def wanted(one: Summary) -> bool:
        inside = any(within(one.state, state) for state in states)
        return (
            (not outcomes or one.outcome in outcomes) and (not causes or one.cause in causes)
            and (not ended_by or one.by in ended_by) and (not states or inside) and (not names or one.flow in names)
            and (silence is None or one.silence >= silence)
        )  # fmt: skip

    def found() -> Iterator[Summary]:
        nonlocal wrong
        files = list(files_of(paths or (".",)))
        progress = Progress(len(files))
        for number, one in enumerate(_summaries(files), start=1):
            progress.at(number)
            if isinstance(one, str):
                wrong += 1
                progress.clear()
                unreadable(one)
            elif wanted(one):
                if not sort:
                    progress.clear()
                yield one
        progress.clear()

    rows = iter(sorted(found(), key=_key(sort))) if sort else found()
    listed = 0
    for one in rows:
        if format_ == "json":
            click.echo(json.dumps(_as_json(one), ensure_ascii=False))
        else:
            if not listed:
                click.secho(_row(_TITLES), bold=True)
            click.echo(_row(_cells(one)))
        listed += 1
    if format_ == "table":
        told = f"{listed:,} {'call' if listed == 1 else 'calls'}" + (f", {wrong:,} not read" if wrong else "")
        click.secho(f"\n{told}", bold=True, err=True)
    sys.exit(2 if wrong else 0 if listed else NOTHING_FOUND)


def _summaries(files: Sequence[str]) -> Iterator[Summary | str]:
    """A row for each file, or what is wrong with it."""
    from callflow.journal.reading import Reading
    from callflow.journal.summary import summary_of

    for file in files:
        try:
            with Reading(file) as reading:
                yield summary_of(reading)
        except JournalError as error:
            yield str(error)


def _key(sort: str) -> Callable[[Summary], tuple[object, ...]]:
    if sort in ("silence", "length"):
        return lambda one: (-(one.silence if sort == "silence" else one.seconds), one.began)
    return lambda one: (getattr(one, sort), one.began)


_TITLES = ("began", "flow", "outcome", "cause", "by", "state", "silence", "length", "file")
_WIDTHS = (20, 18, 14, 18, 8, 24, 8, 8, 0)


def _cells(one: Summary) -> tuple[str, ...]:
    from callflow.core.durations import told_duration
    from callflow.runtime.record import utc

    length = told_duration(one.seconds) if one.whole else f"{told_duration(one.seconds)}…"
    began, quiet = f"{utc(one.began)[:19]}Z", told_duration(one.silence)
    return began, one.flow, one.outcome, one.cause or "-", one.by or "-", one.state or "-", quiet, length, one.file


def _row(cells: Sequence[str]) -> str:
    return " ".join(printable(cell).ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _as_json(one: Summary) -> dict[str, object]:
    from callflow.runtime.record import utc

    return {**one._asdict(), "utc": utc(one.began)}


@command.command("grep")
@click.argument("pattern")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-l", "--files", "only_files", is_flag=True, help="Print the names of the files alone.")
@click.option("-c", "--count", "only_count", is_flag=True, help="Print how many lines of each file it finds.")
def grep(pattern: str, paths: Sequence[str], only_files: bool, only_count: bool) -> None:
    """Look for something in journals; prints the line's place, and the line as it is told.

    A PATTERN is one or several of these, all of which have to hold of a line: state:NAME (that is entered), event:NAME (that comes, or by
    which something ends), effect:VERB (that begins or ends), var:NAME or var:NAME=VALUE (that is set), outcome:NAME, row:FILE:LINE,
    status:failed, any other text, /a regular expression/. `*` in a name stands for anything.

    Exit status: as grep's: 0 found, 1 not found, 2 wrong usage or a file that is no journal.
    """
    from callflow.journal.reading import Reading
    from callflow.journal.search import PatternError, pattern_of, search

    try:
        terms = pattern_of(pattern)
    except PatternError as error:
        raise click.UsageError(str(error)) from None
    found = wrong = 0
    for file in files_of(paths or (".",)):
        here = 0
        try:
            with Reading(file) as reading:
                for hit in search(terms, reading):
                    here += 1
                    if only_files:
                        break
                    if not only_count:
                        click.echo(
                            f"{click.style(printable(f'{file}:{hit.number}'), fg='blue')}: {printable(hit.told)}"
                        )
        except JournalError as error:
            wrong += 1
            unreadable(str(error))
        if here and only_files:
            click.echo(printable(file))
        elif here and only_count:
            click.echo(f"{printable(file)}: {here}")
        found += here
    sys.exit(2 if wrong else 0 if found else 1)


@command.command("draw")
@click.argument("file", metavar="FILE")
@picture_options
@flow_option(_FLOW)
def draw(file: str, output: str, format_: str | None, flows: Sequence[str]) -> None:
    """Draw a call's flow with the way that the call has taken.

    Exit status: 0 drawn, 1 the flow cannot be drawn, 2 wrong usage or a file that is no journal.
    """
    from callflow.journal.flows import Flows
    from callflow.journal.reading import read_journal
    from callflow.journal.ways import way_of

    wanted = format_of(output, format_)
    try:
        recorded = read_journal(file)
        flow = Flows(flows).of(recorded.head)
        way = way_of(flow, recorded)
    except CallflowError as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        sys.exit(2)
    save(flow, output, wanted, visited=way.visited, taken=way.taken, current=way.current)
    for remark in way.remarks:
        click.echo(f"note: {printable(remark)}", err=True)


@command.command("to-scenario")
@click.argument("file", metavar="FILE")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    default="-",
    help="The scenario's file, *.scenario.yaml; standard output unless given.",
)
@click.option("--exactly", is_flag=True, help="Every input at its time, and nothing by itself.")
@flow_option(_FLOW)
def to_scenario(file: str, output: str, flows: Sequence[str], exactly: bool) -> None:
    """Make a scenario of a call: what happened in it, and what came of it, which `callflow test` plays.

    Private values are made up, equal where they were. The scenario passes on the flow of then; what should have come of the call is
    written into its `expect`.

    Exit status: 0 written, 1 no scenario can hold the call, 2 wrong usage or a file that is no journal.
    """
    import os

    from callflow.journal.flows import Flows, NoFlow
    from callflow.journal.incident import incident
    from callflow.journal.reading import read_journal
    from callflow.scenario import write

    try:
        recorded = read_journal(file)
        flow = Flows(flows).of(recorded.head)
    except (JournalError, NoFlow) as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        sys.exit(2)
    try:
        found = incident(flow, recorded, exactly=exactly)
        text = write(found.scenario, "." if output == "-" else os.path.dirname(output) or ".")  # noqa: PTH120 - a path may be any text
    except (JournalError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        with open(output, "x", encoding="utf-8") as out:  # noqa: PTH123 - as above
            out.write(text)
    except FileExistsError:
        raise click.ClickException(f"{printable(output)} is there already") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {printable(output)}: {error.strerror}") from None
    click.echo(f"{printable(output)}: `callflow test {printable(output)}` plays it")
