"""Fields with values of their types: what an event carries, what an effect has to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.expressions import ANY, Record, Type, accepts, coerce
from callflow.core.flow import Field
from callflow.core.suggest import closest
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.report import Report, is_nothing, join, plain_data


def fields_of(
    report: Report, node: Node | None, path: str, what: str, known: Mapping[str, Type] | None
) -> dict[str, Any]:
    """The fields that stand there, each of its type; `known` None: any, of any type."""
    found: dict[str, Any] = {}
    first = next(iter(known or ("name",)), "name")
    hint = f"write {{{first}: …}}" if known else ""
    if known and len(known) > 1:
        hint += f", one of {', '.join(known)}"
    mapping = report.mapping(node, path, what, hint)
    for name, (key, value) in mapping.entries.items() if mapping else ():
        if known is not None and name not in known:
            hint = report.meant(name, known) or f"it has {', '.join(known) or 'none'}"
            report.defect("unknown-field", f"{what} has no field `{shorten(name)}`", key, join(path, name), hint)
            continue
        kind = ANY if known is None else known[name]
        found[name] = typed(report, value, join(path, name), f"`{name}`", kind)
    return found


def typed(report: Report, node: Node, path: str, what: str, kind: Type) -> Any:
    """The value of a node, of this type; a defect, and the plain value, where it is none."""
    value = plain_data(node)
    if kind is ANY or isinstance(kind, Record):
        return value
    try:
        return coerce(kind, value)
    except ValueError as error:
        report.defect("wrong-type", f"{what} {error}", node, path)
        return value


def declared(
    report: Report, node: Node | None, at: Node, path: str, what: str, fields: Mapping[str, Field]
) -> dict[str, Any]:
    """The same for fields that an author has declared, of which some must be there, and some take a few values only."""
    found = fields_of(report, node, path, what, {name: one.type for name, one in fields.items()})
    if isinstance(node, (Scalar, Sequence)) and not is_nothing(node):
        return found  # that is said of it already
    entries = node.entries if isinstance(node, MappingNode) else {}
    misspelt = [name for name in entries if name not in fields]
    for name, one in fields.items():
        if one.required and name not in found and not any(closest(word, [name]) for word in misspelt):
            report.defect("missing-argument", f"{what} is missing `{name}`", at, path, f"write `{name}: …`")
        elif one.enum and accepts(one.type, found.get(name)) and found[name] not in one.enum:
            report.not_among(entries[name][1], join(path, name), f"`{name}`", str(found[name]), [*map(str, one.enum)])
    return found
