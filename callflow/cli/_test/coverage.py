"""What the scenarios that were played cover of their flows, as far as anybody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from callflow.cli._test.files import File
from callflow.cli._test.session import Look, Played, Reporter, Session, Why
from callflow.coverage import Coverage, Meter, took
from callflow.coverage.html import write_pages
from callflow.coverage.lcov import lcov
from callflow.coverage.table import missing, table
from callflow.errors import printable
from callflow.scenario import Scenario


class Asked(NamedTuple):
    """What of coverage is asked for: the table; lcov's file; a folder for pages; how many percent of the rows there have to be."""

    table: bool = False
    lcov: Path | None = None
    html: Path | None = None
    least: float | None = None

    @property
    def anything(self) -> bool:
        return self != Asked()


_OPTIONS = (
    click.option("--coverage", "table", is_flag=True, help="Tell what of the flows the scenarios cover."),
    click.option(
        "--lcov",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write what is covered there, as lcov does, for editors and CI servers.",
    ),
    click.option(
        "--html",
        metavar="FOLDER",
        type=click.Path(file_okay=False, path_type=Path),
        help="Write the flow files there as pages, with what is covered coloured.",
    ),
    click.option(
        "--min-coverage",
        "least",
        metavar="PERCENT",
        type=click.FloatRange(0, 100),
        help="Fail where fewer of the flows' rows are covered.",
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command these options; it is called with them as `covered`, an Asked."""

    @wraps(command)
    def gathered(*, table: bool, lcov: Path | None, html: Path | None, least: float | None, **given: Any) -> Any:
        return command(covered=Asked(table, lcov, html, least), **given)

    taken = gathered
    for option in reversed(_OPTIONS):
        taken = option(taken)
    return taken


class Gauge(Reporter):
    """Measures, and tells at the end. `enough`: whether as much is covered as there has to be."""

    def __init__(self, asked: Asked, *, to_stderr: bool) -> None:
        self.enough = True
        self.looks: Mapping[str, Look] = {"coverage": took} if asked.anything else {}
        self._asked = asked
        self._to_stderr = to_stderr
        self._meter = Meter()
        self._next: Iterator[tuple[int, Scenario]] = iter(())

    def file(self, file: File, session: Session) -> None:
        self._next = iter(file.scenarios)

    def played(self, one: Played, session: Session) -> None:
        _, scenario = next(self._next)
        if "coverage" in one.seen:
            self._meter.see(scenario, one.seen["coverage"])

    def over(self, session: Session) -> None:
        if not self._asked.anything or not session.played or session.ended in (Why.INTERRUPTED, Why.BROKEN):
            return
        coverage = self._meter.coverage()
        if self._asked.table:
            self._say("\n" + "\n".join(map(printable, (*table(coverage), *missing(coverage)))))
        self._write(coverage)
        self._hold(coverage)

    def _write(self, coverage: Coverage) -> None:
        """Raises click.ClickException where a file cannot be written."""
        try:
            if self._asked.lcov is not None:
                self._asked.lcov.parent.mkdir(parents=True, exist_ok=True)
                self._asked.lcov.write_text(lcov(coverage), encoding="utf-8", errors="surrogateescape")
            if self._asked.html is not None:
                index = write_pages(coverage, self._asked.html)
                self._say(f"\n{printable(str(index))} shows what is covered")
        except OSError as error:
            raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from error

    def _hold(self, coverage: Coverage) -> None:
        least = self._asked.least
        if least is None or coverage.percent >= least:
            return
        self.enough = False
        rows, of = coverage.rows
        told = f"{rows} of {of} rows are covered: {coverage.percent:.4g}%, less than {least:g}%"
        self._say("\n" + click.style(told, fg="red"))

    def _say(self, text: str) -> None:
        click.echo(text, err=self._to_stderr)
