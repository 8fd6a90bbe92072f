"""`callflow schema`: the JSON Schema of flow files, for editors."""

from __future__ import annotations

import json

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of flow files (draft 2020-12)."""
    from callflow.flowfile.schema import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
