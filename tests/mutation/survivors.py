"""The changes that no test can notice, with the reason: `survivors.yaml`."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import yaml

from tests.mutation.trying import ROOT, Change

LIST = Path(__file__).with_name("survivors.yaml")


@cache
def reasons() -> dict[tuple[str, str, str], str]:
    """(function, line, line as changed, or "" for any change of it) -> the reason."""
    return {
        (function, one["was"], now): one["why"]
        for function, ones in (yaml.safe_load(LIST.read_text()) or {}).items()
        for one in ones
        for now in one.get("now", [""])
    }


def reason(change: Change) -> str:
    """Why no test can notice it; "" where nobody has said so."""
    was, now = "\n".join(change.was), "\n".join(change.now)
    known = reasons()
    return known.get((change.function, was, now)) or known.get((change.function, was, ""), "")


def source(function: str) -> str:
    """The lines of `callflow.core.clocks.arm`, or of a method, without their indentation. Raises LookupError where there is none."""
    parts = function.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        for path in (ROOT.joinpath(*parts[:cut]).with_suffix(".py"), ROOT.joinpath(*parts[:cut], "__init__.py")):
            if path.is_file():
                text = path.read_text()
                return "\n".join(line.strip() for line in _within(text, parts[cut:]).splitlines())
    raise LookupError(f"{function}: there is no such module")


def _within(text: str, names: list[str]) -> str:
    node: ast.AST = ast.parse(text)
    for name in names:
        found = [one for one in ast.iter_child_nodes(node) if getattr(one, "name", None) == name]
        if not found:
            raise LookupError(f"{'.'.join(names)}: there is no such function")
        node = found[0]
    return ast.get_source_segment(text, node) or ""
