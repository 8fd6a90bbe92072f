"""What the scenarios that were played cover of their flows, as far as anybody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, NamedTuple

import click

from callflow.cli._test.files import File
from callflow.cli._test.session import Look, Played, Reporter, Session, Why
from callflow.coverage import Coverage, Meter, took
from callflow.coverage.table import missing, table
from callflow.errors import printable
from callflow.scenario import Scenario


class Asked(NamedTuple):
    """What of coverage is asked for; `least`: how many percent of the rows there have to be."""

    table: bool = False
    least: float | None = None

    @property
    def anything(self) -> bool:
        return self != Asked()


_OPTIONS = (
    click.option("--coverage", is_flag=True, help="Tell what of the flows the scenarios cover."),
    click.option(
        "--min-coverage",
        metavar="PERCENT",
        type=click.FloatRange(0, 100),
        help="Fail where fewer of the flows' rows are covered.",
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command these options; it is called with them as `covered`, an Asked."""

    @wraps(command)
    def gathered(*, coverage: bool, min_coverage: float | None, **given: Any) -> Any:
        return command(covered=Asked(coverage, min_coverage), **given)

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
        if self._asked.anything:
            self._meter.see(scenario, one.seen["coverage"])

    def over(self, session: Session) -> None:
        if not self._asked.anything or not session.played or session.ended in (Why.INTERRUPTED, Why.BROKEN):
            return
        coverage = self._meter.coverage()
        if self._asked.table:
            self._say("\n" + "\n".join(map(printable, (*table(coverage), *missing(coverage)))))
        self._hold(coverage)

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
