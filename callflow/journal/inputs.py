"""A journal's lines as inputs again, with values of the right type for digests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.autoforward import every_answer
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, NO_DATA, EffectEnded, Event, Input, TimerFired
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, PHONE, TEXT, ListOf, Type
from callflow.core.flow import Flow
from callflow.core.snapshot import Snapshot, Start
from callflow.core.statechart.descriptors import heard
from callflow.runtime.redact import MARK

DIGEST = re.compile(MARK + "[0-9a-f]{16}")


class Inputs:
    """The inputs of one call."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.started: dict[int, Start] = {}
        self.hidden: set[str] = set()  # names of fields and variables that were digests so far
        named = {name[name.find("dtmf.") :] for name in heard(flow.states) | every_answer(flow)}
        self.keys: list[str] = [digit for digit in DIGITS if f"dtmf.{digit}" not in named] or [DIGITS[0]]

    def read(self, line: Mapping[str, Any], before: Snapshot) -> Input:
        time = line["time"]
        if "timer" in line:
            return TimerFired(line["timer"], time)
        if "ended" in line:
            types = self.result_types(line)
            return EffectEnded(
                line["ended"], line["status"], self._data(line.get("result"), types), line.get("error"), time
            )
        name = DIGEST.sub(lambda _: self._key(line, before), line["event"])
        data = self._data(line.get("data"), self.types_of(name))
        offered_in = line.get("offered_in")
        where = None if offered_in is None else tuple(map(str, offered_in))
        return Event(name, data, time, line.get("effect"), line.get("state"), line.get("id"), where)

    def _key(self, line: Mapping[str, Any], before: Snapshot) -> str:
        """A key was hidden because the flow does not name it; any other such key takes the same way, but for one that ends an input."""
        needless = before.memory.needless
        if needless is None:
            return self.keys[0]
        end: str = needless.key.removeprefix("dtmf.")
        if any(note.get("kind") == "needless" for note in line.get("notes", ())):
            return end
        return next((key for key in self.keys if key != end), self.keys[0])

    def _data(self, data: Mapping[str, Any] | None, types: Mapping[str, Type]) -> Mapping[str, Any]:
        if not data:
            return NO_DATA
        hidden = [name for name, value in data.items() if hides(value)]
        if not hidden:
            return data
        self.hidden.update(hidden)
        return {name: stand_in(types[name], value) if name in types else value for name, value in data.items()}

    def hide(self, values: Mapping[str, Any]) -> None:
        """Takes note of the names whose values are digests."""
        self.hidden.update([name for name, value in values.items() if hides(value)])

    def types_of(self, name: str) -> Mapping[str, Type]:
        """The types of an event's fields."""
        entry = EVENTS.get(name) or (LEG_EVENTS.get(name.split(".", 2)[-1]) if name.startswith("leg.") else None)
        if entry is not None:
            return entry.fields
        tool = self.flow.tools.get(name[5:]) if name.startswith("tool.") else None
        fields = self.flow.events.get(name, {}) if tool is None else tool.parameters
        return {name: one.type for name, one in fields.items()}

    def result_types(self, line: Mapping[str, Any]) -> Mapping[str, Type]:
        """Those of what an effect gives that has been started."""
        effect = self.started.get(line["ended"])
        if effect is None:
            return {}
        verb = verb_of(effect.verb)
        if "function" in verb.roles:
            declared = self.flow.python.get(str(verb.given("function", effect.arguments)))
            return {} if declared is None else {name: one.type for name, one in declared.returns.items()}
        return {name: kind for event in verb.results for name, kind in EVENTS[event].fields.items()} | dict(verb.result)


def hides(value: Any) -> bool:
    """Whether a digest is in a value of a line."""
    if isinstance(value, str):
        return MARK in value
    return isinstance(value, (dict, list)) and bool(value) and MARK in str(value)


def stand_in(kind: Type, value: Any) -> Any:
    """A value of this type for a digest, the same one for the same digest; anything else as it is."""
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [stand_in(kind.item, item) for item in value]
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        return value
    number = int(value.removeprefix(MARK), 16)
    if kind == PHONE:
        return f"+999{number % 10**11:011d}"
    if kind == BOOLEAN:
        return False
    if kind in (INTEGER, NUMBER):
        return number % 10**12
    if kind == DURATION:
        return float(number % 3600)
    if kind == TEXT:
        return f"{number % 10**12:012d}"  # keys, say, of which the flow makes a number
    return value
