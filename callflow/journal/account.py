"""A line of a journal in words, by what stands in it alone: also where nobody has its flow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from callflow.flowfile.nodes import shorten
from callflow.scenario.expectations import time_shown

Line = Mapping[str, Any]

LONGEST = 200
"""Letters of a value that are shown."""

_UNTOLD = frozenset({"own", "guard_error", "ended", "stale"})


def happened(line: Line) -> str:
    """What a line's input is, in a few words."""
    if "event" in line:
        name, data = line["event"], line.get("data", {})
        said = data.get("transcript")
        return f'{name} "{shorten(str(said), LONGEST)}"' if said else f"{name}{_payload(data)}"
    if "ended" in line:
        how = line.get("error") or line.get("status", "ok")
        verb = line.get("verb") or "an effect"
        result = _payload(line.get("result", {}))
        return f"{verb} {line['ended']} ends: {shorten(str(how), LONGEST)}{result}"
    return "a timer comes due" if "timer" in line else "the call begins"


def came(line: Line) -> Iterator[str]:
    """What came of it, a phrase each: moves with the rows that were taken, what began and ended, what was noted."""
    for move in line.get("moves", ()):
        yield f"{_way(move)}{_at(move.get('rows', ()))}"
    for start in line.get("start", ()):
        yield f"begins {effect(start['verb'], start['arguments'])}{_at([start['at']] if 'at' in start else [])}"
    for name, what in (("cancel", "cancels effect"), ("forward", "hands it to effect")):
        yield from (f"{what} {one}" for one in line.get(name, ()))
    for note in line.get("notes", ()):
        if note["kind"] == "stale" and "timer" in note:
            yield "no timer is due"
        elif note["kind"] not in _UNTOLD:
            yield noted(note)
    if "phase" in line:
        yield f"the call is {line['phase']}"


def effect(verb: str, arguments: Mapping[str, Any]) -> str:
    """An action with what it is given, as far as something is."""
    said = arguments.get("text")
    if said is not None:
        return f'{verb} "{shorten(str(said), LONGEST)}"'
    given = {name: value for name, value in arguments.items() if value not in (None, False, [], {}, "")}
    return f"{verb}{_payload(given)}"


def noted(note: Line) -> str:
    """What a step noted."""
    kind = note["kind"]
    if kind == "outcome":
        return f"outcome {note.get('name')}"
    if kind == "set":
        scope = f"{note['scope']}." if note.get("scope") else ""
        return f"sets {scope}{note.get('name')} to {value(note.get('value'))}"
    if kind == "log":
        return f'logs "{shorten(str(note.get("message", "")), LONGEST)}"'
    if kind == "tool_returned":
        failed = note.get("error")
        return f"the tool returns {value(note.get('result'))}" if failed is None else f"the tool fails: {failed}"
    return f"{kind.replace('_', ' ')}{_payload({name: one for name, one in note.items() if name != 'kind'})}"


def value(one: Any) -> str:
    """As JSON, and not too long."""
    return shorten(json.dumps(one, ensure_ascii=False, default=str), LONGEST)


def sentence(line: Line, began: float) -> str:
    """A line as one of a story: its time in the call, what happened, what came of it, where the call is then."""
    words = [happened(line), *came(line)]
    states = [path for path in line["states"] if path]
    if states and any(move.get("entered") for move in line.get("moves", ())):
        words.append(f"in {', '.join(states)}")
    return f"{time_shown(line['time'] - began)}: {'; '.join(words)}"


def _way(move: Line) -> str:
    left, entered = move.get("exited", ()), move.get("entered", ())
    on = f"on {move['on']}" if move.get("on") else "then"
    ways = [f"leaves {', '.join(left)}" if left else "", f"enters {', '.join(entered)}" if entered else ""]
    return f"{on} {' and '.join(filter(None, ways)) or 'takes a row'}"


def _at(places: Any) -> str:
    return f" ({', '.join(places)})" if places else ""


def _payload(data: Mapping[str, Any]) -> str:
    said = ", ".join(
        f"{name}: {value(one) if not isinstance(one, str) else shorten(one, LONGEST)}" for name, one in data.items()
    )
    return f" ({said})" if said else ""
