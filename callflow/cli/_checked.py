"""What `callflow check` has found, in each of its formats."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import click
from attrs import frozen

from callflow.cli._course import Ended, Proofs
from callflow.cli._width import wrapped
from callflow.core.durations import told_duration
from callflow.core.flow import Flow
from callflow.errors import Defect, printable
from callflow.proof import DEEP
from callflow.proof.proved import Proved


@frozen(eq=False)
class Checked:
    """The files that were named, the flows in them, their texts, how many scenarios each file of such has, all defects, and what is
    proved."""

    files: Sequence[str]
    flows: Sequence[Flow]
    texts: Mapping[str, str]
    scenarios: Mapping[str, int]
    defects: Sequence[Defect]
    proofs: Proofs

    @property
    def accepted(self) -> Sequence[Defect]:
        """What is none, since its flow accepts it."""
        return [one.defect for each in self.proofs.each.values() for one in each.accepted]

    @property
    def errors(self) -> int:
        return sum(one.level == "error" for one in self.defects)


A_DAY = 24 * 3600
"""Seconds: no bound of a call is as long."""


def show(checked: Checked, format_: str, *, expand: bool) -> None:
    """Prints it; for those who read it the whole flows, if they are to be expanded and nothing is wrong."""
    if expand and format_ in ("people", "short") and not checked.errors:
        from callflow.flowfile.expand import expand as expanded

        click.echo("---\n".join(expanded(checked.texts[flow.file], flow) for flow in checked.flows), nl=False)
    else:
        {"json": _as_json, "sarif": _as_sarif, "short": _short}.get(format_, _for_people)(checked)


def _as_json(checked: Checked) -> None:
    from callflow.cli._formats import as_json

    click.echo(as_json([*checked.defects, *checked.accepted], list(checked.files), checked.proofs.each))


def _as_sarif(checked: Checked) -> None:
    from callflow.cli._formats import as_sarif
    from callflow.proof.codes import EVERY_CODE

    titles = {code: entry.title for code, entry in EVERY_CODE.items()}
    ended = checked.proofs.ended
    proved = {file: (one, _followed(one, ended)) for file, one in checked.proofs.each.items()}
    click.echo(as_sarif([*checked.defects, *checked.accepted], titles, proved))


def _short(checked: Checked) -> None:
    """One defect a line; what is not proved is said beside them."""
    from callflow.cli._formats import short

    if checked.defects or checked.accepted:
        click.echo(short([*checked.defects, *checked.accepted]))
    for file, one in checked.proofs.each.items():
        if not one.clean:
            click.echo(f"{printable(file)}: {_followed(one, checked.proofs.ended)}", err=True)


def _for_people(checked: Checked) -> None:
    defects, proofs = checked.defects, checked.proofs
    wrong = {defect.file for defect in defects if defect.level == "error"}
    for flow in checked.flows:
        file = "-" if flow.file == "<stdin>" else flow.file
        if flow.file not in wrong:
            click.echo(f"{printable(file)}: {_checked(flow)}")
        if flow.file in proofs.each:
            click.echo(f"{printable(file)}: {_followed(proofs.each[flow.file], proofs.ended)}")
            if proofs.each[flow.file].finished:
                click.echo(f"{printable(file)}: {_bounds(proofs.each[flow.file])}")
            for told in proofs.each[flow.file].accepted:
                click.echo(_accepted(told.defect))
    for file, number in checked.scenarios.items():
        click.echo(f"{printable(file)}: read {_count(number, 'scenario')}, no defect")
    if not defects:
        return
    from callflow.cli._formats import for_people

    if checked.scenarios or any(flow.file not in wrong for flow in checked.flows):
        click.echo()
    split = {file: text.splitlines() for file, text in checked.texts.items()}
    click.echo(for_people(defects, lambda file: split[file] if file in split else _lines(file)))
    counts = ((checked.errors, "defect"), (len(defects) - checked.errors, "warning"))
    count = ", ".join(_count(number, what) for number, what in counts if number)
    codes = ", ".join(dict.fromkeys(defect.code for defect in defects))
    first, *more = wrapped(f"{count}. `callflow explain CODE` shows a wrong and a right example of each: {codes}")
    click.echo("\n".join(["", click.style(count, bold=True) + first[len(count) :], *more]))


def _checked(flow: Flow) -> str:
    """What was checked."""
    return f"checked {_count(len(flow.states) - 1, 'state')}, {_count(len(flow.transitions), 'transition')}, no defect"


def _bounds(proof: Proved) -> str:
    """How long what is bad for somebody lasts at most."""
    quiet = "whoever waits always hears something"
    if proof.quiet:
        quiet = f"whoever waits hears nothing for {_time(proof.quiet)} at most"
    return f"a hang-up ends the call within {_time(proof.after_hang_up)}; {quiet}"


def _time(seconds: int) -> str:
    return told_duration(seconds) if seconds < A_DAY else "any time"


def _followed(proof: Proved, ended: Ended) -> str:
    """How far the proof has come; `ended` is why it was broken off, if it was."""
    done = f"{_count(proof.situations, 'situation')}, {_count(proof.steps, 'step')}"
    if proof.doubts:
        doubts = ", ".join(f"{one.code} in line {one.line}" for one in proof.doubts)
        done += f"; not proved, though no call was found that shows it: {doubts}"
    if proof.finished:
        return f"followed every call: {done}"
    further = ended.words if proof.broken_off else f"`{'--deep' if proof.budget < DEEP else '--steps'}` goes further"
    return f"not proved: {done}, and {proof.left} more to look at ({further})"


def _accepted(defect: Defect) -> str:
    """What is accepted, where, and why."""
    return printable(f"{defect.file}:{defect.line}: accepted: {defect.code}: {defect.accepted}")


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
