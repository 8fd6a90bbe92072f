"""Values inside of actions: nodes -> literals, templates, maps of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.expressions import ANY, PHONE, TEXT, Names, Record, Type
from callflow.core.flow import Field
from callflow.core.verbs.verb import Verb
from callflow.flowfile.declarations import literal
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.part import Part
from callflow.flowfile.report import is_nothing, join, one_of


def template_value(part: Part, expect: Type, node: Node, path: str, what: str, names: Names) -> Any:
    """A value of a type: a literal, or a template. Text without one stays text."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        text = node.value
        if "{{" in text:
            return part.template(node, names, path, expect)
        if expect is TEXT:
            return text
        if expect is PHONE and not text.startswith("+"):  # a SIP user, or digits that the trunk understands
            return text
    elif isinstance(node, Sequence) and expect not in (ANY, TEXT):
        item = getattr(expect, "item", None)
        if item is not None:
            return [
                template_value(part, item, inner, f"{path}[{number}]", f"each item of {what}", names)
                for number, inner in enumerate(node.items)
            ]
    elif expect == ANY or (isinstance(node, MappingNode) and isinstance(expect, Record)):
        return any_value(part, node, path, names)
    if expect is TEXT:
        part.no_text(node, path, what)
        return None
    return literal(part, expect, node, path, what)


def any_value(part: Part, node: Node, path: str, names: Names) -> Any:
    """Any data, with templates anywhere inside."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and "{{" in node.value:
            return part.template(node, names, path)
        return node.value
    if isinstance(node, Sequence):
        return [any_value(part, item, f"{path}[{number}]", names) for number, item in enumerate(node.items)]
    return {name: any_value(part, value, join(path, name), names) for name, (_, value) in node.entries.items()}


def typed_map(
    part: Part, node: Node | None, fields: Mapping[str, Field], path: str, what: str, names: Names, owner: Scalar
) -> dict[str, Any]:
    """Values for named fields, each of its type: arguments, payloads, a sub-flow's variables."""
    mapping = part.mapping(node, path, what)
    found: dict[str, Any] = {}
    unknown: list[tuple[str, Scalar]] = []
    for name, (key, value) in mapping.entries.items() if mapping else ():
        field = fields.get(name)
        if field is not None:
            found[name] = template_value(part, field.type, value, join(path, name), f"`{name}`", names)
            if field.enum and isinstance(value, Scalar) and "{{" not in value.text and found[name] not in field.enum:
                part.not_among(value, join(path, name), f"`{name}`", value.text, [str(one) for one in field.enum])
        elif not name.startswith("x-"):
            unknown.append((name, key))
    missing = [name for name, field in fields.items() if field.required and name not in found]
    for name, key in unknown:
        hint = part.meant(name, fields) or (f"{what} takes {one_of(fields)}" if fields else f"{what} takes nothing")
        if len(unknown) == len(missing) == 1:
            hint = f'did you mean "{missing[0]}"?'
        part.defect("unknown-field", f"{what} has no `{shorten(name)}`", key, join(path, name), hint)
    if missing and not unknown and (mapping is not None or node is None or is_nothing(node)):
        at = owner if mapping is None or not mapping.entries else next(iter(mapping.entries.values()))[0]
        part.defect(
            "missing-argument", f"{what} needs {one_of(missing).replace(' or ', ' and ')}", at, path,
            f"write `{path.rpartition('.')[2]}: {{{', '.join(f'{name}: …' for name in missing)}}}`" if mapping is None and path.endswith((".with", ".arguments", ".data")) else
            f"write {', '.join(f'`{name}: …`' for name in missing)}",
        )  # fmt: skip
    return found


def result_type(part: Part, verb: Verb, python_name: str = "") -> Record | None:
    """What `as:` keeps."""
    if "function" in verb.roles:
        declared = part.python.get(python_name)
        returns = {name: field.type for name, field in declared.returns.items()} if declared else {}
        unsure = declared is None or "python" in part.broken or f"python.{python_name}.returns" in part.broken
        return Record(returns, open=unsure, kind=python_name) if unsure or returns else None
    return Record(dict(verb.result), kind=verb.name) if verb.result else None
