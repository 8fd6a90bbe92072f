"""The JSON Schema of scenario files (draft 2020-12), generated from the catalogues: what an editor needs to help an author.

It says the shape; what only the flow can tell (its states, tools, variables, events) is `callflow test`'s.
"""

from __future__ import annotations

from typing import Any

from callflow.core.actions import EVERY_VERB, VERBS
from callflow.core.events import EVENTS
from callflow.core.verbs.verb import Verb
from callflow.flowfile.shapes import DURATION_PATTERN, described, either, listed, nothing_or, text
from callflow.scenario import keys
from callflow.scenario.endings import STATUSES, words_of

_ref = "#/$defs/"

TIME = DURATION_PATTERN.removesuffix("$").removeprefix("^")


def schema() -> dict[str, Any]:
    """The whole schema, as plain data in a fixed order."""
    top = {
        "callflow": {"const": keys.VERSION},
        "flow": text(),
        "description": text(),
        **_shared(),
        "parts": {"type": "object", "additionalProperties": either(text(), listed({"$ref": _ref + "step"}))},
        "scenarios": {"type": "object", "additionalProperties": {"$ref": _ref + "scenario"}, "minProperties": 1},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "callflow scenario file, version 1",
        **described(keys.FILE, top, required=["callflow", "flow", "scenarios"]),
        "$defs": {
            "duration": {"type": "string", "pattern": DURATION_PATTERN, "description": "850ms, 12s, 10m, 1h"},
            "scenario": described(keys.SCENARIO, _scenario()),
            "step": either(text(), {"$ref": _ref + "spelled"}),
            "spelled": _spelled(),
            "conditions": described(keys.CONDITIONS, _conditions()),
            "waited": _waited(),
            "text": either(text(), described(keys.TEXT, dict.fromkeys(keys.TEXT, text()))),
            "effect": _effect(),
            **{f"end-{verb.name}": _end(verb) for verb in EVERY_VERB.values() if not verb.at_once},
        },
    }


def _shared() -> dict[str, Any]:
    verbs = [verb.name for verb in EVERY_VERB.values() if not (verb.at_once or verb.last)]
    ends = {name: either({"$ref": f"{_ref}end-{name}"}, listed({"$ref": f"{_ref}end-{name}"})) for name in verbs}
    named = {f"^{name}\\.": ends[name] for name in verbs}
    return {
        "at": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}"},
        "vars": {"type": "object"},
        "env": {"type": "object", "additionalProperties": text()},
        "call": {"type": "object"},
        "effects": {
            "type": "object",
            "properties": ends,
            "patternProperties": {"^x-": {}, **named},
            "additionalProperties": False,
        },
        "models": described(keys.MODELS, dict.fromkeys(keys.MODELS, _model())),
        "with": {"type": "object"},
    }


def _model() -> dict[str, Any]:
    return either(text(), {"type": "object", "properties": {"plugin": text()}, "required": ["plugin"]})


def _scenario() -> dict[str, Any]:
    return {
        "description": text(),
        **_shared(),
        "waiting": {"type": "boolean"},
        "exactly": {"type": "boolean"},
        "cases": {"type": "object", "additionalProperties": {"$ref": _ref + "scenario"}},
        "persona": either(
            text(),
            described(keys.PERSONA, {"who": text(), "turns": {"type": "integer", "minimum": 1}}, required=["who"]),
        ),
        "judge": listed(text()),
        "runs": {"type": "integer", "minimum": 1},
        "passes": {"type": "string", "pattern": r"^(100|[1-9]?[0-9])%$"},
        "steps": listed({"$ref": _ref + "step"}),
        "expect": {"$ref": _ref + "conditions"},
        "never": {"$ref": _ref + "conditions"},
    }


def _spelled() -> dict[str, Any]:
    call = either(text(), {"type": "object"})
    steps = {
        "tool": either(call, listed(call)),
        "caller": text(),
        "model": text(),
        "press": either(text(), described(keys.PRESS, dict.fromkeys(keys.PRESS, text()), required=["keys"])),
        "timer": nothing_or(text()),
        "wait": {"$ref": _ref + "duration"},
        "part": text(),
        "expect": {"$ref": _ref + "waited"},
        "never": {"$ref": _ref + "waited"},
    }
    beside = {
        "within": {"$ref": _ref + "duration"},
        "effect": {"type": "integer"},
        "leg": text(),
        "offered_in": listed(text()),
        "id": text(),
        "state": text(),
        "with": {"type": "object"},
    }
    at_a_time = either({"$ref": _ref + "step"}, listed({"$ref": _ref + "step"}))
    events = {name: {**_described(one.description), "type": ["object", "null"]} for name, one in EVENTS.items()}
    results = {name: {"$ref": f"{_ref}end-{verb.name}"} for verb in EVERY_VERB.values() for name in verb.results}
    ends = {verb.name: {"$ref": f"{_ref}end-{verb.name}"} for verb in EVERY_VERB.values() if not verb.at_once}
    return {
        "type": "object",
        "properties": {
            **{name: {"description": keys.STEPS[name], **one} for name, one in steps.items()},
            **{name: {"description": keys.MODIFIERS[name], **one} for name, one in beside.items()},
            "now": {"description": "At the moment at which the step before it was.", **at_a_time},
            **ends,
            **events,
            **results,
        },
        "patternProperties": {r"^(tool|app|leg)\.": {"type": ["object", "null"]}, f"^{TIME}$": at_a_time, "^x-": {}},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _end(verb: Verb) -> dict[str, Any]:
    words = [*words_of(verb), *STATUSES, "never"]
    spelled = {
        "type": "object",
        "properties": {
            "ends": {"description": keys.ENDING["ends"], "enum": [*STATUSES, "never"]},
            "error": {"description": keys.ENDING["error"], "type": "string"},
            "after": {"description": keys.ENDING["after"], "$ref": _ref + "duration"},
            **({"hangs_up": {"description": keys.ENDING["hangs_up"], "$ref": _ref + "duration"}} if verb.calls else {}),
            "result": {"description": keys.ENDING["result"], **either({"enum": words_of(verb)}, {"type": "object"})},
        },
    }
    word = text() if verb.speech else {"enum": words}
    return {**_described(verb.description), **either(word, spelled, {"type": "null"})}


def _conditions() -> dict[str, Any]:
    return {
        "state": either(text(), listed(text())),
        "states": listed(text()),
        "heard": either({"$ref": _ref + "text"}, listed({"$ref": _ref + "text"})),
        "effects": listed(either({"const": "..."}, {"$ref": _ref + "effect"})),
        "effect": {"$ref": _ref + "effect"},
        "vars": {"type": "object"},
        "tools": listed(text()),
        "log": {"$ref": _ref + "text"},
        "outcome": text(),
        "ended": either({"type": "boolean"}, described(keys.ENDED, dict.fromkeys(keys.ENDED, text()))),
        "at": either(
            {"$ref": _ref + "duration"}, {**listed({"$ref": _ref + "duration"}), "minItems": 2, "maxItems": 2}
        ),
    }


def _waited() -> dict[str, Any]:
    known = {**keys.CONDITIONS, "within": keys.MODIFIERS["within"]}
    return described(known, {**_conditions(), "within": {"$ref": _ref + "duration"}})


def _effect() -> dict[str, Any]:
    names = [verb.name for verb in VERBS.values() if not verb.at_once]
    return either(
        {"enum": names},
        {
            "type": "object",
            "properties": {key: {} for key in names},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    )


def _described(said: str) -> dict[str, Any]:
    return {"description": said} if said else {}
