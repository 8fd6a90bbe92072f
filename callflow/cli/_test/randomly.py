"""`callflow test --random N`: random calls of flows, held to what must be so in each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import click

from callflow.cli._test.files import collect
from callflow.cli._test.flows import flow_in
from callflow.cli._test.names import wanted
from callflow.cli._test.written import write_made
from callflow.cli._width import columns
from callflow.errors import printable
from callflow.flowfile.source import SCENARIOS
from callflow.generating.trying import Tried, beginnings_of, try_calls
from callflow.scenario import Scenario

_HEAD = """\
Made by `callflow test --random`: a call in which something is not as it has to be, cut down to what makes it so."""

OFTEN = 10
"""Calls from one word about how far it has come to the next."""


def randomly(paths: Sequence[str], calls: int, seed: int, output: Path | None) -> bool:
    """Plays so many random calls of each flow, tells of each how that went, and writes the first call that breaks a rule; false where
    one does. Raises click.UsageError where there is no flow, click.ClickException where one has defects."""
    begins = _begins(paths)
    if not begins:
        raise click.UsageError("name flows, or scenarios of flows, of which random calls are to be made")
    found: list[Tried] = []
    for each in begins.values():
        name = _shown(each[0])
        one = try_calls(each, calls, seed, _progress(name, calls))
        _clear()
        found.append(one)
        click.echo(printable(_told(name, one, seed)), err=output is None and one.scenario is not None)
        for line in one.story:
            click.echo(printable(f"    {line}"), err=output is None)
    broken = [one.scenario for one in found if one.scenario is not None]
    for scenario in broken[:1]:
        write_made([scenario], output, _HEAD)
    return not broken


def _begins(paths: Sequence[str]) -> dict[str, list[Scenario]]:
    """How calls begin, by their flow's file: as the scenarios do that there are, and as the proof has it."""
    found: dict[str, list[Scenario]] = {}
    for path in paths or (".",):
        if os.path.isdir(path) or path.endswith(SCENARIOS) or "::" in path:  # noqa: PTH112 - a path may be any text
            files = collect([path], wanted(None))
            defects = [str(one) for file in files for one in file.defects]
            if defects:
                raise click.ClickException("\n".join(map(printable, defects)))
            for file in files:
                for _, one in file.scenarios:
                    found.setdefault(os.path.realpath(one.flow.file), []).append(_bare(one))
        else:
            found.setdefault(os.path.realpath(path), []).extend(beginnings_of(flow_in(path)))
    return found


def _bare(one: Scenario) -> Scenario:
    """How it begins; how its actions end only where something must never be in it."""
    return attrs.evolve(one, steps=(), expect=None, effects=one.effects if one.never is not None else {})


def _shown(one: Scenario) -> str:
    from callflow.coverage.table import file_shown

    return file_shown(os.path.realpath(one.flow.file))


def _told(name: str, one: Tried, seed: int) -> str:
    calls = f"{one.calls:,} random call{'' if one.calls == 1 else 's'} with {one.inputs:,} inputs (seed {seed})"
    if one.broken is None:
        return f"{name}: {calls}: all end, nobody waits in silence, nothing is raised"
    return f"{name}: {calls}: in call {one.number + 1} {one.broken.told}"


def _progress(name: str, calls: int) -> Callable[[int], bool]:
    live = sys.stderr.isatty()

    def going(number: int) -> bool:
        if live and number % OFTEN == 0:
            line = printable(f"{name}: {number:,} of {calls:,} calls")[: (columns() or 80) - 1]
            click.echo(f"\r{line}", nl=False, err=True)
        return True

    return going


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{' ' * ((columns() or 80) - 1)}\r", nl=False, err=True)
