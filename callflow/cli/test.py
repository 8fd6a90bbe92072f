"""`callflow test [PATH…]`: plays the scenarios of files, each a call on the pure core, in virtual time."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import click

from callflow.cli._test.coverage import Asked, Gauge, options
from callflow.cli._test.dots import Dots
from callflow.cli._test.files import File, collect
from callflow.cli._test.junit import JUnit
from callflow.cli._test.listing import Json, Short, listed
from callflow.cli._test.making import making
from callflow.cli._test.names import wanted
from callflow.cli._test.processes import SideBySide, cores
from callflow.cli._test.runs import Runs, by_models
from callflow.cli._test.session import Player, Playing, Reporter, Session, Why, in_turn, run
from callflow.cli._test.updating import HEARD, heard, update
from callflow.cli._test.watching import watch
from callflow.scenario import play


class Exit(IntEnum):
    """As pytest has them."""

    PASSED = 0
    FAILED = 1
    INTERRUPTED = 2  # by Ctrl-C, or by files that cannot be played
    BROKEN = 3
    USAGE = 4
    NOTHING_FOUND = 5


@contextmanager
def _as_pytest() -> Iterator[None]:
    """Wrong usage has pytest's exit status here."""
    try:
        yield
    except click.UsageError as error:
        error.exit_code = Exit.USAGE  # type: ignore[misc]  # it is what click exits with
        raise


class _Command(click.Command):
    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _as_pytest():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _as_pytest():
            return super().invoke(ctx)


def _jobs(ctx: click.Context, param: click.Parameter, value: Any) -> int:
    return cores() if value == "auto" else click.IntRange(1).convert(value, param, ctx)


@click.command("test", cls=_Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-k",
    "expression",
    metavar="TEXT",
    help="Only scenarios whose names hold this: a text, or several with `and`, `or`, `not` and parentheses.",
)
@click.option("-x", "--exitfirst", "first", is_flag=True, help="End with the first that fails.")
@click.option("--maxfail", "most", metavar="N", type=click.IntRange(1), help="End once so many have failed.")
@click.option(
    "-n", "--jobs", metavar="N", callback=_jobs, default="1", help="Play in so many processes; auto: one a core."
)
@click.option(
    "--rooms",
    is_flag=True,
    help="Play with real sessions in simulated rooms: slower, and with LiveKit's own code under test.",
)
@click.option("--models", is_flag=True, help="Let models play the callers of scenarios that have a `persona`.")
@click.option(
    "--save-runs",
    "saved",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save each call that models have played there, as a scenario that takes exactly its inputs.",
)
@click.option("-v", "--verbose", is_flag=True, help="Tell the story of those that pass, too.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["people", "short", "json"]),
    default="people",
    show_default=True,
    help="How it is told.",
)
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write JUnit's XML there, as CI servers read it.",
)
@click.option("--watch", "watched", is_flag=True, help="Play again what changes, until Ctrl-C.")
@click.option(
    "--update", "updated", is_flag=True, help="Write what was heard where something else was expected, and play then."
)
@click.option("--collect-only", is_flag=True, help="List the scenarios, and play none.")
@options
@making
def command(
    paths: Sequence[str],
    expression: str | None,
    first: bool,
    most: int | None,
    jobs: int,
    rooms: bool,
    models: bool,
    saved: Path | None,
    verbose: bool,
    format_: str,
    junit: Path | None,
    watched: bool,
    updated: bool,
    collect_only: bool,
    covered: Asked,
) -> None:
    """Play scenarios: files named *.scenario.yaml, or all of them in a folder; `.` unless given. FILE::NAME is one of them.

    A row of a flow is covered where a scenario would fail without it.

    Exit status, as pytest's: 0 all have passed, 1 some have failed or too little is covered, 2 a file has defects or it was
    interrupted, 3 a process was ended from outside, 4 wrong usage, 5 there are none.
    """
    if saved and not models:
        raise click.UsageError("--save-runs keeps calls that models have played: say --models, too")
    paths, chosen = paths or (".",), wanted(expression)
    files = collect(paths, chosen)
    if collect_only:
        listed(files)
        sys.exit(_status(Session(files), found=any(file.scenarios for file in files)))
    player, source = _in_rooms() if rooms else play, SideBySide(jobs) if jobs > 1 else in_turn
    if models:
        player = by_models(player)

    def played(files: Sequence[File]) -> tuple[Session, bool]:
        told: dict[str, Reporter] = {"people": Dots(stories=verbose), "short": Short(), "json": Json()}
        gauge = Gauge(covered, to_stderr=format_ != "people")
        runs = [Runs(saved)] if saved else []
        reporters = [told[format_], *([JUnit(junit)] if junit else []), *runs, gauge]
        playing = Playing(player, {**gauge.looks, **(Runs.looks if saved else {})}, stories=verbose)
        session = run(files, playing, reporters, source=source, most=1 if first else most)
        return session, gauge.enough

    if updated:
        update(
            lambda: collect(paths, chosen), lambda files: run(files, Playing(player, {HEARD: heard}), (), source=source)
        )
        files = collect(paths, chosen)
    if watched:
        session, enough = watch(paths, lambda: collect(paths, chosen), played)
    else:
        session, enough = played(files)
    status = _status(session, found=bool(session.played))
    sys.exit(Exit.FAILED if status is Exit.PASSED and not enough else status)


def _in_rooms() -> Player:
    """Only here: LiveKit and numpy take a second or two."""
    from callflow.testing.scenario import play_in_rooms

    return play_in_rooms


def _status(session: Session, *, found: bool) -> Exit:
    if session.ended is Why.BROKEN:
        return Exit.BROKEN
    if session.defects or session.ended is Why.INTERRUPTED:
        return Exit.INTERRUPTED
    return Exit.FAILED if session.failed else Exit.PASSED if found else Exit.NOTHING_FOUND
