"""All that can happen next to a call: an input for each way in which it can, with a payload that its types allow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from callflow.core.actions import Verb, verb_of
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, PHONE, ListOf, OneOf, Record, Type
from callflow.core.flow import Flow
from callflow.core.lasts import Status, lasts
from callflow.core.occurs import Facts
from callflow.core.possible import action_of, entry_of, refused
from callflow.core.snapshot import Running, Snapshot

_GIVEN: Mapping[Type, Any] = {INTEGER: 1, NUMBER: 1.0, BOOLEAN: True, DURATION: 1.0, PHONE: "+15550100100"}

_ENDS: tuple[Status, ...] = ("ok", "failed", "timed_out", "cancelled")


def inputs(flow: Flow, snapshot: Snapshot, facts: Facts, now: float) -> Iterator[Input]:
    """What can happen at `now`; of a timer when it is due, and of what runs, where that takes its time, as early as it can end so. The
    next timer first, then the ends of what runs, then the events."""
    memory = snapshot.memory
    for timer in memory.timers[:1]:
        fired = TimerFired(timer.generation, max(now, timer.due))
        if refused(flow, snapshot, facts, fired) is None:
            yield fired
    for effect in memory.effects.values():
        yield from _ends(flow, snapshot, facts, effect, now)
    for name in _names(flow, memory.legs):
        for data in _payloads(flow, name):
            event = Event(name, data, now)
            if refused(flow, snapshot, facts, event) is None:
                yield event


def _ends(flow: Flow, snapshot: Snapshot, facts: Facts, effect: Running, now: float) -> Iterator[EffectEnded]:
    verb, action = verb_of(effect.verb), action_of(flow, effect)
    for status in _ENDS:
        for result in _results(verb) if status == "ok" else [{}]:
            fields = EVENTS[verb.result_event(result)].fields if verb.results and result else verb.result
            data = {**payload(fields), "leg": effect.leg or MAIN_LEG, **result} if status == "ok" else {}
            least = lasts(effect, action, status, data).least
            end = EffectEnded(
                effect.id, status, data, None if status == "ok" else status, max(now, effect.started + least)
            )
            if end.time < math.inf and refused(flow, snapshot, facts, end) is None:
                yield end


def _results(verb: Verb) -> list[dict[str, Any]]:
    """A result for each way in which it ends by itself."""
    if verb.results:
        return [{"result": name.partition(".")[2]} for name in verb.results]
    return [dict([one.where]) for one in verb.ends if one.where is not None] or [{}]


def _names(flow: Flow, legs: Iterable[str]) -> Iterator[str]:
    """The events that can come from outside: the catalogue's, those of the legs, the flow's own, and its tools."""
    yield from (name for name in EVENTS if not name.startswith("dtmf.") or name.partition(".")[2] in DIGITS)
    for leg in legs:
        if leg != MAIN_LEG:
            yield from (f"leg.{leg}.{what}" for what in LEG_EVENTS)
    yield from flow.events
    yield from (f"tool.{name}" for name in flow.tools)


def _payloads(flow: Flow, name: str) -> Iterator[Mapping[str, Any]]:
    """A payload for each way in which it can happen, and for each of the few words that a state is told by."""
    entry = entry_of(name)
    if entry is None:
        tool = flow.tools.get(name[5:]) if name.startswith("tool.") else None
        fields = flow.events.get(name, {}) if tool is None else tool.parameters
        yield payload({field: one.type for field, one in fields.items()})
        return
    data = payload(entry.fields)
    if name.startswith("leg."):
        data["leg"] = name.split(".", 2)[1]
    elif "leg" in data:
        data["leg"] = MAIN_LEG
    state = entry.fields.get("new_state")
    words = [{"new_state": word} for word in state.words] if isinstance(state, OneOf) else []
    others = [{way.where[0]: way.where[1]} for way in entry.occurs if way.where is not None]
    for word in words or [{}, *others]:
        yield {**data, **word}


def payload(fields: Mapping[str, Type]) -> dict[str, Any]:
    """A value of its type for each field."""
    return {name: _value(kind) for name, kind in fields.items()}


def _value(kind: Type) -> Any:
    if isinstance(kind, OneOf):
        return kind.words[0]
    if isinstance(kind, ListOf):
        return [_value(kind.item)]
    if isinstance(kind, Record):
        return payload(kind.fields)
    return _GIVEN.get(kind, "")
