"""What a file declares before its states: variables, payloads, tools, what Python supplies, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import OUTCOMES
from callflow.core.expressions import ANY, BOOLEAN, DURATION, TYPE_NAMES, ListOf, Type, coerce, type_named
from callflow.core.flow import Field, Limits, PythonAction, Quiet, Variable
from callflow.flowfile import keys
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, kind, quoted, shorten
from callflow.flowfile.report import Report, is_name, is_nothing, join, one_of, plain_data, truth_meant

_TYPE_HINTS = {
    "str": "string", "text": "string", "int": "integer", "float": "number", "double": "number", "bool": "boolean",
    "tel": "phone", "time": "duration", "seconds": "duration", "list": "list of string", "array": "list of string",
}  # fmt: skip


def is_event_name(text: str) -> bool:
    """Whether an event of an author's own can be called so: `app.approved`, `app.crm.found`."""
    first, *others = text.split(".")
    return first == "app" and bool(others) and all(word and is_name("_" + word, dashes=True) for word in others)


def variables(report: Report, node: Node | None) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    mapping = report.named(node, "vars", "`vars`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        path = f"vars.{name}"
        if name.startswith("x-") or not report.check_name(key, path, "a variable"):
            continue
        found[name] = _variable(report, name, key, value, path)
    return found


def _variable(report: Report, name: str, key: Scalar, node: Node, path: str) -> Variable:
    meant = _default_for_type(node)
    if meant:
        report.wrong_kind(node, path, f"the variable `{name}` takes its type", f"write {{{meant}}}")
        return Variable(name, ANY, required=True)
    if isinstance(node, Scalar) and isinstance(node.value, str):  # `name: string`
        return Variable(name, type_of(report, node, path), required=True)
    mapping = report.mapping(node, path, f"the variable `{name}`")
    if mapping is None:
        if is_nothing(node):
            report.defect(
                "missing-key", f"the variable `{name}` needs a type", key, path, f"write `{name}: {{type: string}}`"
            )
        return Variable(name, ANY, required=True)
    report.unknown_keys(mapping, path, keys.VARIABLE, keys.VARIABLE, "a variable")
    declared = required_type(report, mapping, key, path, f"the variable `{name}`")
    default, given = None, mapping.get("default")
    if given is not None:
        default = literal(report, declared, given, join(path, "default"), f"the default of `{name}`")
    return Variable(
        name,
        declared,
        default,
        given is None,
        report.boolean(mapping.get("pii"), join(path, "pii"), "`pii`") or False,
        report.text(mapping.get("description"), join(path, "description"), "`description`") or "",
    )


def _default_for_type(node: Node) -> str:
    """What is meant where a default stands in the place of a type: `type: integer, default: 0`; nothing where it does not."""
    if not isinstance(node, Scalar) or node.value is None or (node.plain and isinstance(node.value, str)):
        return ""
    named = {bool: "boolean", int: "integer", float: "number"}.get(type(node.value), "string")
    if named == "string" and type_of_word(node.text):
        return ""
    return f"type: {named}, default: {quoted(node.text) if named == 'string' else node.text}"


def type_of_word(text: str) -> bool:
    """Whether a text is the name of a type, or meant to be one."""
    word = text.removeprefix("list of ").strip()
    return type_named(word) is not None or word.lower() in _TYPE_HINTS


def required_type(report: Report, mapping: MappingNode, key: Scalar, path: str, what: str) -> Type:
    node = mapping.get("type")
    if node is None:
        report.defect("missing-key", f"{what} needs a `type`", key, path, f"one of {one_of(TYPE_NAMES)}")
        return ANY
    return type_of(report, node, join(path, "type"))


def type_of(report: Report, node: Node, path: str) -> Type:
    """The type that a node names; any, and a defect, where there is no such type."""
    written = report.text(node, path, "`type`")
    if written is None:
        return ANY
    word = written.removeprefix("list of ").strip()
    found = type_named(word) or (type_named(word.removesuffix("s")) if written != word else None)
    if found is None:
        meant = _TYPE_HINTS.get(word.lower())
        hint = (
            f"did you mean `{'' if written == word or meant.startswith('list') else 'list of '}{meant}`?"
            if meant
            else report.meant(word, TYPE_NAMES) or f"one of {one_of(TYPE_NAMES)}, or `list of string`"
        )
        report.defect("unknown-type", f"there is no type `{shorten(written)}`", node, path, hint)
        return ANY
    return ListOf(found) if written.startswith("list of ") else found


def literal(report: Report, expected: Type, node: Node, path: str, what: str) -> Any:
    """The value of a node that holds no template, checked against a type. None where it does not fit."""
    value = plain_data(node)
    if value is None:
        report.wrong_kind(node, path, f"{what} takes {expected.phrase}")
        return None
    try:
        return coerce(expected, value)
    except ValueError as error:
        misfit(report, expected, node, path, what, str(error))
        return None


def misfit(report: Report, expected: Type, node: Node, path: str, what: str, reason: str) -> None:
    """A defect for a value that is not of the type."""
    value = node.value if isinstance(node, Scalar) else None
    if expected == DURATION and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        report.bad_duration(node, path, what, reason.removeprefix("takes a duration; "))
        return
    textual = expected.name in ("text", "phone")
    if textual and isinstance(value, (int, float)) and not isinstance(value, bool):
        report.no_text(node, path, what)
        return
    said = reason if reason.startswith(("takes", "has", "item")) else f"takes {expected.phrase}, not {kind(node)}"
    message, _, hint = said.partition(": ")
    if expected == BOOLEAN:
        hint = hint or truth_meant(node)
    report.defect(
        "bad-value" if textual and isinstance(value, str) else "wrong-type", f"{what} {message}", node, path, hint
    )


def fields(report: Report, node: Node | None, path: str, what: str) -> dict[str, Field]:
    """Named fields: of a payload, of parameters, of what is returned. Each a type, or `{type, description, …}`."""
    found: dict[str, Field] = {}
    word = node.text if isinstance(node, Scalar) and isinstance(node.value, str) and is_name(node.text) else ""
    hint = f"write {{value: {word}}}" if word and type_named(word) else f"write {{{word}: string}}" if word else ""
    mapping = report.named(_fields_of_a_schema(report, node, path, what), path, what, hint)
    for name, (key, value) in mapping.entries.items() if mapping else ():
        inner = join(path, name)
        if name.startswith("x-") or not report.check_name(key, inner, "a field"):
            continue
        found[name] = _field(report, name, key, value, inner)
    return found


def _fields_of_a_schema(report: Report, node: Node | None, path: str, what: str) -> Node | None:
    """What stands under `properties` where somebody wrote a JSON Schema, which is a defect; else the node itself."""
    inner = node.get("properties") if isinstance(node, MappingNode) else None
    kind_of = node.get("type") if isinstance(node, MappingNode) else None
    if not isinstance(inner, MappingNode) or not isinstance(kind_of, Scalar) or kind_of.text != "object":
        return node
    names = ", ".join(f"{name}: …" for name in inner.entries)
    hint = f"write what stands under `properties`: `{path.rpartition('.')[2]}: {{{names}}}`"
    report.defect("wrong-kind", f"{what} takes the fields themselves, not a JSON Schema", kind_of, path, hint)
    return inner


def _field(report: Report, name: str, key: Scalar, node: Node, path: str) -> Field:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return Field(name, type_of(report, node, path))
    mapping = report.mapping(node, path, f"the field `{name}`")
    if mapping is None:
        if is_nothing(node):
            report.defect("missing-key", f"the field `{name}` needs a type", key, path, f"write `{name}: string`")
        return Field(name, ANY)
    report.unknown_keys(mapping, path, keys.FIELD, keys.FIELD, "a field")
    declared = required_type(report, mapping, key, path, f"the field `{name}`")
    words = tuple(
        literal(report, declared, item, f"{path}.enum[{number}]", f"`enum` of `{name}`")
        for number, item in enumerate(report.items(mapping.get("enum"), join(path, "enum"), "`enum`"))
    )
    if "enum" in mapping.entries and not words:
        report.defect("bad-value", f"`enum` of `{name}` allows nothing", mapping.entries["enum"][0], join(path, "enum"),
                      "name its words: `enum: [morning, afternoon]`, or take it out")  # fmt: skip
    required = report.boolean(mapping.get("required"), join(path, "required"), "`required`")
    return Field(
        name,
        declared,
        True if required is None else required,
        report.boolean(mapping.get("pii"), join(path, "pii"), "`pii`") or False,
        report.text(mapping.get("description"), join(path, "description"), "`description`") or "",
        words,
    )


def environment(report: Report, node: Node | None) -> dict[str, Node]:
    found = dict(report.words(node, "env", "`env`"))
    for name, item in list(found.items()):
        if not (is_name(name) and name == name.upper()):
            hint = "name the variable alone: capital letters, digits and `_`"
            report.defect("bad-name", f"`{shorten(name)}` is no name of an environment variable", item, "env", hint)
            del found[name]
    return found


def outcomes(report: Report, node: Node | None) -> dict[str, Node]:
    found = dict(report.words(node, "outcomes", "`outcomes`"))
    for name, item in found.items():
        if name in OUTCOMES:
            report.defect("duplicate-item", f"every flow has the outcome `{name}`", item, "outcomes", "take it out")
        elif not is_name(name):
            hint = "a name has letters, digits and `_`, and does not begin with a digit"
            report.defect("bad-name", f"`{shorten(name)}` is no name for an outcome", item, "outcomes", hint)
    return found


def events(report: Report, node: Node | None) -> dict[str, Mapping[str, Field]]:
    found: dict[str, Mapping[str, Field]] = {}
    mapping = report.mapping(node, "events", "`events`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        path = f"events.{name}"
        if name.startswith("x-"):
            continue
        if not is_event_name(name):
            hint = (
                f"write `app.{name}`"
                if is_event_name(f"app.{name}")
                else "write `app.` and letters, digits, `_` or `-`"
            )
            report.defect("bad-name", f"an event of your own begins with `app.`: `{shorten(name)}`", key, path, hint)
            if not is_event_name(f"app.{name}"):
                continue
            name = f"app.{name}"
        found[name] = fields(report, value, path, f"the payload of `{name}`")
    return found


def python(report: Report, node: Node | None) -> dict[str, PythonAction]:
    found: dict[str, PythonAction] = {}
    mapping = report.named(node, "python", "`python`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        path = f"python.{name}"
        if name.startswith("x-") or not report.check_name(key, path, "a Python action"):
            continue
        inner = report.mapping(value, path, f"the Python action `{name}`") or EMPTY
        report.unknown_keys(inner, path, keys.PYTHON, keys.PYTHON, "a Python action")
        timeout = report.duration(inner.get("timeout"), f"{path}.timeout", "`timeout`", above=0.0)
        found[name] = PythonAction(
            name,
            fields(report, inner.get("parameters"), f"{path}.parameters", "`parameters`"),
            fields(report, inner.get("returns"), f"{path}.returns", "`returns`"),
            10.0 if timeout is None else timeout,
            report.position(key, path),
            report.text(inner.get("description"), f"{path}.description", "`description`") or "",
        )
    return found


def limits(report: Report, node: Node | None) -> Limits:
    hint = f"write {{call: {shorten(node.text)}}}" if isinstance(node, Scalar) and node.text else ""
    mapping = report.mapping(node, "limits", "`limits`", hint) or EMPTY
    report.unknown_keys(mapping, "limits", keys.LIMITS, keys.LIMITS, "`limits`")
    found: dict[str, Any] = {}
    for name in ("call", "silence", "answer", "reconnecting"):
        seconds = report.duration(mapping.get(name), f"limits.{name}", f"`{name}`", above=0.0)
        if seconds is not None:
            found[name] = seconds
    progress = report.integer(mapping.get("no_progress"), "limits.no_progress", "`no_progress`", least=1)
    if progress is not None:
        found["no_progress"] = progress
    return Limits(**found)


def state_limits(report: Report, node: Node | None, path: str) -> Quiet | None:
    """The limits of a state."""
    hint = f"write {{quiet: {shorten(node.text)}}}" if isinstance(node, Scalar) and node.text else ""
    mapping = report.mapping(node, path, "`limits`", hint) or EMPTY
    report.unknown_keys(mapping, path, keys.STATE_LIMITS, keys.STATE_LIMITS, "`limits` of a state")
    return quiet(report, mapping, path)


def quiet(report: Report, node: Node | None, path: str) -> Quiet | None:
    """What `limits`, at the top of a file or in a state, says of it."""
    given = node.get("quiet") if isinstance(node, MappingNode) else None
    place = f"{path}.quiet"
    seconds = report.duration(given, place, "`quiet`", above=0.0)
    return None if given is None or seconds is None else Quiet(seconds, report.position(given, place))


class _NoMark:
    line = column = index = 0


EMPTY = MappingNode({}, True, _NoMark(), _NoMark())
"""What a mapping that nobody wrote holds."""
