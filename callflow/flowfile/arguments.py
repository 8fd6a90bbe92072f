"""Arguments that mean something: legs, events, variables, functions, parts of a request, each by its role in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.events import SENDERS
from callflow.core.expressions import INTEGER, TEXT, Names, coerce
from callflow.core.forms import BRIDGES_OWN, HEADER, PRINTABLE
from callflow.core.verbs.verb import Argument, Role, Verb
from callflow.flowfile.declarations import is_event_name, misfit
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, shorten
from callflow.flowfile.part import Mention, Part
from callflow.flowfile.report import is_name, is_nothing, join, plain_data
from callflow.flowfile.values import any_value, template_value, typed_map

TELEPHONE_KEYS = "0123456789*#abcd"

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110


class Reading:
    """One action as its arguments are read. `nodes` are those that were written."""

    def __init__(self, part: Part, verb: Verb, path: str, names: Names, key: Scalar) -> None:
        self.part = part
        self.verb = verb
        self.path = path
        self.names = names
        self.key = key
        self.nodes: Mapping[str, tuple[Scalar, Node]] = {}
        self.bad = False
        self.unclear = False  # whether a key is not understood: it may stand for one that is missing

    def name_of(self, argument: Argument, node: Node, path: str, what: str) -> str | None:
        word = self.part.text(node, path, what)
        if word is None:
            return None
        if "{{" in word:
            self.part.defect("bad-name", f"{what} takes a name, which is known before the call", node, path)
            return None
        if argument.role == "called":
            self._new_leg(word, node, path)
        elif argument.role in ("leg", "listener"):
            self.part.loading.leg_mentions.append(Mention(word, self.part, node, path))
        return word

    def _new_leg(self, word: str, node: Node, path: str) -> None:
        if not is_name(word):
            self.part.defect("bad-name", f"`{shorten(word)}` is no name for a leg", node, path,
                             "a name has letters, digits and `_`, and does not begin with a digit")  # fmt: skip
        elif word in SENDERS:
            message = f"`{word}` is no name for a leg: under `senders` it means somebody else"
            self.part.defect("bad-name", message, node, path, "choose another name")
        elif word in self.part.loading.parties:
            message = f"the leg `{word}` comes by itself, as `legs` says: it is not called"
            self.part.defect("duplicate-name", message, node, path, "give the one that is called another name")

    def map_of(self, node: Node, path: str, what: str) -> dict[str, Any] | None:
        mapping = self.part.mapping(node, path, what)
        if mapping is None:
            return None
        return {
            name: any_value(self.part, value, join(path, name), self.names)
            for name, (_, value) in mapping.entries.items()
        }

    def _common(self, name: str) -> Node | None:
        entry = self.nodes.get(name)
        return None if entry is None else entry[1]

    def python_name(self) -> str:
        """The function of the program's that is called, as it is written."""
        node = self._common(self.verb.roles.get("function", ""))
        return node.text if isinstance(node, Scalar) else ""


Special = Callable[[Reading, Argument, Node, str, str], Any]


def _outcome(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> Any:
    value = template_value(builder.part, TEXT, node, path, what, builder.names)
    if isinstance(value, str):
        builder.part.outcome(value, node, path)
    return value


def _set_values(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any]:
    part = builder.part
    found: dict[str, Any] = {}
    mapping = part.mapping(node, path, "`set`")
    for name, (key, value) in mapping.entries.items() if mapping else ():
        variable = part.variables.get(name)
        if variable is None:
            hint = part.meant(name, part.variables) or f"declare it: `vars: {{{shorten(name)}: {{type: string}}}}`"
            part.defect("unknown-variable", f"there is no variable `{shorten(name)}`", key, join(path, name), hint)
        elif is_nothing(value):
            found[name] = None
        else:
            found[name] = template_value(part, variable.type, value, join(path, name), f"`{name}`", builder.names)
    return found


def _event(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> str | None:
    part = builder.part
    name = part.text(node, path, what)
    if name is None:
        return None
    if not is_event_name(name):
        plain = is_name(name)
        hint = (
            f"write `app.{name}`"
            if plain
            else "all others say what has happened, and only those to whom it happens say so"
        )
        part.defect(
            "bad-emit", f"a flow emits only events of its own, `app.…`, not `{shorten(name)}`", node, path, hint
        )
        return None
    declared = part.events.get(name)
    meant = part.meant(name, part.events) if declared is None else None
    if meant:
        part.defect("unknown-event", f"`{shorten(name)}` is not declared under `events:`", node, path, meant)
    part.loading.emitted.add(name)
    return name


def _event_data(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any]:
    event = builder.nodes.get(builder.verb.roles["event"])
    name = event[1].text if event and isinstance(event[1], Scalar) else ""
    fields = builder.part.events.get(name, {})
    return typed_map(builder.part, node, fields, path, f"the payload of `{shorten(name)}`", builder.names, builder.key)


def _python(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> str | None:
    part = builder.part
    name = part.text(node, path, what)
    if name is not None and name not in part.python:
        hint = (
            part.meant(name, part.python)
            or f"declare it: `python: {{{shorten(name)}: {{parameters: {{…}}, returns: {{…}}}}}}`"
        )
        part.defect("unknown-python", f"there is no Python action `{shorten(name)}`", node, path, hint)
    return name


def _python_arguments(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any] | None:
    declared = builder.part.python.get(builder.python_name())
    if declared is None or "python" in builder.part.broken:
        return builder.map_of(node, path, what)
    return typed_map(builder.part, node, declared.parameters, path, f"`{declared.name}`", builder.names, builder.key)


def _agent(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> str | None:
    name = builder.name_of(argument, node, path, what)
    if name is not None:
        builder.part.loading.agents.add(name)
    return name


_DETECT = ("timeout", "ivr_detection")


def _detect(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> Mapping[str, Any] | None:
    """`detect_machine: {timeout: 15s}`, or `true`: `timeout` in seconds, `ivr_detection`; None for no detection."""
    part = builder.part
    options: dict[str, Any] = {"timeout": verb_of("detect_machine").timeout, "ivr_detection": False}
    if isinstance(node, MappingNode):
        part.unknown_keys(node, path, _DETECT, _DETECT, what)
        if "timeout" in node.entries:
            options["timeout"] = part.duration(node.get("timeout"), join(path, "timeout"), "`timeout`", above=0.0)
        if "ivr_detection" in node.entries:
            options["ivr_detection"] = part.boolean(
                node.get("ivr_detection"), join(path, "ivr_detection"), "`ivr_detection`"
            )
        return options
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return options if node.value else None
    return options | {"timeout": part.duration(node, path, what, above=0.0)}


def _accept(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> Any:
    part = builder.part
    hint = ""
    if isinstance(node, Scalar) and node.text:
        hint = f"write {{tool: {node.text}}}" if node.text in part.tools else f'write {{key: "{shorten(node.text)}"}}'
    mapping = part.mapping(node, path, what, hint)
    if mapping is None:
        return None
    part.unknown_keys(mapping, path, ("key", "tool"), ("key", "tool"), what)
    given = {name: part.text(value, join(path, name), f"`{name}`") for name, (_, value) in mapping.entries.items()}
    key, tool = given.get("key"), given.get("tool")
    if key is not None and key not in tuple(TELEPHONE_KEYS):
        part.not_among(mapping.entries["key"][1], join(path, "key"), "`key`", key, TELEPHONE_KEYS)
    if tool is not None and tool not in part.tools:
        hint = part.meant(tool, part.tools) or "declare it under `tools:`, and offer it in this state"
        part.defect(
            "unknown-tool", f"there is no tool `{shorten(tool)}`", mapping.entries["tool"][1], join(path, "tool"), hint
        )
    return given


def _sip_headers(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any] | None:
    """Each a text, or something that can be written as one."""
    part = builder.part
    mapping = part.mapping(node, path, what)
    found: dict[str, Any] = {}
    for name, (key, value) in mapping.entries.items() if mapping else ():
        inner = join(path, name)
        if not HEADER.fits(name):
            part.defect("bad-name", f"`{shorten(name)}` is no header: write {HEADER.says}", key, inner)
        elif name.lower() in BRIDGES_OWN:
            message = f"the header `{name}` is the bridge's own, and LiveKit takes it from nobody"
            part.defect("bad-name", message, key, inner, "write one of your own, such as `X-Case`")
        elif not isinstance(value, Scalar) or value.value is None:
            part.wrong_kind(value, inner, f"the header `{name}` takes a text")
        else:
            found[name] = any_value(part, value, inner, builder.names)
            if isinstance(found[name], str) and not PRINTABLE.fits(found[name]):
                part.defect("bad-value", f"the header `{name}` takes {PRINTABLE.says}", value, inner)
    return found


def _statuses(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> Any:
    value = plain_data(node)
    try:
        found: list[int] = coerce(argument.type, value if isinstance(value, list) else [coerce(INTEGER, value)])
    except ValueError as error:
        misfit(builder.part, argument.type, node, path, what, str(error))
        return None
    wrong = next((status for status in found if not 100 <= status <= 599), None)
    if wrong is not None or not found:
        shown = "none" if wrong is None else str(wrong)
        builder.part.defect(
            "bad-value", f"{what} takes statuses of HTTP, 100 to 599, not {shown}", node, path, "write [200, 204]"
        )
    return found


def _address(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.text.strip():
        return builder.part.address(node, builder.names, path)
    return template_value(builder.part, TEXT, node, path, what, builder.names)


OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding"})
"""What says where a request goes and where it ends: the client's, not the flow's."""


def _headers(builder: Reading, argument: Argument, node: Node, path: str, what: str) -> dict[str, Any] | None:
    part = builder.part
    if isinstance(node, MappingNode):
        for name, (key, _) in node.entries.items():
            if name.lower() in OWN_HEADERS or _HEADER.fullmatch(name) is None:
                message = f"`{shorten(name)}` is no header that a flow writes"
                part.defect("bad-address", message, key, join(path, name), "take it out")
    return builder.map_of(node, path, what)


SPECIAL: Mapping[Role, Special] = {
    "outcome": _outcome,
    "variables": _set_values,
    "event": _event,
    "payload": _event_data,
    "function": _python,
    "given": _python_arguments,
    "agent": _agent,
    "detection": _detect,
    "decision": _accept,
    "sip_headers": _sip_headers,
    "address": _address,
    "http_headers": _headers,
    "statuses": _statuses,
}
"""How the arguments of these roles are read."""
