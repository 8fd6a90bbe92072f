"""What people see of a session: a sign for each scenario, what has failed, what is wrong with files, and the count."""

from __future__ import annotations

from collections.abc import Sequence

import click

from callflow.cli._test.failures import failure, story
from callflow.cli._test.files import File
from callflow.cli._test.session import Played, Reporter, Session, Why
from callflow.cli._width import columns
from callflow.errors import printable
from callflow.flowfile.source import read_text

PERCENT = len(" [100%]")


class Dots(Reporter):
    """As pytest shows it. With `stories` those that pass are told, too."""

    def __init__(self, *, stories: bool = False) -> None:
        self._stories = stories
        self._width = columns()
        self._column = 0
        self._told: list[Played] = []  # once their file's line is full
        self._last: File | None = None

    def file(self, file: File, session: Session) -> None:
        self._end_line(session)
        self._last = file if file.scenarios or file.defects else None
        if self._last is not None:
            self._sign(f"{printable(file.name)} ")
        if file.defects:
            self._sign("E", "red")

    def played(self, one: Played, session: Session) -> None:
        if self._width and self._column >= self._width - PERCENT - 1:
            self._end_line(session)
        self._sign(*(("s", "yellow") if one.skipped else ("F", "red") if one.failed else (".", None)))
        if self._stories and one.passed:
            self._told.append(one)

    def over(self, session: Session) -> None:
        self._end_line(session)
        if session.defects:
            from callflow.cli._formats import for_people

            click.echo("\n" + for_people(session.defects, lines_of))
        for one in session.failed:
            click.echo("\n".join(["", *failure(one)]))
        if len(session.failed) > 1:
            click.echo()
        for one in session.failed if len(session.failed) > 1 else ():
            click.echo(f"{click.style('FAILED', fg='red')} {printable(one.id)}")
        noted = [(one, note) for one in session.played for note in one.notes]
        if noted:
            click.echo()
        for one, note in noted:
            click.echo(f"{click.style('NOTE', fg='cyan')} {printable(one.id)}: {printable(note)}")
        if session.skipped:
            click.echo()
        for one in session.skipped:
            click.echo(f"{click.style('SKIPPED', fg='yellow')} {printable(one.id)}: {printable(one.skipped)}")
        click.echo("\n" + _count(session))

    def _sign(self, text: str, colour: str | None = None) -> None:
        click.echo(click.style(text, fg=colour) if colour else text, nl=False)
        self._column += len(text)

    def _end_line(self, session: Session) -> None:
        if self._column:
            share = len(session.played) * 100 // (session.asked or 1)
            click.echo(f"[{share:3}%]".rjust(self._width - self._column - 1) if self._width else "")
        self._column = 0
        for one in self._told:
            click.echo(f"\n  {click.style(printable(one.name), bold=True)}")
            click.echo("\n".join(story(one.story)))
        self._told.clear()


def _count(session: Session) -> str:
    defects, failed = len(session.defects), len(session.failed)
    counts = (
        (failed, "failed"),
        (len(session.played) - failed - len(session.skipped), "passed"),
        (len(session.skipped), "skipped"),
        (session.left_out, "deselected"),
        (defects, "defect" if defects == 1 else "defects"),
    )
    told = ", ".join(f"{number} {what}" for number, what in counts if number)
    left = session.asked - len(session.played)
    if session.ended is not Why.ALL:
        told = f"{told or 'nothing played'} ({session.ended.value}: {left} not played)"
    passed = session.played and not failed and not defects and session.ended is Why.ALL
    red = failed or defects or session.ended is not Why.ALL
    return click.style(told or "no scenarios", bold=True, fg="red" if red else "green" if passed else None)


def lines_of(file: str) -> Sequence[str]:
    """The lines of a file, for whoever shows a defect in it; none where it cannot be read."""
    text, defect = read_text(file) if not file.startswith("<") else ("", None)
    return () if defect is not None else text.splitlines()
