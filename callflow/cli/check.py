"""`callflow check FILE…`: every defect of a flow file at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache

import click

from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.flowfile import read


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["people", "short", "json", "sarif"]),
    default="people",
    show_default=True,
    help="How defects are printed.",
)
@click.option("--expand", is_flag=True, help="Print the flow with its standard parts, as YAML.")
def command(files: Sequence[str], format_: str, expand: bool) -> None:
    """Check flow files; `-` reads standard input.

    Exit status: 0 no defects, 1 defects, 2 wrong usage.
    """
    defects: list[Defect] = []
    flows: list[tuple[str, Flow]] = []
    for file in dict.fromkeys(files):
        flow, found = read(file)
        defects += found
        if flow is not None:
            flows.append((file, flow))
    if format_ == "json":
        from callflow.cli._formats import as_json

        click.echo(as_json(defects, list(files)))
    elif format_ == "sarif":
        from callflow.cli._formats import as_sarif
        from callflow.flowfile.codes import CODES

        click.echo(as_sarif(defects, {code: entry.title for code, entry in CODES.items()}))
    elif expand and not defects:
        from callflow.flowfile.expand import expand as expanded

        click.echo("---\n".join(expanded(file) for file, _ in flows), nl=False)
    elif format_ == "short":
        from callflow.cli._formats import short

        if defects:
            click.echo(short(defects))
    else:
        _tell(flows, defects)
    sys.exit(1 if defects else 0)


def _tell(flows: Sequence[tuple[str, Flow]], defects: Sequence[Defect]) -> None:
    for file, flow in flows:
        click.echo(f"{file}: {_checked(flow)}")
    if not defects:
        return
    from callflow.cli._formats import for_people

    if flows:
        click.echo()
    click.echo(for_people(defects, _lines))
    count = f"{len(defects)} defect{'s' if len(defects) > 1 else ''}"
    codes = ", ".join(dict.fromkeys(defect.code for defect in defects))
    click.echo(
        f"\n{click.style(count, bold=True)}. `callflow explain CODE` shows a wrong and a right example of each: {codes}"
    )


def _checked(flow: Flow) -> str:
    """What was checked, and no more than that."""
    states = len(flow.states) - 1
    rows = len(flow.transitions)
    return (
        f"checked {_count(states, 'state')}, {_count(rows, 'transition')}: keys, names and types; that a hang-up, a lost "
        "line and a shutdown end the call from every state; that every state has a bound on time"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@cache
def _lines(file: str) -> Sequence[str]:
    """A file's lines, for the line that a defect stands on; none where it cannot be read."""
    from callflow.flowfile.source import read_text

    if file.startswith("<"):
        return ()
    text, defect = read_text(file)
    return () if defect is not None or text is None else text.splitlines()
