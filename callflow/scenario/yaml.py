"""Plain data as YAML that the reader takes back: texts in quotes wherever they could be taken for something else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from callflow.flowfile.yaml import core_value

_PLAIN = re.compile(r"[A-Za-z_./](?:[A-Za-z0-9_./-]| (?=[A-Za-z0-9]))*", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]| (?=[A-Za-z0-9]))*", re.ASCII)
_LONGEST_KEY = 500
"""YAML knows a key by the `:` in its first 1024 letters, escapes included."""

_TRUTH = frozenset({"on", "off", "yes", "no", "y", "n"})
"""Other readers of YAML take these for true or false."""


def written(value: Any) -> str:
    """A value on one line. Raises ValueError for what no scenario can hold."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written")
        return repr(value)
    if isinstance(value, str):
        return _text(value, _PLAIN)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(str(name))}: {written(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[" + ", ".join(map(written, value)) + "]"
    raise ValueError(f"a {type(value).__name__} cannot be written")


def key(name: str) -> str:
    """The same of a key."""
    if len(name) > _LONGEST_KEY:
        raise ValueError(f"a key of more than {_LONGEST_KEY} letters cannot be written")
    return _text(name, _KEY)


def _text(text: str, plain: re.Pattern[str]) -> str:
    if plain.fullmatch(text) and core_value(text) == text and text.lower() not in _TRUTH:
        return text
    return "".join(_escaped(letter) for letter in json.dumps(text, ensure_ascii=False))


def _escaped(letter: str) -> str:
    """What YAML's readers refuse, or take for the end of a line, as JSON and YAML both write it."""
    if letter.isprintable() or letter == " ":
        return letter
    if "\ud800" <= letter <= "\udfff":
        raise ValueError("half of a letter (a lone surrogate) cannot be written")
    return json.dumps(letter)[1:-1] if letter <= "\uffff" else f"\\U{ord(letter):08x}"
