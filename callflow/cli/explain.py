"""`callflow explain CODE`: what a defect means, with a wrong and a right example."""

from __future__ import annotations

import click

from callflow.cli._width import wrapped
from callflow.core.suggest import did_you_mean
from callflow.proof.codes import EVERY_CODE as CODES


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a code that `callflow check` has printed; without one, list them all."""
    if code is None:
        widest = max(len(name) for name in CODES)
        for name, entry in CODES.items():
            click.echo(f"{name:{widest}}  {entry.title}")
        return
    found = CODES.get(code)
    if found is None:
        hint = did_you_mean(code, CODES) or "`callflow explain` without a code lists them all"
        raise click.UsageError(f"there is no code {code!r} ({hint})")
    click.echo(f"{click.style(code, bold=True)}: {found.title}\n")
    click.echo("\n".join(wrapped(found.meaning)))
    for name, colour, example in (("wrong", "red", found.wrong), ("right", "green", found.right)):
        if example:
            click.echo(f"\n{click.style(name + ':', fg=colour)}\n{_indented(example)}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.strip("\n").splitlines())
