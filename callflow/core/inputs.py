"""All that can happen next to a call: an input for each way in which it can, and for each representative of what it carries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from callflow.core.actions import Verb, verb_of
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.lasts import Status, lasts
from callflow.core.occurs import Facts
from callflow.core.possible import action_of, refused
from callflow.core.snapshot import Running, Snapshot
from callflow.core.values.representatives import representatives_of

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
    found = representatives_of(flow)
    for name in _names(flow, memory.legs):
        for data in found.payloads(name):
            event = Event(name, data, now)
            if refused(flow, snapshot, facts, event) is None:
                yield event


def _ends(flow: Flow, snapshot: Snapshot, facts: Facts, effect: Running, now: float) -> Iterator[EffectEnded]:
    verb, action = verb_of(effect.verb), action_of(flow, effect)
    for status in _ENDS:
        for result in _results(verb) if status == "ok" else [{}]:
            time = max(now, effect.started + lasts(effect, action, status, result).least)
            for data in _given(flow, effect, result) if status == "ok" else [{}]:
                end = EffectEnded(effect.id, status, data, None if status == "ok" else status, time)
                if time < math.inf and refused(flow, snapshot, facts, end) is None:
                    yield end


def _given(flow: Flow, effect: Running, result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What an effect may give that ends in this way."""
    event = verb_of(effect.verb).result_event(result)
    for data in representatives_of(flow).results(effect.source, effect.verb, event):
        yield {**data, "leg": effect.leg or MAIN_LEG, **result}


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
