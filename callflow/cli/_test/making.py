"""The options of `callflow test` with which scenarios are made, not played from files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from callflow.cli._test.written import is_scenario_file

_OPTIONS = (
    click.option(
        "--generate",
        metavar="FLOW",
        help="Make the fewest scenarios that cover all rows of this flow, from the shortest ways to them.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=is_scenario_file,
        help="Where scenarios that are made are written; to standard output unless given.",
    ),
)


def making(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command these options. Where they ask for scenarios to be made it is not called."""

    @wraps(command)
    def either(*, generate: str | None, output: Path | None, **given: Any) -> Any:
        if generate is not None:
            from callflow.cli._test.generated import generated

            sys.exit(0 if generated(generate, output) else 1)
        if output is not None:
            raise click.UsageError("-o says where scenarios are written that are made: say --generate, too")
        return command(**given)

    made = either
    for option in reversed(_OPTIONS):
        made = option(made)
    return made
