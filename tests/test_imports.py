"""Imports go one way, between the parts and inside of each, and what reads, checks and draws a flow needs no LiveKit."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "callflow"

# What stands in one row may not import what stands in a later one, nor another part of its own row.
LAYERS = (
    ("errors", "version"),
    ("core",),
    ("flowfile", "diagram", "runtime"),
    ("scenario",),
    ("verify", "telephony", "coverage", "journal"),
    ("proof",),
    ("play", "generating"),
    ("livekit_bindings",),
    ("testing",),
    ("cli",),
    ("pytest_plugin",),
)
LEVEL = {part: level for level, row in enumerate(LAYERS) for part in row}

WITHOUT_LIVEKIT = (
    "errors",
    "core",
    "flowfile",
    "diagram",
    "scenario",
    "verify",
    "coverage",
    "journal",
    "proof",
    "generating",
    "play",
)


def _parts() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found.setdefault(part, []).append(path)
    return found


@cache
def _imports(path: Path, *, lazy: bool = True) -> tuple[tuple[str, int], ...]:
    """The modules that a file imports, with their lines; without `lazy`, those that importing the file imports."""
    return tuple(_imported(path, lazy))


def _imported(path: Path, lazy: bool) -> Iterator[tuple[str, int]]:
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name"
            yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        if lazy or not deferred:
            pending.extend(ast.iter_child_nodes(node))


def test_every_part_has_its_place():
    parts = set(_parts()) - {"__init__", "__main__"}
    assert parts <= set(LEVEL), f"say in LAYERS where {parts - set(LEVEL)} stand"


@pytest.mark.parametrize("part", sorted(set(_parts()) & set(LEVEL)))
def test_imports_go_one_way(part):
    wrong = []
    for path in _parts()[part]:
        if path.name == "__main__.py":  # a program of its own, which nobody imports
            continue
        for module, line in _imports(path):
            top, other, *_ = [*module.split("."), ""]
            if top == "callflow" and other != part and LEVEL.get(other, -1) >= LEVEL[part]:
                wrong.append(f"{path.relative_to(PACKAGE)}:{line} imports {module}")
    assert wrong == []


def _modules() -> dict[str, Path]:
    """Every module of the package by its name; a package by that of its `__init__.py`."""
    paths = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in paths.items()}


def _known(module: str, modules: Container[str]) -> str:
    """The module that a name is imported from: itself, or the one that it stands in."""
    return module if module in modules else module.rpartition(".")[0]


def test_no_two_modules_know_each_other():
    """Also not by way of others, nor for their types alone: what needs a part of something says which, as a Protocol."""
    modules = _modules()
    graph = {
        name: {_known(module, modules) for module, _ in _imports(path)} & (modules.keys() - {name})
        for name, path in modules.items()
    }
    sorter = graphlib.TopologicalSorter(graph)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("part", sorted(set(_parts()) & {*WITHOUT_LIVEKIT, "__init__"}))
def test_no_livekit_is_needed_to_read_check_and_draw(part):
    lazy = part != "__init__"  # the package's own names for running calls import the bindings when they are used
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for path in _parts()[part]
        for module, line in _imports(path, lazy=lazy)
        if module.split(".")[0] in ("livekit", "numpy", "aiohttp")
        or (not lazy and module.startswith(("callflow.livekit_bindings", "callflow.testing", "callflow.service")))
    ]
    assert wrong == []


def test_only_the_machine_imports_transitions():
    users = {
        str(path.relative_to(PACKAGE))
        for paths in _parts().values()
        for path in paths
        for module, _ in _imports(path)
        if module.split(".")[0] == "transitions"
    }
    assert users <= {"core/machine.py"}


def test_nobody_knows_the_whole_world():
    """What runs for a call is given what it needs of it; only who makes a world has it whole."""
    users = {
        name
        for name, path in _modules().items()
        for module, _ in _imports(path)
        if module.startswith("callflow.livekit_bindings.world.LiveKitWorld")
    }
    assert users <= {"callflow.livekit_bindings", "callflow.livekit_bindings.binding"}
