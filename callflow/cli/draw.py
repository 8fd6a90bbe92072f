"""`callflow draw FILE -o out.svg`: the picture of a flow."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from callflow.core.flow import Flow
from callflow.errors import DiagramError, printable
from callflow.flowfile import read

if TYPE_CHECKING:
    from callflow.diagram import Format


_PICTURE = (
    click.option(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="The picture's file, whose name ends in .svg, .png, .pdf, .dot or .mmd; `-` writes to standard output.",
    ),
    click.option(
        "--format",
        "format_",
        type=click.Choice(["svg", "png", "pdf", "dot", "mmd"]),
        help="What to write, where the file's name does not say it.",
    ),
)


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say where a picture goes, and what it is."""
    for option in reversed(_PICTURE):
        command = option(command)
    return command


@click.command("draw")
@click.argument("file", metavar="FILE")
@picture_options
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="How long the layout may take, in seconds.",
)
@click.option(
    "--coverage",
    "scenarios",
    metavar="PATH",
    multiple=True,
    help="Draw apart what the scenarios of a file or folder do not cover; may be given more than once.",
)
def command(file: str, output: str, format_: str | None, time_limit: float, scenarios: Sequence[str]) -> None:
    """Draw a flow: states as boxes, the path of a good call as the straight line.

    SVG, PNG and PDF need the extra: pip install 'callflow[diagrams]'. Mermaid (.mmd) and DOT (.dot) need nothing more.
    Exit status: 0 drawn, 1 the flow has defects or cannot be drawn, 2 wrong usage.
    """
    wanted = format_of(output, format_)
    flow, defects = read(file)
    if flow is None or defects:
        click.echo("\n".join(str(defect) for defect in defects), err=True)
        click.echo(f"`callflow check {printable(file)}` shows each in its place", err=True)
        sys.exit(1)
    missing = _missing(flow, file, scenarios) if scenarios else frozenset[str | int]()
    save(flow, output, wanted, missing=missing, time_limit=time_limit)


def format_of(output: str, format_: str | None) -> Format:
    """What is to be written. Raises UsageError where there is no telling."""
    from callflow.diagram import FORMATS

    wanted = format_ or Path(output).suffix.lstrip(".").lower()
    chosen = next((known for known in FORMATS if known == wanted), None)
    if chosen is None:
        formats = ", ".join(f".{known}" for known in FORMATS)
        what = "say which with --format" if output == "-" else f"end it in one of {formats}, or say which with --format"
        raise click.UsageError(f"there is no telling what to write to {printable(output)}: {what}")
    return chosen


def save(flow: Flow, output: str, wanted: Format, **how: Any) -> None:
    """Draws a flow into a file, as `callflow.diagram.draw` is told `how`; `-` is standard output. Raises ClickException."""
    from callflow.diagram import draw

    try:
        with warnings.catch_warnings(record=True, action="always") as told:
            picture = draw(flow, wanted, **how)
    except DiagramError as error:
        raise click.ClickException(str(error)) from None
    for warning in told:
        click.echo(f"warning: {warning.message}", err=True)
    if output == "-":
        sys.stdout.buffer.write(picture)
        return
    try:
        Path(output).write_bytes(picture)
    except OSError as error:
        raise click.ClickException(f"cannot write {printable(output)}: {error.strerror}") from None


def _missing(flow: Flow, file: str, paths: Sequence[str]) -> frozenset[str | int]:
    """What of the flow its scenarios among these do not cover. Raises click.ClickException for files with defects, and where no
    scenario is of this flow."""
    from callflow.cli._test.files import collect
    from callflow.coverage import Meter, took
    from callflow.coverage.picture import uncovered
    from callflow.scenario import play

    files = collect(paths, lambda _: True)
    defects = [one for each in files for one in each.defects]
    if defects:
        raise click.ClickException("\n".join(map(str, defects)))
    meter, played = Meter(), 0
    for each in files:
        for _, scenario in each.scenarios:
            if any(os.path.realpath(scope.file) == os.path.realpath(file) for scope in scenario.flow.scopes.values()):
                meter.see(scenario, took(play(scenario)))
                played += 1
    if not played:
        raise click.ClickException(f"no scenario of {printable(file)} is in {printable(', '.join(paths))}")
    return uncovered(meter.coverage(), flow)
