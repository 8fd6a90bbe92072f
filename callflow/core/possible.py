"""What can happen to a call: which inputs, from where a snapshot stands, and what is so afterwards.

The catalogues say it of each event (`callflow.core.occurs`) and of each verb; here it is asked of one call. What the program
supplies (its own events, the agents' own tools, functions and tasks) can happen at any time: that is an assumption.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import lru_cache

from callflow.core.actions import verb_of
from callflow.core.configuration import offered_in
from callflow.core.effect_kinds import action_of, kind_of
from callflow.core.events import EVENTS, LEG_EVENTS, MAIN_LEG, SENDERS, EffectEnded, Event, EventType, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.occurs import Called, Facts, Leaving, LegIs, Music, Occurs
from callflow.core.snapshot import Running, Snapshot
from callflow.core.table import table_of

__all__ = [
    "action_of",
    "afterwards",
    "calls_again",
    "entry_of",
    "heard_again",
    "hears_nobody",
    "latest",
    "leg_is",
    "leg_of",
    "legs_of",
    "refused",
    "told_by",
    "unfit",
]

_TELLS = 0.05
"""Seconds by which a timer may be told early: the loop's clock and that of the day are not the same."""


def refused(flow: Flow, snapshot: Snapshot, facts: Facts, event: Input) -> str | None:
    """Why this cannot happen now, in a sentence; None where it can."""
    overdue = event.time > latest(flow, snapshot)
    return _overdue(flow, snapshot, event.time) if overdue else unfit(flow, snapshot, facts, event)


def unfit(flow: Flow, snapshot: Snapshot, facts: Facts, event: Input) -> str | None:
    """The same, whatever else may have to end before."""
    if isinstance(event, TimerFired):
        return _no_timer(snapshot, event)
    if isinstance(event, EffectEnded):
        return _no_end(flow, snapshot, facts, event)
    if event.name.startswith("tool."):
        return _no_call(flow, facts, event, snapshot)
    entry = entry_of(event.name)
    if entry is None:  # the program's own
        return _no_message(flow, snapshot, event.name)
    why: str | None = None
    for way in entry.occurs:
        why = _no_event(snapshot, facts, event, way)
        if why is None:
            return None
    return why


def told_by(snapshot: Snapshot, facts: Facts) -> Hashable:
    """All of a call that `refused` looks at, but for its timers, what runs, and the time: in two calls of one flow that are equal in this
    the same events can happen, and what runs alike can end alike."""
    memory = snapshot.memory
    legs = [
        (name, leg_is(snapshot, name), name in memory.legs and memory.legs[name].status) for name in legs_of(snapshot)
    ]
    return facts, snapshot.configuration, "speech" in memory.closed, tuple(legs), leg_is(snapshot, MAIN_LEG)


def legs_of(snapshot: Snapshot) -> list[str]:
    """The legs of which a call may hear: those of which it has, and those that are being called."""
    memory = snapshot.memory
    called = [str(one.leg) for one in memory.effects.values() if one.leg is not None and verb_of(one.verb).calls]
    return [*dict.fromkeys((*memory.legs, *called))]


def afterwards(flow: Flow, before: Snapshot, facts: Facts, event: Input) -> Facts:
    """What is so after an input."""
    facts = heard_again(before, facts)
    if isinstance(event, EffectEnded):
        effect = before.memory.effects.get(event.id)
        return facts if effect is None else kind_of(flow, effect).afterwards(facts, event.status, event.result)
    if isinstance(event, TimerFired):
        return facts
    if event.name.startswith("tool."):
        return facts | {Called(event.name[5:])} if hears_nobody(before) else facts
    entry = entry_of(event.name)
    ways = () if entry is None else entry.occurs
    way = next((one for one in ways if _no_event(before, facts, event, one) is None), None)
    if event.name.endswith(".hangup"):
        facts = facts - {Music(leg_of(event)), Leaving(leg_of(event))}
    if event.name == "session.close" and "session" in before.memory.closing:
        facts = facts - {"session"}  # nobody tells that the flow begins to close it
    return facts if way is None or not (way.takes or way.adds) else facts - way.takes | way.adds


def hears_nobody(snapshot: Snapshot) -> bool:
    """Whether the model hears nobody, since the far end is on hold, and nobody else is there."""
    legs = snapshot.memory.legs
    held = MAIN_LEG in legs and legs[MAIN_LEG].status == "hold"
    return held and not any(leg.status == "on_line" for leg in legs.values())


def heard_again(snapshot: Snapshot, facts: Facts) -> Facts:
    """Without what has been so since the model heard nobody, once it does."""
    called = _calls(facts)
    return facts - called if called and not hears_nobody(snapshot) else facts


@lru_cache(maxsize=4096)
def _calls(facts: Facts) -> Facts:
    return frozenset([fact for fact in facts if isinstance(fact, Called)])


def calls_again(snapshot: Snapshot, facts: Facts, name: str) -> bool:
    """Whether the model would have to call a tool once more (`tool.human`) while it hears nobody, and nobody has asked it to speak."""
    if Called(name[5:]) not in facts or not hears_nobody(snapshot):
        return False
    return not any(verb_of(one.verb).talks and not one.stopping for one in snapshot.memory.effects.values())


def entry_of(name: str) -> EventType | None:
    """The catalogue's entry of an event, also of a leg's own (`leg.human.hangup`); None where the program sends it."""
    if name.startswith("leg."):
        return LEG_EVENTS.get(name.split(".", 2)[-1])
    return EVENTS.get(name)


def leg_of(event: Event) -> str:
    """The leg that an event tells of."""
    return event.name.split(".", 2)[1] if event.name.startswith("leg.") else MAIN_LEG


def leg_is(snapshot: Snapshot, name: str) -> LegIs:
    """How a leg stands: as the flow was told, or being called."""
    known = snapshot.memory.legs.get(name)
    status: LegIs = "absent" if known is None else known.status
    called = False
    for one in snapshot.memory.effects.values():
        if verb_of(one.verb).calls and (one.leg or MAIN_LEG) == name:
            called = True
    if status == "dialing" and not called:  # what a dial that has failed leaves behind
        return "absent"
    return "dialing" if called and status in ("absent", "gone") else status


def _no_message(flow: Flow, snapshot: Snapshot, name: str) -> str | None:
    """Why an event of the author's own cannot come: those who may send it have to be there."""
    if name not in flow.events:
        return f"{name} is no event of this flow"
    senders, legs = flow.may_send(name), snapshot.memory.legs
    if senders & {*SENDERS} or any(leg in legs and legs[leg].status in ("on_line", "hold") for leg in senders):
        return None
    return f"{name} comes from {' or '.join(sorted(senders))} alone, who is not on the line"


def _no_event(snapshot: Snapshot, facts: Facts, event: Event, way: Occurs) -> str | None:
    if way.raised or way.as_result:
        return f"{event.name} does not come from outside"
    if way.where is not None and event.data.get(way.where[0]) != way.where[1]:
        return f"{event.name} comes only with the {way.where[0]} {way.where[1]}"
    leg = leg_of(event)
    stands = None if way.legs is None else leg_is(snapshot, leg)
    return None if _fits(way, facts, stands) else _missing(way, facts, event.name, leg, stands)


def _fits(way: Occurs, facts: Facts, stands: LegIs | None) -> bool:
    return way.needs <= facts and way.lacks.isdisjoint(facts) and (way.legs is None or stands in way.legs)


def _missing(way: Occurs, facts: Facts, what: str, leg: str, stands: LegIs | None) -> str:
    """What it does not fit."""
    if way.needs - facts:
        return f"{what} comes only with {' and '.join(sorted(way.needs - facts))}"
    if way.lacks & facts:
        return f"{what} comes only without {' and '.join(sorted(way.lacks & facts))}"
    return f"{leg} is {stands}, and {what} comes only where it is {' or '.join(sorted(way.legs or ()))}"


def latest(flow: Flow, snapshot: Snapshot) -> float:
    """The time by which something has to end that runs; infinite where nothing has to."""
    until = math.inf
    for effect in snapshot.memory.effects.values():
        if not effect.stopping:
            until = min(until, effect.started + kind_of(flow, effect).within.most)
    return until + _TELLS


def _overdue(flow: Flow, snapshot: Snapshot, time: float) -> str | None:
    for effect in snapshot.memory.effects.values():
        until = math.inf if effect.stopping else effect.started + kind_of(flow, effect).within.most
        if time > until + _TELLS:
            return f"{effect.verb} {effect.id} is out of time at {until:g}, at the latest"
    return None


def _no_timer(snapshot: Snapshot, fired: TimerFired) -> str | None:
    timer = next((one for one in snapshot.memory.timers if one.generation == fired.generation), None)
    if timer is None:
        return f"there is no timer {fired.generation}"
    if timer != snapshot.memory.timers[0]:
        return f"timer {fired.generation} is not the next one"
    return None if fired.time >= timer.due - _TELLS else f"timer {fired.generation} is due at {timer.due:g}"


def _no_end(flow: Flow, snapshot: Snapshot, facts: Facts, end: EffectEnded) -> str | None:
    effect = snapshot.memory.effects.get(end.id)
    if effect is None:
        return f"there is no effect {end.id}"
    kind, ok = kind_of(flow, effect), end.status == "ok"
    verb = kind.verb
    if end.status == "cancelled" and not effect.stopping:
        return f"nobody has cancelled {effect.verb} {end.id}"
    if ok and verb.results and verb.result_event(end.result) not in verb.results:
        return f"{verb.result_event(end.result)} is no result of {effect.verb}"
    if effect.stopping:
        return None
    if not ok and verb.last:
        return f"{effect.verb} is done at once"
    event = "" if ok else verb.error_result(end.status == "timed_out") or ""
    if ok or event:
        way = verb.end(end.result if ok else {"result": event.partition(".")[2]}).occurs
        known = snapshot.memory.legs.get(kind.leg)
        stands: LegIs = "absent" if known is None else known.status
        if not _fits(way, facts, stands):
            told = verb.result_event(end.result) if ok else event
            return _missing(way, facts, told or f"the end of {effect.verb} {end.id}", kind.leg, stands)
    return _no_time(effect, kind.lasts(effect, end.status, end.result).least, end)


def _no_time(effect: Running, least: float, end: EffectEnded) -> str | None:
    """Why it cannot end yet. How late it may, only its time limit says: whoever it is for may be away, and somebody else speak."""
    seconds = end.time - effect.started
    if seconds >= least - _TELLS:
        return None
    yet = "out of time" if end.status == "timed_out" else "through"
    return f"{effect.verb} {effect.id} is not {yet}: that takes {least:g} s, and it has run {seconds:g} s"


def _no_call(flow: Flow, facts: Facts, call: Event, snapshot: Snapshot) -> str | None:
    if "session" not in facts:
        return f"{call.name}: the session is closed"
    if "speech" in snapshot.memory.closed:
        return f"{call.name}: the conversation is over"
    tool = flow.tools.get(call.name[5:])
    if tool is None or tool.own:
        return None
    where = call if call.offered_in is not None else call._replace(offered_in=snapshot.configuration)
    if offered_in(table_of(flow), where).offering(tool.name) is None:
        return f"no state offers {tool.name}"
    return None
