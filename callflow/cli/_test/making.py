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
        "--random",
        "calls",
        metavar="N",
        type=click.IntRange(1),
        help="Make so many random calls of each flow at PATH, with faults; the first one in which something is wrong is cut down to"
        " a scenario.",
    ),
    click.option("--seed", metavar="S", type=int, help="The same seed makes the same random calls.  [default: 0]"),
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
    def either(*, generate: str | None, calls: int | None, seed: int | None, output: Path | None, **given: Any) -> Any:
        if generate is not None and calls is not None:
            raise click.UsageError("say --generate or --random: each makes scenarios of its own")
        if seed is not None and calls is None:
            raise click.UsageError("--seed goes with --random")
        if generate is not None:
            from callflow.cli._test.generated import generated

            sys.exit(0 if generated(generate, output) else 1)
        if calls is not None:
            from callflow.cli._test.randomly import randomly

            sys.exit(0 if randomly(given["paths"], calls, seed or 0, output) else 1)
        if output is not None:
            raise click.UsageError("-o says where scenarios are written that are made: say --generate or --random, too")
        return command(**given)

    made = either
    for option in reversed(_OPTIONS):
        made = option(made)
    return made
