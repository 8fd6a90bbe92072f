"""A flow with its standard parts written out: what `callflow check --expand` prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from callflow.core.durations import format_duration
from callflow.core.flow import Flow
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence
from callflow.flowfile.standard import standard_nodes
from callflow.flowfile.yaml import core_value, parse

_PLAIN = re.compile(r"[A-Za-z0-9_+]([A-Za-z0-9_ .*/+()!?=-]*[A-Za-z0-9_.*/+()!?=-])?", re.ASCII)
_WIDTH = 116


def expand(text: str, flow: Flow) -> str:
    """The text of a flow that has been loaded, as YAML with nothing left to supply.

    It loads to the same flow. Comments are not kept.
    """
    root, _ = parse(text, flow.file)
    if root is None:
        raise ValueError("a text that was loaded is YAML")
    return "\n".join(_lines(_complete(root, flow), 0)) + "\n"


def _complete(root: MappingNode, flow: Flow) -> MappingNode:
    """The author's nodes and the supplied ones, in one mapping."""
    if _false(root.get("standard")):
        return root
    standard = standard_nodes()
    entries = dict(root.entries)
    limits = flow.limits
    known: dict[str, str] = {
        "call": format_duration(limits.call or 0),
        "silence": format_duration(limits.silence or 0),
        "answer": format_duration(limits.answer or 0),
        "reconnecting": format_duration(limits.reconnecting or 0),
        "no_progress": str(limits.no_progress),
    }
    if flow.root.quiet is not None:
        known["quiet"] = format_duration(flow.root.quiet.seconds)
    added: dict[str, Node] = {
        "standard": _scalar("false"),
        "ending": _scalar(flow.ending),
        "limits": _mapping({name: _scalar(value) for name, value in known.items()}, True),
        "on": _with_missing(root.get("on"), _redirected(standard.get("on"), flow.ending), None),
        "states": _with_missing(root.get("states"), standard.get("states"), flow.states),
    }
    states = entries.pop("states", None)
    for name, node in added.items():
        if name != "states":
            entries[name] = (_scalar(name), node)
    entries["states"] = (states[0] if states else _scalar("states"), added["states"])
    return _mapping_of(entries, False)


def _with_missing(mine: Node | None, supplied: Node | None, wanted: Mapping[str, object] | None) -> MappingNode:
    """The author's entries, then those of the supplied ones that the author has not."""
    entries = dict(mine.entries) if isinstance(mine, MappingNode) else {}
    for name, entry in supplied.entries.items() if isinstance(supplied, MappingNode) else ():
        if name not in entries and (wanted is None or name in wanted):
            entries[name] = entry
    return _mapping_of(entries, False)


def _redirected(node: Node | None, ending: str) -> Node | None:
    """The standard rows, leading to the state that `ending:` names."""
    if not isinstance(node, MappingNode):
        return node
    rows: dict[str, tuple[Scalar, Node]] = {}
    for name, (key, row) in node.entries.items():
        inner = dict(row.entries) if isinstance(row, MappingNode) else {}
        inner["target"] = (inner["target"][0], _scalar(ending))
        rows[name] = (key, _mapping_of(inner, True))
    return _mapping_of(rows, False)


def _false(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is False


# -- nodes that nobody has written


class _Nowhere:
    line = column = index = 0


_NOWHERE = _Nowhere()


def _scalar(text: str) -> Scalar:
    return Scalar(text, _value(text), True, _NOWHERE, _NOWHERE)


def _value(text: str) -> str | float | bool | None:
    """What a plain scalar would be read as; nothing where its number is too long, so that it was in quotes."""
    try:
        return core_value(text)
    except ValueError:
        return None


def _mapping(entries: Mapping[str, Node], flow: bool) -> MappingNode:
    return _mapping_of({name: (_scalar(name), node) for name, node in entries.items()}, flow)


def _mapping_of(entries: dict[str, tuple[Scalar, Node]], flow: bool) -> MappingNode:
    return MappingNode(entries, flow, _NOWHERE, _NOWHERE)


# -- nodes as text


def _lines(node: MappingNode, indent: int) -> Iterator[str]:
    """A mapping in block style, each value on its line as long as it fits."""
    space = " " * indent
    for key, value in node.entries.values():
        written = _written(key)
        flat = _flat(value)
        fits = len(space) + len(written) + len(flat) + 2 <= _WIDTH
        if isinstance(value, Scalar) or not _inner(value) or (value.flow and fits):
            yield f"{space}{written}: {flat}".rstrip() if flat else f"{space}{written}:"
        elif isinstance(value, MappingNode):
            yield f"{space}{written}:"
            yield from _lines(value, indent + 2)
        else:
            yield f"{space}{written}:"
            for item in value.items:
                flat = _flat(item)
                one = isinstance(item, MappingNode) and not item.flow and len(item.entries) == 1
                yield f"{space}  - {flat[1:-1] if one else flat}"


def _inner(node: Node) -> bool:
    return bool(node.entries if isinstance(node, MappingNode) else node.items if isinstance(node, Sequence) else False)


def _flat(node: Node) -> str:
    """A node on one line."""
    if isinstance(node, Scalar):
        return _written(node)
    if isinstance(node, Sequence):
        return "[" + ", ".join(map(_flat, node.items)) + "]"
    inner = ", ".join(f"{_written(key)}: {_flat(value)}" for key, value in node.entries.values())
    return "{" + inner + "}"


def _written(node: Scalar) -> str:
    if not isinstance(node.value, str):
        return node.text or "null"
    text = node.value
    if _PLAIN.fullmatch(text) and _value(text) == text:
        return text
    written = json.dumps(text, ensure_ascii=False)
    return written if written.isprintable() else "".join(map(_escaped, written))


def _escaped(letter: str) -> str:
    """What a terminal would obey, as YAML and JSON write it."""
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]
