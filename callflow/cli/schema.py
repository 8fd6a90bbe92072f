"""`callflow schema`: the JSON Schema of flow files, or of scenario files, for editors."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("of", type=click.Choice(["flow", "scenario"]), default="flow")
def command(of: str) -> None:
    """Print the JSON Schema (draft 2020-12) of flow files, or with `scenario` of scenario files."""
    if of == "flow":
        from callflow.flowfile.schema import schema
    else:
        from callflow.scenario.schema import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
