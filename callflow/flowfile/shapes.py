"""Small pieces of a JSON Schema, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NAME = "^[A-Za-z_][A-Za-z0-9_-]*$"
DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"


def text() -> dict[str, Any]:
    return {"type": "string"}


def listed(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def mapped(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": dict(values)}


def either(*choices: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(choice) for choice in choices]}


def nothing_or(choice: Mapping[str, Any]) -> dict[str, Any]:
    return either(choice, {"type": "null"})


def described(
    keys: Mapping[str, str], properties: Mapping[str, Any], *, required: Iterable[str] = ()
) -> dict[str, Any]:
    """An object with these keys and no others, but for the author's own notes."""
    if set(keys) != set(properties):
        raise ValueError(f"keys and their schema differ: {set(keys) ^ set(properties)}")
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"description": keys[name], **properties[name]} for name in keys},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    if required:
        found["required"] = list(required)
    return found
