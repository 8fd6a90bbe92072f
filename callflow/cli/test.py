"""`callflow test [PATH…]`: plays the scenarios of files, each a call on the pure core, in virtual time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from callflow.cli._width import columns
from callflow.errors import Defect, printable
from callflow.flowfile.source import SCENARIOS, read_text
from callflow.scenario import Flows, Result, play, read, story
from callflow.verify import check

NOTHING_FOUND = 5
"""As pytest has it."""

LONGEST, BEGINS = 60, 20
"""Lines of a story that are printed, and those of its beginning."""


@click.command("test")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-k", "named", metavar="TEXT", help="Only scenarios whose names hold this text.")
@click.option("-v", "--verbose", is_flag=True, help="Tell the story of those that pass, too.")
def command(paths: Sequence[str], named: str | None, verbose: bool) -> None:
    """Play scenarios: files named *.scenario.yaml, or all of them in a folder; `.` unless given.

    Exit status: 0 all have passed, 1 some have not, 2 wrong usage or a file with defects, 5 there are none.
    """
    files = list(_files(paths or (".",)))
    flows, failed, defects, passed = Flows(), [], list[Defect](), 0
    checked: dict[int, list[Defect]] = {}
    for file in files:
        found, wrong = read(file, flows)
        for flow in {id(one.flow): one.flow for one in found}.values():
            if id(flow) not in checked:
                checked[id(flow)] = check(flow, as_subflow=True, warnings=False)  # a sub-flow may be played by itself
                wrong += checked[id(flow)]
        if wrong:
            defects += wrong
            click.echo(f"{printable(file)} {click.style('E', fg='red')}")
            continue
        results = [play(one) for one in found if named is None or named.casefold() in one.name.casefold()]
        if not results:
            continue
        dots = "".join("." if one.passed else click.style("F", fg="red") for one in results)
        click.echo(f"{printable(file)} {dots}")
        for result in results:
            if verbose and result.passed:
                click.echo(
                    "\n".join(["", f"  {click.style(printable(result.scenario.name), bold=True)}", *_story(result)])
                )
        failed += [one for one in results if not one.passed]
        passed += sum(one.passed for one in results)
    if defects:
        from callflow.cli._formats import for_people

        click.echo("\n" + for_people(list(dict.fromkeys(defects)), _lines))
    for result in failed:
        click.echo("\n".join(["", *_failure(result)]))
    counts = ((len(failed), "failed"), (passed, "passed"), (len(defects), "defect" if len(defects) == 1 else "defects"))
    told = ", ".join(f"{number} {what}" for number, what in counts if number)
    click.echo(
        "\n"
        + click.style(told or "no scenarios", bold=True, fg="red" if failed or defects else "green" if passed else None)
    )
    sys.exit(2 if defects else 1 if failed else 0 if passed else NOTHING_FOUND)


def _files(paths: Sequence[str]) -> Iterator[str]:
    """The scenario files that the paths lead to, each once, in order."""
    seen: set[str] = set()
    for path in paths:
        found = sorted(map(str, Path(path).rglob(f"*{SCENARIOS}"))) if os.path.isdir(path) else [path]  # noqa: PTH112 - a path may be any text
        for file in found:
            if os.path.realpath(file) not in seen:
                seen.add(os.path.realpath(file))
                yield file


def _failure(result: Result) -> Iterator[str]:
    """One that has failed: what was expected and what was seen, and the story so far."""
    failure = result.failure
    if failure is None:
        return
    place = f"{failure.position.file}:{failure.position.line}:{failure.position.column}"
    rule = f" {result.scenario.name} "
    width = min(columns() or 80, 100)
    yield click.style(printable(rule).center(width, "_"), bold=True)
    yield f"{click.style(printable(place), fg='blue')}: {click.style(printable(failure.message), fg='red')}"
    for one in failure.unmet:
        yield f"  {one.what}"
        yield click.style(f"    expected {printable(one.expected)}", fg="green")
        yield click.style(f"    seen     {printable(one.seen)}", fg="red")
    yield from _story(result)


def _story(result: Result) -> Iterator[str]:
    """What happened, its end at least: a call that goes round in circles has thousands of lines."""
    lines = story(result.scenario.flow, result.taken)
    if len(lines) > LONGEST:
        lines = [*lines[:BEGINS], f"… {len(lines) - LONGEST:,} lines", *lines[BEGINS - LONGEST :]]
    yield from (f"    {printable(line)}" for line in lines)


def _lines(file: str) -> Sequence[str]:
    text, defect = read_text(file) if not file.startswith("<") else ("", None)
    return () if defect is not None else text.splitlines()
