"""`accept: {code: reason}`: what the proof finds, and its author knows and wants."""

from __future__ import annotations

from callflow.core.flow import Acceptance
from callflow.flowfile import keys
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.report import Report, join, one_of


def acceptances(report: Report, node: Node | None, path: str) -> tuple[Acceptance, ...]:
    """What is accepted there, each with its reason."""
    mapping = report.mapping(node, path, "`accept`", _bare(node))
    if mapping is None:
        return ()
    for name in [name for name in mapping.entries if name not in keys.ACCEPT and not name.startswith("x-")]:
        hint = report.meant(name, keys.ACCEPT)
        hint = hint or f"what the proof finds can be accepted: {one_of(keys.ACCEPT)}; every other defect is mended"
        report.unknown_key(mapping, *mapping.entries[name], path, keys.ACCEPT, "`accept`", hint)
    return tuple(
        Acceptance(name, reason, report.position(key, join(path, name)))
        for name, (key, value) in mapping.entries.items()
        if name in keys.ACCEPT and (reason := _reason(report, value, join(path, name))) is not None
    )


def _reason(report: Report, node: Node, path: str) -> str | None:
    said = report.text(node, path, "a reason")
    if said is not None and not said.strip():
        report.defect("empty-text", "the reason is empty", node, path, "say why it is right here")
        return None
    return said


def _bare(node: Node | None) -> str:
    """A hint for codes without a reason."""
    first = node.items[0] if isinstance(node, Sequence) and node.items else node
    if not isinstance(first, Scalar) or not isinstance(first.value, str):
        return ""
    return f"each is a key with its reason: {{{shorten(first.text)}: why it is right here}}"
