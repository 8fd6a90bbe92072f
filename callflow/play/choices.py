"""What can happen to a call now, as a person would say it, each with the scenario's step by which it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, KEYS, MAIN_LEG, OUT_OF_REACH, EffectEnded, Event
from callflow.core.flow import Flow
from callflow.core.inputs import inputs
from callflow.core.snapshot import Forward, Running, Step
from callflow.core.statechart.structure import in_ending
from callflow.core.step import step
from callflow.core.values.facts import fields_of
from callflow.core.values.representatives import representatives_of
from callflow.core.values.said import said, telling
from callflow.scenario.call import Call
from callflow.scenario.endings import verb_of_result
from callflow.scenario.model import Act, Calls, Ending, Ends, Occurs, Presses, Replies, Speaks
from callflow.scenario.running import is_given_up
from callflow.scenario.telling import in_words

Takes = Literal["nothing", "words", "keys", "fields"]
"""What may be said with a choice."""


class Choice(NamedTuple):
    """One thing that can happen, so many `seconds` from now at the earliest. `rare`: what nobody does on purpose."""

    words: str
    act: Act
    seconds: float = 0.0
    takes: Takes = "nothing"
    rare: bool = False


_REASONS = {
    "ROOM_DELETED": "the room is gone",
    "SERVER_SHUTDOWN": "the agent is put out of the room",
    OUT_OF_REACH: "the agent's own connection does not come back",
}
"""Why a room is lost: of one event the ways that a flow can tell apart."""

_RARE = ("session.", "room.", "job.", "failed")
_PARTIES = ("call.", "leg.")


def choices(flow: Flow, call: Call) -> list[Choice]:
    """All that can happen now and makes a difference: what people and the model do, how what runs may end, what may break."""
    if call.snapshot.ended:
        return []
    found: dict[str, Choice] = {}
    for one in sorted([*_by_people(flow, call), *_by_the_world(flow, call)], key=lambda one: one.rare):
        found.setdefault(one.words, one)
    return [*found.values()]


# -- people


def _by_people(flow: Flow, call: Call) -> Iterator[Choice]:
    who = "the callee" if flow.outbound else "the caller"
    if call.leg().status == "on_line" and "session" in call.facts:
        yield Choice(f"{who} says …", Speaks("Yes."), takes="words")
    if call.mute is None:
        yield Choice("the model says …", Replies("One moment."), takes="words", rare=call.leg().status != "on_line")
    for leg, pressing in _keys(flow, call).items():
        name = who if leg == MAIN_LEG else f"the {leg}"
        told = "any key" if len(pressing) == len(DIGITS) else " ".join(pressing)
        yield Choice(f"{name} presses … ({told})", Presses(pressing[0], leg), takes="keys")


def _keys(flow: Flow, call: Call) -> dict[str, list[str]]:
    """The keys that lead somewhere, or are collected, by whose they are."""
    signs = {name: sign for sign, name in KEYS.items()}
    found: dict[str, list[str]] = {}
    for event in _events(flow, call):
        if "dtmf." in event.name and _leads(call, step(flow, call.snapshot, event)):
            key = event.name.rpartition(".")[2]
            leg = event.name.split(".")[1] if event.name.startswith("leg.") else MAIN_LEG
            found.setdefault(leg, []).append(signs.get(key, key))
    return found


# -- the world


def _by_the_world(flow: Flow, call: Call) -> Iterator[Choice]:
    for entry in inputs(flow, call.snapshot, call.facts, call.now):
        if isinstance(entry, Event) and "dtmf." not in entry.name and entry.name != "session.user_state_changed":
            yield from _event(flow, call, entry)
        elif isinstance(entry, EffectEnded):
            yield from _end(flow, call, entry)


def _events(flow: Flow, call: Call) -> Iterator[Event]:
    yield from (one for one in inputs(flow, call.snapshot, call.facts, call.now) if isinstance(one, Event))


def _event(flow: Flow, call: Call, event: Event) -> Iterator[Choice]:
    if is_given_up(event) and call.given_up:
        return  # a step that says so only waits for it, and it has come
    called = event.name.startswith("tool.")
    if called:
        event = event._replace(id="call_1", offered_in=call.snapshot.configuration)
    if not called and not _leads(call, step(flow, call.snapshot, event)):
        return
    data = said(flow, event)
    words = _REASONS.get(data.get("reason", "")) or in_words(flow, event._replace(data=data))
    takes: Takes = "fields" if fields_of(flow, event.name) else "nothing"
    act: Act = Calls(((event.name[5:], data),)) if called else Occurs(event.name, data)
    verb = verb_of_result(event.name)
    if verb is not None:  # who has answered a dial
        act = Ends(verb, Ending(result={"result": event.name.partition(".")[2], **data}))
    late = event.name.endswith(".answered") and any(in_ending(flow, path) for path in call.snapshot.configuration)
    rare = late or event.name.startswith(_RARE) or event.name.endswith((".dropped", ".offered"))
    yield Choice(words, act, takes=takes, rare=rare)


def _end(flow: Flow, call: Call, end: EffectEnded) -> Iterator[Choice]:
    effect = call.snapshot.memory.effects[end.id]
    verb = verb_of(effect.verb)
    if effect.stopping or (end.status == "ok" and not verb.results and not verb.asks_outside):
        return  # that ends by itself
    words = in_words(flow, end, effect) or f"{'the callee' if flow.outbound else 'they'} answers"
    result = _result(flow, effect, end) if end.status == "ok" else {}
    error = end.error if end.error != end.status else None
    act = Ends(effect.verb, Ending(end.status, result, error), effect=_number(call, effect))
    seconds = max(end.time - call.now, 0.0)
    yield Choice(
        words,
        act,
        seconds,
        "fields" if end.status == "ok" else "nothing",
        rare=end.status != "ok" and not verb.asks_outside,
    )


def _result(flow: Flow, effect: Running, end: EffectEnded) -> Mapping[str, Any]:
    event = verb_of(effect.verb).result_event(end.result)
    tell = telling(representatives_of(flow).results(effect.source, effect.verb, event))
    return {name: value for name, value in end.result.items() if name == "result" or name in tell}


def _number(call: Call, effect: Running) -> int | None:
    """Its number, where its verb alone would mean another one."""
    running: Iterable[Running] = call.snapshot.memory.effects.values()
    first = next(one for one in running if one.verb == effect.verb and not one.stopping)
    return None if first.id == effect.id else effect.id


def _leads(call: Call, after: Step) -> bool:
    """Whether something comes of it."""
    before, memory = call.snapshot.memory, after.snapshot.memory
    heard = any(isinstance(one, Forward) for one in after.effects)
    return bool(
        after.moves or after.effects or heard or memory.legs != before.legs or memory.cut_off != before.cut_off
        or any(note.kind in ("log", "outcome", "kept") for note in after.notes)
    )  # fmt: skip
