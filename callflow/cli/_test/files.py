"""Which files are meant, which scenarios are in them, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from callflow.cli._test.names import Wanted
from callflow.core.suggest import did_you_mean
from callflow.errors import Defect
from callflow.flowfile.source import SCENARIOS, STDIN
from callflow.scenario import Flows, Scenario, read
from callflow.verify import check

INSIDE = "::"
"""Stands between a file and the name of one of its scenarios."""

_NOT_LOOKED_INTO = frozenset({"node_modules", "venv", "__pycache__"})


class File(NamedTuple):
    """A file of scenarios: those of it that are to be played, by their place in it, or what is wrong with it or its flow."""

    name: str
    scenarios: Sequence[tuple[int, Scenario]] = ()
    defects: Sequence[Defect] = ()
    left_out: int = 0


class _Path(NamedTuple):
    file: str
    names: tuple[str, ...] = ()  # of its scenarios; none: all


def collect(paths: Sequence[str], wanted: Wanted) -> list[File]:
    """The files to which these paths lead, read. Raises click.UsageError for a path that leads nowhere, or to no scenario."""
    flows, checked = Flows(), dict[int, list[Defect]]()
    return [_collected(path, wanted, flows, checked) for path in _paths(paths)]


def _collected(path: _Path, wanted: Wanted, flows: Flows, checked: dict[int, list[Defect]]) -> File:
    found, defects = read(path.file, flows)
    for flow in {id(one.flow): one.flow for one in found}.values():
        if id(flow) not in checked:  # a sub-flow may be played by itself
            checked[id(flow)] = check(flow, as_subflow=True, warnings=False)
        defects = [*defects, *checked[id(flow)]]
    if defects:
        return File(path.file, (), defects)
    for name in path.names:
        if not any(_is(one, name) for one in found):
            hint = did_you_mean(name, [one.name for one in found])
            raise click.UsageError(f"{path.file} has no scenario {name!r}" + (f": {hint}" if hint else ""))
    stem = os.path.basename(path.file).removesuffix(SCENARIOS)  # noqa: PTH119 - `-` is no path
    played = [
        (place, one)
        for place, one in enumerate(found)
        if wanted((one.name, stem)) and (not path.names or any(_is(one, name) for name in path.names))
    ]
    return File(path.file, played, (), len(found) - len(played))


def _is(scenario: Scenario, name: str) -> bool:
    """Whether it has this name, or is a case of what has it."""
    return scenario.name == name or scenario.name.startswith(f"{name}, ")


def _paths(paths: Sequence[str]) -> list[_Path]:
    """The scenario files that the paths lead to, each once, in order."""
    found: dict[str, _Path] = {}
    missing: list[str] = []
    for path in paths:
        file, names = path, tuple[str, ...]()
        if not os.path.lexists(path) and INSIDE in path:
            file, _, name = path.partition(INSIDE)
            names = (name,)
        if file != STDIN and not os.path.lexists(file):
            missing.append(file)
        for one in _files_in(file) if os.path.isdir(file) else [file]:  # noqa: PTH112 - a path may be any text
            key = os.path.realpath(one)
            known = found.get(key)
            if known is not None:  # all of it, where that has been asked for once
                names = (*known.names, *names) if known.names and names else ()
            found[key] = _Path(one, names)
    if missing:
        raise click.UsageError("\n".join(f"there is no file or folder {one!r}" for one in missing))
    return list(found.values())


def _files_in(folder: str) -> Iterator[str]:
    """The scenario files inside, in order, but for what is hidden or is somebody else's."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not _is_left_out(one))
        yield from (_joined(place, one) for one in sorted(files) if one.endswith(SCENARIOS))


def _is_left_out(folder: str) -> bool:
    return folder.startswith(".") or folder in _NOT_LOOKED_INTO


def _joined(folder: str, file: str) -> str:
    return os.path.normpath(os.path.join(folder, file))  # noqa: PTH118 - as the user has written it


def scenario_files(paths: Sequence[str]) -> list[str]:
    """The scenario files to which these paths lead now; of one that is gone its name."""
    return [
        one
        for path in paths
        for one in (_files_in(path) if os.path.isdir(path) else [path.partition(INSIDE)[0]])  # noqa: PTH112 - as above
    ]


def files_of(file: File) -> set[str]:
    """All that is read for a file: itself, its parts, the flows that are played and their sub-flows, what its defects are in."""
    flows = {id(one.flow): one.flow for _, one in file.scenarios}
    parts = {step.position.file for _, one in file.scenarios for step in one.steps}
    found = {scope.file for flow in flows.values() for scope in flow.scopes.values()}
    return {file.name, *parts, *found, *(one.file for one in file.defects)}
