"""`callflow check FILE…`: every defect of a flow file at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import click

from callflow.cli._checked import Checked, show
from callflow.cli._course import Ended, Proofs
from callflow.core.flow import ROOT, Flow
from callflow.errors import Defect, printable
from callflow.flowfile.loader import read_with_text
from callflow.flowfile.source import SCENARIOS
from callflow.proof import BUDGET, DEEP
from callflow.verify import check as verify

INTERRUPTED = 130
"""As a shell has it: 128, and the number of the signal."""


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
@click.option(
    "--sub-flow", is_flag=True, help="Check the files as sub-flows: by themselves, as the inside of any flow."
)
@click.option("--proof/--no-proof", default=True, help="Follow every call that can be, and tell what goes wrong.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    help=f"How many steps the proof of a flow may take.  [default: {BUDGET}]",
)
@click.option(
    "--deep", is_flag=True, help=f"Go on until the proof is finished: {DEEP:,} steps. Ctrl-C tells what was covered."
)
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), help="How many flows are followed at once.  [default: one a core]"
)
@click.option(
    "--cache/--no-cache", default=True, help="Take what was proved before from the cache, and keep what is new there."
)
@click.option(
    "--save-stories",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="Save the story of each finding there as a scenario, which `callflow test` plays.",
)
def command(
    files: Sequence[str],
    format_: str,
    expand: bool,
    sub_flow: bool,
    proof: bool,
    steps: int | None,
    deep: bool,
    jobs: int | None,
    cache: bool,
    folder: str | None,
) -> None:
    """Check flow files; `-` reads standard input.

    A file that another of them uses as a sub-flow is checked as one. Files named *.scenario.yaml are read as scenarios, which
    `callflow test` plays.

    Exit status: 0 no defects (maybe warnings), 1 defects, 2 wrong usage, 130 interrupted.
    """
    if deep and steps is not None:
        raise click.UsageError("say --deep or --steps: both say how far the proof goes")
    if folder is not None and (expand or not proof):
        raise click.UsageError("--save-stories saves what the proof tells, and nothing is proved here")
    read = _read(files)
    used = {os.path.realpath(scope.file) for flow in read.flows for path, scope in flow.scopes.items() if path != ROOT}
    inside = {flow.file for flow in read.flows if sub_flow or os.path.realpath(flow.file) in used}
    found = {flow.file: verify(flow, as_subflow=flow.file in inside) for flow in read.flows}
    proofs = Proofs({})
    if proof and not expand:
        budget = steps or (DEEP if deep else BUDGET)
        proofs = _proofs(read, found, inside, alone=sub_flow, budget=budget, cached=cache, jobs=jobs, deep=deep)
    for file, defects in found.items():
        read.defects.extend(defects)
        read.defects.extend(one.defect for one in (proofs.each[file].told if file in proofs.each else ()))
    show(Checked(files, read.flows, read.texts, read.scenarios, read.defects, proofs), format_, expand=expand)
    if folder is not None:
        _save(proofs, folder)
    errors = any(one.level == "error" for one in read.defects)
    sys.exit(INTERRUPTED if proofs.ended is Ended.INTERRUPTED else 1 if errors else 0)


def _proofs(
    read: _Read,
    found: Mapping[str, Sequence[Defect]],
    inside: AbstractSet[str],
    *,
    alone: bool,
    budget: int,
    **how: Any,
) -> Proofs:
    """The proofs of the files that are right: of flows, and of sub-flows by themselves, where they are asked for alone, or no flow that is
    proved has them inside. One that returns something can be nothing else."""
    from callflow.cli._proofs import Asked, proofs_of
    from callflow.cli._subflows import proofs_with_subflows

    wrong = {file: {one.code for one in defects if one.level == "error"} for file, defects in found.items()}
    flows = [flow for flow in read.flows if not wrong[flow.file] and flow.file not in inside]
    followed = {os.path.realpath(scope.file) for flow in flows for scope in flow.scopes.values()}
    subflows = [
        flow
        for flow in read.flows
        if flow.file != "<stdin>"
        and wrong[flow.file] <= {"returns-to-nobody"}
        and (alone or os.path.realpath(flow.file) not in followed)
    ]
    asked = [Asked(flow, read.texts[flow.file]) for flow in flows]
    return proofs_with_subflows(asked, subflows, lambda more: proofs_of(more, budget, **how))


def _save(proofs: Proofs, folder: str) -> None:
    from pathlib import Path  # it would take a third of a bare start

    from callflow.cli._stories import save

    try:
        for said in save(proofs.each, Path(folder)):
            click.echo(printable(said), err=True)
    except OSError as error:
        raise click.ClickException(f"stories cannot be saved in {folder}: {error.strerror}") from error


class _Read(NamedTuple):
    """Flows, the texts of their files, how many scenarios each file of such has, and what is wrong with what."""

    flows: list[Flow]
    texts: dict[str, str]
    scenarios: dict[str, int]
    defects: list[Defect]


def _read(files: Sequence[str]) -> _Read:
    read = _Read([], {}, {}, [])
    for file in dict.fromkeys(files):
        if file.endswith(SCENARIOS):
            from callflow.scenario import read as read_scenarios

            played, defects = read_scenarios(file)
            if not defects:
                read.scenarios[file] = len(played)
        else:
            flow, defects, text = read_with_text(file)
            read.texts["<stdin>" if file == "-" else file] = text
            if flow is not None:
                read.flows.append(flow)
        read.defects.extend(defects)
    return read
