"""`callflow check FILE…`: every defect of a flow file at once."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from callflow.cli._width import wrapped
from callflow.core.flow import ROOT, Flow
from callflow.errors import Defect, printable
from callflow.flowfile.loader import read_with_text
from callflow.flowfile.source import SCENARIOS
from callflow.verify import check as verify

if TYPE_CHECKING:
    from callflow.proof.proved import Proved


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["people", "short", "json", "sarif"]),
    default="people",
    show_default=True,
    help="How defects are printed.",
)
@click.option("--expand", is_flag=True, help="Print the flow with its standard parts, as YAML.")
@click.option("--proof/--no-proof", default=True, help="Follow every call that can be, and tell what goes wrong.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    help="How many steps the proof of a flow may take.",
)
@click.option("--cache/--no-cache", default=True, help="Take what was proved before from the cache, and keep it there.")
def command(files: Sequence[str], format_: str, expand: bool, proof: bool, steps: int, cache: bool) -> None:
    """Check flow files; `-` reads standard input.

    A file that another of them uses as a sub-flow is checked as one. Files named *.scenario.yaml are read as scenarios, which
    `callflow test` plays.

    Exit status: 0 no defects (maybe warnings), 1 defects, 2 wrong usage.
    """
    defects: list[Defect] = []
    flows: list[tuple[str, Flow]] = []
    texts: dict[str, str] = {}
    scenarios: dict[str, int] = {}
    for file in dict.fromkeys(files):
        if file.endswith(SCENARIOS):
            from callflow.scenario import read

            played, found = read(file)
            defects += found
            scenarios |= {} if found else {file: len(played)}
            continue
        flow, found, text = read_with_text(file)
        defects += found
        texts["<stdin>" if file == "-" else file] = text
        if flow is not None:
            flows.append((file, flow))
    used = {os.path.realpath(scope.file) for _, flow in flows for path, scope in flow.scopes.items() if path != ROOT}
    checked = {flow.file: verify(flow, as_subflow=os.path.realpath(flow.file) in used) for _, flow in flows}
    proofs: Mapping[str, Proved] = {}
    if proof and not expand:
        from callflow.cli._proofs import Asked, proofs_of

        right = [
            Asked(flow, texts[flow.file])
            for _, flow in flows
            if os.path.realpath(flow.file) not in used and not any(one.level == "error" for one in checked[flow.file])
        ]
        proofs = proofs_of(right, steps, cached=cache)
    for file, found in checked.items():
        defects += found
        defects += [one.defect for one in proofs[file].told] if file in proofs else []
    errors = [one for one in defects if one.level == "error"]
    if format_ == "json":
        from callflow.cli._formats import as_json

        click.echo(as_json(defects, list(files)))
    elif format_ == "sarif":
        from callflow.cli._formats import as_sarif
        from callflow.proof.codes import EVERY_CODE

        click.echo(as_sarif(defects, {code: entry.title for code, entry in EVERY_CODE.items()}))
    elif expand and not errors:
        from callflow.flowfile.expand import expand as expanded

        click.echo("---\n".join(expanded(texts[flow.file], flow) for _, flow in flows), nl=False)
    elif format_ == "short":
        from callflow.cli._formats import short

        if defects:
            click.echo(short(defects))
    else:
        _tell(flows, scenarios, defects, texts, proofs)
    sys.exit(1 if errors else 0)


def _tell(
    flows: Sequence[tuple[str, Flow]],
    scenarios: Mapping[str, int],
    defects: Sequence[Defect],
    texts: Mapping[str, str],
    proofs: Mapping[str, Proved],
) -> None:
    wrong = {defect.file for defect in defects if defect.level == "error"}
    for file, flow in flows:
        if flow.file not in wrong:
            click.echo(f"{printable(file)}: {_checked(flow)}")
        if flow.file in proofs:
            click.echo(f"{printable(file)}: {_followed(proofs[flow.file])}")
    for file, number in scenarios.items():
        click.echo(f"{printable(file)}: read {_count(number, 'scenario')}, no defect")
    if not defects:
        return
    from callflow.cli._formats import for_people

    if scenarios or any(flow.file not in wrong for _, flow in flows):
        click.echo()
    split = {file: text.splitlines() for file, text in texts.items()}
    click.echo(for_people(defects, lambda file: split[file] if file in split else _lines(file)))
    errors = sum(one.level == "error" for one in defects)
    counts = ((errors, "defect"), (len(defects) - errors, "warning"))
    count = ", ".join(_count(number, what) for number, what in counts if number)
    codes = ", ".join(dict.fromkeys(defect.code for defect in defects))
    first, *more = wrapped(f"{count}. `callflow explain CODE` shows a wrong and a right example of each: {codes}")
    click.echo("\n".join(["", click.style(count, bold=True) + first[len(count) :], *more]))


def _checked(flow: Flow) -> str:
    """What was checked."""
    return f"checked {_count(len(flow.states) - 1, 'state')}, {_count(len(flow.transitions), 'transition')}, no defect"


def _followed(proof: Proved) -> str:
    """How far the proof has come."""
    done = f"{_count(proof.situations, 'situation')}, {_count(proof.steps, 'step')}"
    if proof.doubts:
        doubts = ", ".join(f"{one.code} in line {one.line}" for one in proof.doubts)
        done += f"; not proved, though no call was found that shows it: {doubts}"
    if proof.finished:
        return f"followed every call: {done}"
    return f"not proved: {done}, and {proof.left} more to look at (`--steps` goes further)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@functools.cache
def _lines(file: str) -> Sequence[str]:
    """A file's lines, for the line that a defect stands on; none where it cannot be read."""
    from callflow.flowfile.source import read_text

    if file.startswith("<"):
        return ()
    text, defect = read_text(file)
    return () if defect is not None or text is None else text.splitlines()
