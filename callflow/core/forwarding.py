"""Which running effect an event from outside is for, in place of the rows: a key, while keys are collected.

As W3C SCXML's `autoforward` does with what a state has invoked, the event is handed to the effect before any row is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import RESULT_EVENTS, verb_of
from callflow.core.events import KEYS, EffectEnded, Event
from callflow.core.snapshot import Forward, Needless, Running
from callflow.core.turn import Turn
from callflow.core.verbs.verb import Verb


def forward(turn: Turn, event: Event) -> bool:
    """Forwards an event to the effect that it is for. True: no row hears it."""
    name = event.name
    return name.startswith("dtmf.") and name not in RESULT_EVENTS and _pressed(turn, event)


def _pressed(turn: Turn, event: Event) -> bool:
    """A key of the far end: it ends an input that was over already, or goes to who collects keys."""
    needless = turn.needless
    if needless is not None:
        turn.needless = None
        if event.name == needless.key and event.time <= needless.until:
            turn.note("needless", event=event.name)
            return True
    for effect in turn.effects.values():
        if verb_of(effect.verb).takes_keys and not effect.stopping:
            turn.out.append(Forward(effect.id, event))
            turn.note("collected", event=event.name)
            return True
    return False


def terminator_of(verb: Verb, arguments: Mapping[str, Any]) -> tuple[str, float] | None:
    """The key that ends the input of a verb that collects keys, as its event, and the seconds between two keys."""
    key, seconds = verb.given("terminator", arguments), verb.given("between_keys", arguments)
    if not key or not isinstance(seconds, int | float):  # none is asked for, or a replayed journal hides it
        return None
    return key_event(str(key)), float(seconds)


def key_event(key: str) -> str:
    """The event of a key, by what stands on it: `dtmf.pound` for `#`."""
    return f"dtmf.{KEYS.get(key, key.lower())}"


def collected(turn: Turn, effect: Running, end: EffectEnded) -> None:
    """Keys were collected. Who has pressed as many as were wanted may press the terminator all the same: it begins nothing
    new."""
    if effect.terminator is not None and end.status == "ok" and end.result.get("ended_by") == "count":
        key, seconds = effect.terminator
        turn.needless = Needless(key, turn.time + seconds)
