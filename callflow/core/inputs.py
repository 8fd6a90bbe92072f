"""All that can happen next to a call: an input for each way in which it can, and for each representative of what it carries."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from callflow.core.actions import Verb, verb_of
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.lasts import Status, lasts
from callflow.core.occurs import Facts
from callflow.core.possible import action_of, latest, legs_of, told_by, unfit
from callflow.core.snapshot import Running, Snapshot
from callflow.core.values.representatives import representatives_of

CACHE_LIMIT = 4096  # how many may come by themselves has no end

_ENDS: tuple[Status, ...] = ("ok", "failed", "timed_out", "cancelled")


def inputs(flow: Flow, snapshot: Snapshot, facts: Facts, now: float) -> Iterator[Input]:
    """What can happen at `now`; of a timer when it is due, and of what runs, where that takes its time, as early as it can end so. The
    next timer first, then the ends of what runs, then the events."""
    memory, until = snapshot.memory, latest(flow, snapshot)
    for timer in memory.timers[:1]:
        fired = TimerFired(timer.generation, max(now, timer.due))
        if fired.time <= until and unfit(flow, snapshot, facts, fired) is None:
            yield fired
    for effect in memory.effects.values():
        for status, data, error, least in ends(flow, snapshot, facts, effect):
            time = max(now, effect.started + least)
            if time <= until:
                yield EffectEnded(effect.id, status, data, error, time)
    if now <= until:
        for name, data, *_ in events(flow, snapshot, facts):
            yield Event(name, data, now)


class Ending(NamedTuple):
    """How something may end, what it gives then or why it failed, and how many seconds it takes at least."""

    status: Status
    result: Mapping[str, Any]
    error: str | None
    least: float


def ends(flow: Flow, snapshot: Snapshot, facts: Facts, effect: Running) -> tuple[Ending, ...]:
    """How what runs can end, at one time or another; looked up where a call has stood so before."""
    known = _known(flow)
    which = told_by(snapshot, facts), effect.verb, effect.source, effect.leg, effect.stopping
    found: tuple[Ending, ...] | None = known.get(which)
    if found is None:
        found = known[which] = tuple(_ends(flow, snapshot, facts, effect))
    return found


def events(flow: Flow, snapshot: Snapshot, facts: Facts) -> tuple[Event, ...]:
    """What can come from outside, at whatever time; looked up where a call has stood so before."""
    known = _known(flow)
    which = told_by(snapshot, facts)
    found: tuple[Event, ...] | None = known.get(which)
    if found is None:
        found = known[which] = tuple(_events(flow, snapshot, facts))
    return found


def _known(flow: Flow) -> dict[Hashable, Any]:
    known: dict[Hashable, Any] = flow.made.setdefault("inputs", {})
    if len(known) > CACHE_LIMIT:
        known.clear()
    return known


def _events(flow: Flow, snapshot: Snapshot, facts: Facts) -> Iterator[Event]:
    payloads = representatives_of(flow).payloads
    come = [name for name, identity in flow.legs.items() if identity is not None]
    for name in _names(flow, dict.fromkeys([*legs_of(snapshot), *come])):
        for data in payloads(name):
            event = Event(name, data)
            if unfit(flow, snapshot, facts, event) is None:
                yield event


def _ends(flow: Flow, snapshot: Snapshot, facts: Facts, effect: Running) -> Iterator[Ending]:
    verb, action = verb_of(effect.verb), action_of(flow, effect)
    for status in _ENDS:
        for result in _results(verb) if status == "ok" else [{}]:
            least = lasts(effect, action, status, result).least
            if least == math.inf:
                continue
            for data, error in _given(flow, effect, result) if status == "ok" else _failing(flow, effect, status):
                end = EffectEnded(effect.id, status, data, error, effect.started + least)
                if unfit(flow, snapshot, facts, end) is None:
                    yield Ending(status, data, error, least)


def _failing(flow: Flow, effect: Running, status: Status) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The sentences that say why it has failed."""
    errors = representatives_of(flow).errors(effect.verb) if status == "failed" else ()
    yield from (({}, error) for error in errors or (status,))


def _given(flow: Flow, effect: Running, result: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], None]]:
    """What an effect may give that ends in this way."""
    event = verb_of(effect.verb).result_event(result)
    for data in representatives_of(flow).results(effect.source, effect.verb, event):
        yield {**data, "leg": effect.leg or MAIN_LEG, **result}, None


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
