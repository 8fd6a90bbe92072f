"""The scenario files of the shipped flows, for telephones of either network: what a far end does in one is worked out here, and only
here, from how the scenario goes on the pure core.

A script on a real network cannot listen: it acts at times. They are those of the pure core, and a little later for each sentence that came
before, since what is said on a real server begins a little later.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import evolve

from callflow.core.actions import EVERY_VERB, verb_of
from callflow.core.events import DIGITS, KEYS, MAIN_LEG, EffectEnded, Event
from callflow.core.snapshot import Running, Start
from callflow.scenario import Result, Scenario, play
from callflow.scenario.live_effects import CODES
from callflow.scenario.model import Conditions
from callflow.scenario.reading import BEGINS
from callflow.scenario.telephones import LOOKS_FOR
from callflow.telephony.network import Act, FarEnd, HangUp, Press, Refer, Tone, Wait
from tests.e2e.phone.far_ends import RINGS_FOR_EVER, picks_up, refuses

LONGEST = float(os.environ.get("CALLFLOW_LONGEST", "30"))
"""Seconds of a call: what waits in virtual time waits here."""

AT_FIRST, FOR_EACH = 0.4, 0.25
"""Seconds by which a telephone acts later than on the pure core, and for each sentence before."""

VOICE = 600.0
"""Hertz: the tone that the agent hears as words."""

PERSON, MACHINE = 0.7, 3.0
"""Seconds that a person, and at least a machine, speaks who is listened to for who it is."""

GREETS_AT, AGAIN_AFTER = 0.5, 2.0
"""Seconds after the answer, or after the flow has asked once more, at which they begin."""

AFTER_A_MACHINE = 3.5
"""Seconds from the last word of a machine to the verdict."""

NO_ANSWER = 480
_SAME = 0.001
_SIGNS = {name: sign for sign, name in KEYS.items()}
_TELEPHONY = frozenset(
    one.name for one in EVERY_VERB.values() if one.results and not (one.takes_keys or one.takes_over)
)
_BROUGHT = ("call.ringing", "call.answered", "call.hangup", "leg.", "dtmf.", "tool.", "app.", "amd.", "session.user_")
DIRECTED = ("tool.", "room.disconnected", "session.close", "session.agent_state_changed")
"""What is brought about beside the agent: by its model, by its session, by whoever deletes the room."""


class Cue(NamedTuple):
    """What is done on the agent's side, by events that tell of it: tools that the model calls in one turn, or something else, once the call is in these states for the `nth` time that they
    have changed, and so many seconds later; `over`: while something is being said."""

    nth: int
    configuration: tuple[str, ...]
    seconds: float
    events: Sequence[tuple[str, Mapping[str, Any]]]
    over: bool


def to_its_end(scenario: Scenario) -> Result:
    """How it goes on the pure core, until the call has ended."""
    return play(evolve(scenario, expect=scenario.expect or Conditions(ended=True)))


def beyond(scenario: Scenario, result: Result) -> str | None:
    """What a real bridge cannot do on command, in a few words; None where it can do all that happens in this scenario."""
    return next(_beyond(scenario, result), None)


def _beyond(scenario: Scenario, result: Result) -> Iterator[str]:
    if result.record is None or not result.taken[-1].step.snapshot.ended:
        yield "the call does not end"
        return
    if result.record.seconds > LONGEST:
        yield f"the call takes longer than {LONGEST:g} s"
    if scenario.start != BEGINS:
        yield "it begins at a time of its own, and a server's clock shows now"
    if any(getattr(step.act, "name", "").startswith("session.user_") for step in scenario.steps):
        yield "it says what LiveKit's session tells"
    for one in result.taken:
        if isinstance(one.step.event, Event):
            yield from _not_brought(one.step.event)
        elif isinstance(one.step.event, EffectEnded) and one.effect is not None:
            yield from _not_ended_so(one.effect, one.step.event)


def _not_brought(event: Event) -> Iterator[str]:
    by = event.data.get("by")
    if not event.name.startswith((*_BROUGHT, *DIRECTED)) or event.name.endswith((".dropped", ".restored", ".offered")):
        yield f"nobody brings {event.name} about"
    elif event.name.endswith(".hangup") and by not in ("caller", "agent"):
        yield f"nobody hangs up by {by}"
    elif event.data.get("reason") == "error":
        yield "a detector that fails"


def _not_ended_so(effect: Running, end: EffectEnded) -> Iterator[str]:
    if effect.verb in _TELEPHONY and end.status in ("failed", "timed_out"):
        yield f"{effect.verb} that is {end.status}"
    if "decision" in verb_of(effect.verb).roles and end.result.get("result") == "failed":
        yield f"{effect.verb} that fails"


# -- telephones


def numbers(result: Result) -> list[tuple[str, FarEnd]]:
    """The telephones that are called, by their legs in the order of the first call to each."""
    legs = [str(start.arguments.get("leg") or MAIN_LEG) for _, start in _begun(result) if verb_of(start.verb).calls]
    return [(leg, far_end(result, leg)) for leg in dict.fromkeys(legs)]


def calls_in(result: Result) -> FarEnd:
    """Whoever calls."""
    return FarEnd(acts=tuple(_acts(result, MAIN_LEG, 0.0)), refer=_refer(result))


def far_end(result: Result, leg: str) -> FarEnd:
    """The telephone on this leg."""
    began, start = next(
        (time, one)
        for time, one in _begun(result)
        if verb_of(one.verb).calls and (one.arguments.get("leg") or MAIN_LEG) == leg
    )
    answered = next((time for time, one in _events(result) if one.name == _of(leg, "answered")), None)
    if answered is not None:
        return picks_up(rings=answered - began, acts=tuple(_acts(result, leg, answered)), refer=_refer(result))
    end = next(
        (
            (one.time, one.step.event.result)
            for one in result.taken
            if isinstance(one.step.event, EffectEnded) and one.step.event.id == start.id
        ),
        (math.inf, {}),
    )
    word = str(end[1].get("result", "no_answer"))
    if word == "no_answer":
        return RINGS_FOR_EVER
    code = end[1].get("sip_status_code") or CODES.get(word, NO_ANSWER)
    return refuses(int(code), rings=min(end[0] - began, 1.0))


def _acts(result: Result, leg: str, answered: float) -> Iterator[Act]:
    """What it does once it is on the line, with the waits between."""
    each = [*_greets(result, answered)] if leg == MAIN_LEG else []
    each += _does(result, leg, answered)
    cursor = 0.0
    for at, act in sorted(each, key=lambda one: one[0]):
        yield Wait(max(at - cursor, 0.05))
        yield act
        cursor = max(at, cursor + 0.05) + _lasts(act)


def _lasts(act: Act) -> float:
    return act.seconds if isinstance(act, Tone) else 0.25 if isinstance(act, Press) else 0.0


def _does(result: Result, leg: str, answered: float) -> Iterator[tuple[float, Act]]:
    speaks = 0.0
    keys, leaves = f"{'' if leg == MAIN_LEG else f'leg.{leg}.'}dtmf.", _refer(result).bye_after is None
    for time, event in _events(result):
        at = time - answered + _later(result, time)
        if event.name == _of(leg, "hangup") and event.data.get("by") == "caller" and (leaves or leg != MAIN_LEG):
            yield at, HangUp()
        elif event.name.startswith(keys) and event.name.removeprefix(keys) in DIGITS:
            key = event.name.removeprefix(keys)
            yield at, Press(_SIGNS.get(key, key).upper())
        elif leg == MAIN_LEG and event.name == "session.user_state_changed":
            if event.data.get("new_state") == "speaking":
                speaks = time
            else:
                yield at - (time - speaks), Tone(VOICE, max(time - speaks, 0.5))
    decides = _decides(result, leg)
    if decides is not None:
        yield decides[0] - answered + 1.0, Press(decides[1]) if decides[1] else HangUp()


def _later(result: Result, time: float) -> float:
    """By how much what happens then on the pure core happens later on a real server."""
    began = result.taken[0].step.snapshot.memory.started
    sentences = sum(one.ended - began <= time for one in result.heard)
    verdict = next((at for at, event in _events(result) if event.name.startswith("amd.machine-") and at < time), None)
    machine = 0.0 if verdict is None else GREETS_AT + MACHINE + AFTER_A_MACHINE - LOOKS_FOR
    return AT_FIRST + FOR_EACH * sentences + machine


def _greets(result: Result, answered: float) -> Iterator[tuple[float, Act]]:
    """What is said by somebody to whom it is listened for who they are: at first, and as often as the flow asks again."""
    for time, event in _events(result):
        if event.name.startswith("amd.") and event.data.get("reason") != "no_speech_timeout":
            lasts = (
                max(MACHINE, time - answered - AFTER_A_MACHINE) if event.name.startswith("amd.machine-") else MACHINE
            )
            yield GREETS_AT, Tone(VOICE, PERSON if event.name == "amd.human" else lasts)
    for time, start in _begun(result):
        if verb_of(start.verb).family == "amd":
            yield time - answered + _later(result, time) + AGAIN_AFTER, Tone(VOICE, MACHINE)


def _decides(result: Result, leg: str) -> tuple[float, str] | None:
    """When a human who is consulted presses a key (or, without one, hangs up), where no step says so."""
    for began, start in _begun(result):
        if "decision" not in verb_of(start.verb).roles or start.arguments.get("leg") != leg:
            continue
        for one in result.taken:
            end = one.step.event
            if not isinstance(end, EffectEnded) or end.id != start.id or end.status != "ok" or one.time <= began:
                continue
            word = end.result.get("result")
            if word not in ("accepted", "declined") or any(
                e.name.startswith(f"leg.{leg}.dtmf") for _, e in _events(result)
            ):
                return None
            ways = start.arguments.get("accept" if word == "accepted" else "decline") or {}
            return one.time, str(ways.get("key") or "")
    return None


def _refer(result: Result) -> Refer:
    """What its telephone makes of a transfer."""
    for one in result.taken:
        end = one.step.event
        if isinstance(end, EffectEnded) and one.effect is not None and verb_of(one.effect.verb).holds_hang_up:
            if end.result.get("result") == "completed":
                return Refer(202, 200)
            if end.result.get("cause") == "hung_up":
                return Refer(
                    202, None, bye_after=one.time - (one.effect.started - result.taken[0].step.snapshot.memory.started)
                )
            if end.result.get("cause") == "ringing_timeout":
                return Refer(notify=None)
            return Refer(202, int(end.result.get("sip_status_code") or CODES["failed"]))
    return Refer()


# -- the agent's side


def cues(result: Result) -> list[Cue]:
    """What the model does, in order."""
    found: list[Cue] = []
    nth, entered, asked = 0, 0.0, -1.0
    before, running = result.taken[0].step.snapshot.configuration, result.taken[0].step.snapshot.memory.effects
    for one in result.taken[1:]:
        event = one.step.event
        told = _told(result, one.time, event) if isinstance(event, Event) else None
        if told is not None:
            over = not told[0].startswith("tool.") or any(verb_of(effect.verb).speech for effect in running.values())
            if found and asked == one.time and told[0].startswith("tool."):
                found[-1] = found[-1]._replace(events=[*found[-1].events, told])
            else:
                found.append(Cue(nth, before, one.time - entered, [told], over))
            asked = one.time
        after = one.step.snapshot.configuration
        if after != before:
            nth, entered, before = nth + 1, one.time, after
        running = one.step.snapshot.memory.effects
    return found


def _told(result: Result, time: float, event: Event) -> tuple[str, dict[str, Any]] | None:
    """What is to be brought about; of words that the model says by itself these words."""
    if event.name != "session.agent_state_changed":
        return (event.name, dict(event.data)) if event.name.startswith(DIRECTED) else None
    began = result.taken[0].step.snapshot.memory.started
    said = [one.text for one in result.heard if abs(one.began - began - time) < _SAME]
    return (event.name, {"text": said[0]}) if event.data.get("new_state") == "speaking" and said else None


def endings(result: Result) -> dict[int, dict[str, Any]]:
    """How what is asked outside ends, by the numbers of the effects."""
    return {
        end.id: {
            "status": end.status,
            "result": dict(end.result),
            "error": end.error,
            "after": one.time - (one.effect.started - result.taken[0].step.snapshot.memory.started),
        }
        for one in result.taken
        if isinstance(end := one.step.event, EffectEnded)
        and one.effect is not None
        and verb_of(one.effect.verb).asks_outside
        and one.effect.verb not in _TELEPHONY
    }


def verdicts(result: Result) -> list[str]:
    """Who has answered, look by look."""
    looks = [event.name.partition(".")[2] for _, event in _events(result) if event.name.startswith("amd.")]
    for one in result.taken:
        end = one.step.event
        if isinstance(end, EffectEnded) and one.effect is not None and verb_of(one.effect.verb).family == "amd":
            looks.append(str(end.result.get("result", "uncertain")))
    return looks


def _events(result: Result) -> Iterator[tuple[float, Event]]:
    return ((one.time, one.step.event) for one in result.taken if isinstance(one.step.event, Event))


def _begun(result: Result) -> list[tuple[float, Start]]:
    return [(one.time, effect) for one in result.taken for effect in one.step.effects if isinstance(effect, Start)]


def _of(leg: str, what: str) -> str:
    return f"call.{what}" if leg == MAIN_LEG else f"leg.{leg}.{what}"
