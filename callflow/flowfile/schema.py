"""The JSON Schema of flow files (draft 2020-12), generated from the catalogues: what an editor needs to help an author.

It says the shape; what only the whole flow can tell (targets, names in expressions, what ends a call) is `callflow
check`'s. Every text field also takes a text with `{{ }}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from callflow.core.actions import COMMON_ARGUMENTS, OUTCOMES, VERBS
from callflow.core.events import EVENTS
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, TYPE_NAMES, ListOf, Type
from callflow.core.expressions.types import LARGEST
from callflow.core.verbs.verb import Argument, Verb
from callflow.flowfile import keys, session
from callflow.flowfile.shapes import DURATION_PATTERN
from callflow.flowfile.shapes import described as _object
from callflow.flowfile.shapes import either as _either
from callflow.flowfile.shapes import listed as _list
from callflow.flowfile.shapes import mapped as _map
from callflow.flowfile.shapes import nothing_or as _nothing_or
from callflow.flowfile.shapes import text as _text

TEMPLATE = r"\{\{.*\}\}"

_ref = "#/$defs/"


def schema() -> dict[str, Any]:
    """The whole schema, as plain data in a fixed order."""
    top = {
        "callflow": {"const": keys.VERSION},
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "description": _text(),
        "vars": _map(_either(_types(), _object(keys.VARIABLE, _variable(), required=["type"]))),
        "env": _list({"type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$"}),
        "events": {**_map(_nothing_or(_fields())), "propertyNames": {"pattern": r"^(app\.|x-)"}},
        "senders": {
            **_map(_either({"type": "string"}, _list({"type": "string"}))),
            "propertyNames": {"pattern": r"^(app\.|x-)"},
        },
        "legs": _map(_object(keys.LEG, {"identity": _text()}, required=["identity"])),
        "outcomes": _list({"type": "string", "not": {"enum": list(OUTCOMES)}}),
        "session": _object(
            {**session.MODELS, **{name: what for name, (_, what) in session.OPTIONS.items()}}, _session()
        ),
        "agent": _object(keys.AGENT, {"instructions": _text()}),
        "tools": _map(_object(keys.TOOL, _tool())),
        "python": _map(_nothing_or(_object(keys.PYTHON, _python()))),
        "answer": {"enum": ["automatic", "manual"]},
        "reconnect_grace": {"$ref": _ref + "duration"},
        "limits": _object(keys.LIMITS, {name: _limit(name) for name in keys.LIMITS}),
        "accept": {"$ref": _ref + "accept"},
        "on_crash": {"enum": ["hang_up", "resume"]},
        "standard": {"type": "boolean"},
        "initial": _text(),
        "ending": _text(),
        **_rows(),
        "states": {"$ref": _ref + "states"},
        "wrap_up": {"$ref": _ref + "actions"},
        "use": _map({"type": "string"}),
    }
    described = _object(keys.TOP_LEVEL, top, required=["callflow", "name", "initial", "states"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "callflow flow file, version 1",
        **described,
        "$defs": {
            "duration": {"type": "string", "pattern": DURATION_PATTERN, "description": "850ms, 12s, 10m, 1h"},
            "template": {"type": "string", "pattern": TEMPLATE},
            "states": _map(_nothing_or({"$ref": _ref + "state"})),
            "state": _object(keys.STATE, _state()),
            "accept": _object(keys.ACCEPT, {code: {"type": "string", "minLength": 1} for code in keys.ACCEPT}),
            "transition": _object(keys.TRANSITION, _transition()),
            "row": _either(
                {"type": "string"},
                {"$ref": _ref + "transition"},
                _list(_either({"type": "string"}, {"$ref": _ref + "transition"})),
            ),
            "event": {
                "type": "string",
                "anyOf": [{"enum": list(_event_names())}, {"pattern": r"^(app|tool|leg)\.|[.-]\*$"}],
            },
            "actions": _list({"$ref": _ref + "action"}),
            "action": _action(),
            "field": _either(_types(), _object(keys.FIELD, _field(), required=["type"])),
            **{f"do-{verb.name}": _verb(verb) for verb in VERBS.values()},
        },
    }


# -- the parts -------------------------------------------------------------------------------------------------------


def _rows() -> dict[str, Any]:
    on = {
        "type": "object",
        "propertyNames": _either({"$ref": _ref + "event"}, {"pattern": "^x-"}),
        "additionalProperties": {"$ref": _ref + "row"},
    }
    timers = {
        "type": "object",
        "propertyNames": _either({"$ref": _ref + "duration"}, {"pattern": "^x-"}),
        "additionalProperties": {"$ref": _ref + "row"},
    }
    return {"on": on, "after": timers, "every": timers, "silence": timers}


def _state() -> dict[str, Any]:
    return {
        "description": _text(),
        "entry": {"$ref": _ref + "actions"},
        "exit": {"$ref": _ref + "actions"},
        **_rows(),
        "always": {"$ref": _ref + "row"},
        "ignore": _list({"$ref": _ref + "event"}),
        "tools": _list({"type": "string"}),
        "instructions": _text(),
        "must_finish": {"type": "boolean"},
        "waits": _text(),
        "limits": _object(keys.STATE_LIMITS, {name: _limit(name) for name in keys.STATE_LIMITS}),
        "accept": {"$ref": _ref + "accept"},
        "initial": _text(),
        "states": {"$ref": _ref + "states"},
        "parallel": {"type": "boolean"},
        "final": {"type": "boolean"},
        "history": {"enum": ["shallow", "deep"]},
        "flow": _text(),
        "with": {"type": "object"},
        "task": _either(
            {"type": "string"},
            _object(keys.TASK, {"name": _text(), "arguments": {"type": "object"}}, required=["name"]),
        ),
        "returns": {"type": "object"},
    }


def _transition() -> dict[str, Any]:
    return {
        "target": _text(),
        "when": {"type": ["string", "boolean"]},
        "do": {"$ref": _ref + "actions"},
        "reenter": {"type": "boolean"},
        "description": _text(),
    }


def _variable() -> dict[str, Any]:
    return {"type": _types(), "default": {}, "pii": {"type": "boolean"}, "description": _text()}


def _field() -> dict[str, Any]:
    return {
        "type": _types(),
        "description": _text(),
        "required": {"type": "boolean"},
        "pii": {"type": "boolean"},
        "enum": {"type": "array"},
    }


def _tool() -> dict[str, Any]:
    run = _either(
        *(
            {"type": "object", "properties": {verb: {"$ref": f"{_ref}do-{verb}"}}, "required": [verb]}
            for verb in (one.name for one in VERBS.values() if one.asks_outside)
        )
    )
    return {"description": _text(), "parameters": _fields(), "run": run, "result": _text(), "own": {"type": "boolean"}}


def _python() -> dict[str, Any]:
    return {
        "description": _text(),
        "parameters": _fields(),
        "returns": _fields(),
        "timeout": {"$ref": _ref + "duration"},
    }


def _session() -> dict[str, Any]:
    model = _either(
        {"type": "string"}, {"type": "object", "required": ["plugin"], "properties": {"plugin": {"type": "string"}}}
    )
    return {
        **dict.fromkeys(session.MODELS, model),
        **{name: _plain(kind) for name, (kind, _) in session.OPTIONS.items()},
    }


def _limit(name: str) -> dict[str, Any]:
    return (
        {"type": "integer", "minimum": 1, "maximum": LARGEST} if name == "no_progress" else {"$ref": _ref + "duration"}
    )


def _action() -> dict[str, Any]:
    alone = [verb.name for verb in VERBS.values() if not any(one.required for one in verb.arguments.values())]
    properties = {verb.name: {"$ref": f"{_ref}do-{verb.name}"} for verb in VERBS.values()}
    spelled = {
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return _either({"enum": alone}, spelled)


def _verb(verb: Verb) -> dict[str, Any]:
    arguments = {name: _argument(one) for name, one in verb.arguments.items()}
    common = {} if verb.at_once else _common(verb)
    whole = {
        "type": "object",
        "properties": {**arguments, **common},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    required = [name for name, one in verb.arguments.items() if one.required]
    if required:
        whole["required"] = required
    described = {"description": verb.description}
    if "variables" in verb.roles:
        return {**described, "type": "object"}
    choices = [whole, {"type": "null"}]
    if verb.main is not None:
        main = {name: value for name, value in arguments[verb.main].items() if name != "description"}
        choices.insert(0, main)
    return {**described, "anyOf": choices}


def _common(verb: Verb) -> dict[str, Any]:
    common: dict[str, Any] = {"timeout": {"$ref": _ref + "duration"}, "optional": {"type": "boolean"}}
    if verb.result or "function" in verb.roles:
        common["as"] = {"type": "string"}
    if verb.repeatable:
        times = {"type": "integer", "minimum": 0, "maximum": 20}
        common["retry"] = _object(keys.RETRY, {"times": times, "backoff": {"$ref": _ref + "duration"}})
    return {name: {**one, "description": COMMON_ARGUMENTS[name]} for name, one in common.items()}


def _argument(argument: Argument) -> dict[str, Any]:
    described: dict[str, Any] = {"description": argument.description} if argument.description else {}
    if argument.default not in (None, "") and argument.type is not DURATION:
        described["default"] = argument.default
    if argument.choices:
        return {**described, "enum": list(argument.choices)}
    if argument.kind in ("expression", "template-map"):
        return described
    if argument.kind in ("plain", "name"):
        return {**described, **_plain(argument.type)}
    return {**described, **_templated(argument.type)}


# -- small things ----------------------------------------------------------------------------------------------------


def _plain(kind: Type) -> dict[str, Any]:
    """A value without templates."""
    if kind is DURATION:
        return {"$ref": _ref + "duration"}
    if isinstance(kind, ListOf):
        return _list(_plain(kind.item))
    known = {BOOLEAN: "boolean", INTEGER: "integer", NUMBER: "number"}
    named = next((name for one, name in known.items() if kind is one), None)
    if named is not None:
        return {"type": named}
    return {"type": "string"} if kind.name in ("text", "phone") else {}


def _templated(kind: Type) -> dict[str, Any]:
    plain = _plain(kind)
    return plain if plain in ({}, {"type": "string"}) else _either(plain, {"$ref": _ref + "template"})


def _types() -> dict[str, Any]:
    return {"enum": [*TYPE_NAMES, *(f"list of {name}" for name in TYPE_NAMES)]}


def _fields() -> dict[str, Any]:
    return _map({"$ref": _ref + "field"})


def _event_names() -> Iterable[str]:
    return EVENTS
