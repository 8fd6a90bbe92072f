"""Which running effect an event from outside is for: in place of the rows a key, while keys are collected; beside them the key
or the tool by which a human decides.

As W3C SCXML's `autoforward` does with what a state has invoked, the event is handed to the effect before any row is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import RESULT_EVENTS, verb_of
from callflow.core.events import KEYS, EffectEnded, Event
from callflow.core.flow import Flow
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Forward, Needless, Running
from callflow.core.statechart.action_lists import action_at, actions_during, given
from callflow.core.verbs.verb import Verb

_THERE = frozenset({"on_line", "dropped", "hold"})


def forward(macrostep: Macrostep, event: Event) -> bool:
    """Forwards an event to the effect that it is for. True: no row hears it."""
    name = event.name
    if name.startswith("dtmf."):
        return name not in RESULT_EVENTS and _pressed(macrostep, event)
    for effect in macrostep.effects.values():
        if not effect.stopping and "decision" in verb_of(effect.verb).roles and _decides(macrostep, event, effect):
            macrostep.out.append(Forward(effect.id, event))
    return False


def _pressed(macrostep: Macrostep, event: Event) -> bool:
    """A key of the far end: it ends an input that was over already, or goes to who collects keys."""
    needless = macrostep.needless
    if needless is not None:
        macrostep.needless = None
        if event.name == needless.key and event.time <= needless.until:
            macrostep.note("needless", event=event.name)
            return True
    for effect in macrostep.effects.values():
        if verb_of(effect.verb).takes_keys and not effect.stopping:
            macrostep.out.append(Forward(effect.id, event))
            macrostep.note("collected", event=event.name)
            return True
    return False


def _decides(macrostep: Macrostep, event: Event, effect: Running) -> bool:
    """Whether this is one of the answers that an effect waits for, from whoever is on its leg."""
    leg = macrostep.legs.get(str(effect.leg))
    action = action_at(macrostep.flow, effect.source)
    if leg is None or leg.status not in _THERE or action is None:
        return False
    return any(event.name in answers(leg.name, ways) for ways in given((action,), "decision"))


def answers(leg: str, ways: Mapping[str, Any]) -> frozenset[str]:
    """The events by which somebody decides on this leg: `{key: "1", tool: take_call}`."""
    key, tool = ways.get("key"), ways.get("tool")
    pressed = {f"leg.{leg}.{key_event(str(key))}"} if key else set()
    return frozenset(pressed | ({f"tool.{tool}"} if tool else set()))


def every_answer(flow: Flow) -> frozenset[str]:
    """The events by which somebody decides anywhere in a flow."""
    found: set[str] = set()
    for action in actions_during(flow):
        leg = verb_of(action.verb).given("called", action.arguments)
        found.update(*(answers(str(leg), ways) for ways in given((action,), "decision")))
    return frozenset(found)


def terminator_of(verb: Verb, arguments: Mapping[str, Any]) -> tuple[str, float] | None:
    """The key that ends the input of a verb that collects keys, as its event, and the seconds between two keys."""
    key, seconds = verb.given("terminator", arguments), verb.given("between_keys", arguments)
    if not key or not isinstance(seconds, int | float):  # none is asked for, or a replayed journal hides it
        return None
    return key_event(str(key)), float(seconds)


def key_event(key: str) -> str:
    """The event of a key, by what stands on it: `dtmf.pound` for `#`."""
    return f"dtmf.{KEYS.get(key, key.lower())}"


def collected(macrostep: Macrostep, effect: Running, end: EffectEnded) -> None:
    """Keys were collected. Who has pressed as many as were wanted may press the terminator all the same: it begins nothing
    new."""
    if effect.terminator is not None and end.status == "ok" and end.result.get("ended_by") == "count":
        key, seconds = effect.terminator
        macrostep.needless = Needless(key, macrostep.time + seconds)
