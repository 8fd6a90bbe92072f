"""`callflow explain [CODE]`: what a defect means, with a wrong and a right example."""

from __future__ import annotations

import json

import click

from callflow.cli._width import wrapped
from callflow.core.suggest import did_you_mean
from callflow.flowfile.codes import Code
from callflow.proof.codes import EVERY_CODE as CODES


@click.command("explain")
@click.argument("code", required=False)
@click.option("--all", "all_of_them", is_flag=True, help="Explain every code.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(code: str | None, all_of_them: bool, form: str) -> None:
    """Explain a code that `callflow check` has printed; without one, list them all."""
    if code is not None and all_of_them:
        raise click.UsageError("one code, or --all of them")
    if code is not None and code not in CODES:
        hint = did_you_mean(code, CODES) or "`callflow explain` without a code lists them all"
        raise click.UsageError(f"there is no code {code!r} ({hint})")
    wanted = {code: CODES[code]} if code is not None else CODES
    if form == "json":
        told = {name: entry._asdict() for name, entry in wanted.items()}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif code is None and not all_of_them:
        widest = max(len(name) for name in CODES)
        for name, entry in CODES.items():
            click.echo(f"{name:{widest}}  {entry.title}")
    else:
        click.echo("\n\n".join(_explained(name, entry) for name, entry in wanted.items()))


def _explained(name: str, entry: Code) -> str:
    parts = [f"{click.style(name, bold=True)}: {entry.title}", "\n".join(wrapped(entry.meaning))]
    for word, colour, example in (("wrong", "red", entry.wrong), ("right", "green", entry.right)):
        if example:
            parts.append(f"{click.style(word + ':', fg=colour)}\n{_indented(example)}")
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.strip("\n").splitlines())
