"""What has come about by itself on the pure core before each step: a room is slower here and there, and a step waits for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.errors import StartError
from callflow.scenario.call import Heard, Seen, Taken
from callflow.scenario.model import Scenario
from callflow.scenario.playing import Player
from callflow.scenario.running import timer_name

_TOLD = ("amd.", "call.", "leg.")
"""Families of events that telephones bring about, and whoever listens to them."""


def before_each(scenario: Scenario) -> list[Counter[str]]:
    """For each step, as far as they can be played, what has ended, come due, or been heard to its end before it, and how often."""
    try:
        player = Player(scenario)
    except StartError:
        return []
    found = []
    for number in range(len(scenario.steps)):
        if player.do(number) is not None:
            break
        before, call = player.before, player.call
        found.append(come_about(call, call.taken[: before.step], call.heard[: before.speech]))
    return found


def come_about(call: Seen, taken: Sequence[Taken], heard: Sequence[Heard]) -> Counter[str]:
    """The same of a call as it was seen."""
    return Counter(_each(call, taken, heard))


def _each(call: Seen, taken: Sequence[Taken], heard: Sequence[Heard]) -> Iterator[str]:
    for one in taken:
        event = one.step.event
        if isinstance(event, EffectEnded) and one.effect is not None and event.status != "cancelled":
            yield f"the end of {one.effect.verb}"
        elif isinstance(event, TimerFired) and one.timer is not None:
            yield timer_name(call.flow, one.timer)
        elif isinstance(event, Event) and event.name.startswith(_TOLD):
            yield event.name
    for speech in heard:
        if not speech.cut:
            yield speech.text
