"""Flows from which scenarios are made."""

from __future__ import annotations

import click

from callflow.core.flow import Flow
from callflow.errors import printable
from callflow.flowfile import read
from callflow.verify import check


def flow_in(file: str) -> Flow:
    """The flow in a file. Raises click.ClickException with its defects."""
    flow, defects = read(file)
    if flow is not None and not defects:
        defects = [one for one in check(flow, as_subflow=True, warnings=False) if one.level == "error"]
    if flow is None or defects:
        told = "\n".join(map(str, defects))
        raise click.ClickException(f"{told}\n`callflow check {printable(file)}` shows each in its place")
    return flow
