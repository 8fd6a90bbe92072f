"""Sub-flows: other files as the inside of a state."""

from __future__ import annotations

import os
import re

from callflow.flowfile.header import declare
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, shorten
from callflow.flowfile.outline import Draft
from callflow.flowfile.part import Part
from callflow.flowfile.report import join
from callflow.flowfile.source import read_text
from callflow.flowfile.yaml import parse

MAX_DEPTH = 8
"""Sub-flows inside each other."""

MAX_INSTANCES = 100
"""Sub-flows in all, each counted where it stands."""


def open_subflow(draft: Draft, main: Part) -> Part | None:
    """The sub-flow of a state with `flow:`, declared; None, and a defect, where it cannot be had."""
    part, loading = draft.part, draft.part.loading
    node = draft.node.get("flow")
    where = join(draft.where, "flow")
    name = part.text(node, where, "`flow`")
    if name is None or node is None:
        return None
    if name not in part.uses:
        hint = _sub_flow_meant(part, name)
        part.defect("unknown-sub-flow", f"there is no sub-flow `{shorten(name)}` under `use`", node, where, hint)
        return None
    file = part.text(part.uses[name][1], f"use.{name}", f"`{name}`")
    if file is None:
        return None
    part.used.add(name)
    path = _path(part, file)
    real = _real(part, name, path)
    if real is None:
        return None
    loading.instances += 1
    chain = _files_around(part)
    if real in chain:
        way = " → ".join(one.rpartition(os.sep)[2] for one in (*chain[chain.index(real) :], real))
        part.defect(
            "sub-flow-cycle", f"this sub-flow includes itself: {way}", node, where, "take one of them out of the circle"
        )
        return None
    if len(chain) > MAX_DEPTH or loading.instances > MAX_INSTANCES:
        message = f"sub-flows stand at most {MAX_DEPTH} deep inside each other, and {MAX_INSTANCES} in all"
        part.defect("too-many-sub-flows", message, node, where, "put some of them into one file")
        return None
    root, text = _read(part, name, path, real)
    if root is None:
        return None
    inside = Part(loading, path, root, draft.path, os.path.dirname(path), (*part.chain, real), text)  # noqa: PTH120 - see `_path`
    if not declare(inside):
        return None
    _check_main(draft, inside, main, node, where)
    return inside


def _sub_flow_meant(part: Part, name: str) -> str:
    """What the author may have meant by the name of a sub-flow, which may be that of its file."""
    same = next(
        (known for known, (_, node) in part.uses.items() if isinstance(node, Scalar) and node.text == name), None
    )
    if same is not None:
        return f"write `flow: {same}`"
    if name.endswith((".yaml", ".yml")):
        stem = name.rpartition("/")[2].partition(".")[0]
        return f"name it at the top, `use: {{{shorten(stem)}: {shorten(name)}}}`, and write `flow: {shorten(stem)}`"
    return part.meant(name, part.uses) or f"name its file: `use: {{{shorten(name)}: {shorten(name)}.yaml}}`"


def look_at_unused(part: Part) -> None:
    """A defect for each file under `use` that cannot be had, also where no state uses it."""
    for name, (_, node) in part.uses.items():
        file = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None
        if file is None or name in part.used:
            continue
        path = _path(part, file)
        real = _real(part, name, path)
        if real is not None and real not in _files_around(part):
            _read(part, name, path, real)


def _path(part: Part, file: str) -> str:
    """Where a file that `use` names is."""
    from pathlib import PurePath  # which a flow of one file need not wait for

    return str(PurePath(part.folder, file))


def _real(part: Part, name: str, path: str) -> str | None:
    try:
        return os.path.realpath(path)
    except ValueError as error:  # a NUL in the name
        part.defect("unreadable-file", f"{shorten(path)}: {error}", part.uses[name][1], f"use.{name}")
        return None


def _files_around(part: Part) -> list[str]:
    """The files in which it stands, itself the last, without links: so that each is told whatever it is called."""
    return [os.path.realpath(one) for one in part.chain]


_FLOW = re.compile(r"^[ \"'{]*callflow[\"']?[ \t]*:(?:\s|$)", re.MULTILINE)


def _read(part: Part, name: str, path: str, real: str) -> tuple[MappingNode | None, str]:
    """A file's nodes. Of a file that is no flow nothing is told, nor shown: it may be anybody's."""
    loading = part.loading
    if real in loading.files:
        return loading.files[real]
    text, defect = read_text(path)
    root = None
    at, where = part.uses[name][1], f"use.{name}"
    if defect is not None:
        part.defect(defect.code, f"{path}: {defect.message}", at, where, defect.hint)
    elif not _FLOW.search(text):
        hint = "`use` names flow files, each of which begins with `callflow: 1`"
        part.defect("no-flow-file", f"{shorten(path)} is no flow file", at, where, hint)
    else:
        root, defects = parse(text, path)
        loading.defects.extend(defects)
    loading.files[real] = root, text
    return root, text


def _check_main(draft: Draft, inside: Part, main: Part, node: Node, where: str) -> None:
    """The main flow is asked for its environment and its Python: what a sub-flow needs of them it must name, too."""
    for variable in inside.env:
        if variable not in main.env:
            message = f"the sub-flow reads `{variable}`, which the main flow does not name under `env`"
            draft.part.defect(
                "undeclared-in-main", message, node, where, f"add it to the main flow: `env: [{variable}]`"
            )
    for name, action in inside.python.items():
        known = main.python.get(name)
        if known is None:
            message = f"the sub-flow calls the Python action `{name}`, which the main flow does not declare"
            draft.part.defect(
                "undeclared-in-main", message, node, where, f"declare `{name}` under `python:` there, too"
            )
        elif "python" in main.broken or any(
            f"python.{name}.{one}" in (main.broken | inside.broken) for one in ("parameters", "returns")
        ):
            continue  # that is told where it stands
        elif any(one.path.startswith(f"python.{name}.") for one in main.defects):
            continue
        elif _signature(known.parameters, known.returns) != _signature(action.parameters, action.returns):
            message = f"the sub-flow and the main flow declare the Python action `{name}` differently"
            draft.part.defect("conflict", message, node, where, "declare the same in both")


def _signature(parameters: object, returns: object) -> tuple[object, ...]:
    def plain(fields: object) -> tuple[object, ...]:
        assert isinstance(fields, dict)  # noqa: S101 - as the reader made them
        return tuple(sorted((field.name, str(field.type), field.required) for field in fields.values()))

    return plain(parameters), plain(returns)
