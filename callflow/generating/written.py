"""Scenarios that were made, as a file for people to go on with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from callflow.scenario import Scenario, keys
from callflow.scenario.clock import moment_shown
from callflow.scenario.writing import body_of
from callflow.scenario.yaml import key, written


def file_of(scenarios: Sequence[Scenario], folder: str | os.PathLike[str], head: str) -> str:
    """A scenario file, to stand in `folder`; `head` is said at its top. What all scenarios share stands once, above them. Raises
    ValueError for what cannot be written."""
    return "\n".join(_lines(scenarios, folder, head)) + "\n"


def _lines(scenarios: Sequence[Scenario], folder: str | os.PathLike[str], head: str) -> Iterator[str]:
    flow = scenarios[0].flow.file
    path = flow if flow.startswith("<") else os.path.relpath(os.path.realpath(flow), os.path.realpath(folder))
    yield from (f"# {line}".rstrip() for line in head.split("\n"))
    yield f"callflow: {keys.VERSION}"
    yield f"flow: {written(path.replace(os.sep, '/'))}"
    same_time = len({one.start for one in scenarios}) == 1
    if same_time:
        yield f"at: {moment_shown(scenarios[0].start)}"
    shared = [
        name
        for name in ("vars", "env", "call")
        if all(getattr(one, name) == getattr(scenarios[0], name) for one in scenarios)
    ]
    for name in shared:
        if getattr(scenarios[0], name):
            yield f"{name}: {written(getattr(scenarios[0], name))}"
    yield "scenarios:"
    for number, one in enumerate(scenarios):
        said_above: dict[str, Any] = {name: {} for name in shared}
        body = body_of(attrs.evolve(one, **said_above)).split("\n")
        if number:
            yield ""
        yield f"  {key(one.name)}:"
        yield from (f"    {line}" for line in body if not (same_time and line.startswith("at: ")))
