"""Scenarios that were made are written where they were asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from callflow.errors import printable
from callflow.flowfile.source import SCENARIOS
from callflow.generating.written import file_of
from callflow.scenario import Scenario


def write_made(scenarios: Sequence[Scenario], output: Path | None, head: str) -> None:
    """To that file, or to standard output. What stands there stays. Raises click.ClickException."""
    try:
        text = file_of(scenarios, Path() if output is None else output.parent, head)
    except ValueError as error:
        raise click.ClickException(f"no scenario file can hold it: {error}") from error
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(
            f"{printable(str(output))} is there already: name another file, or move it"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{printable(os.fspath(output))} cannot be written: {error.strerror}") from error


def is_scenario_file(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
    """A file that `callflow test` finds again. Raises click.BadParameter."""
    if value is not None and not value.name.endswith(SCENARIOS):
        raise click.BadParameter(f"end it in {SCENARIOS}, as `callflow test` looks for them")
    return value
