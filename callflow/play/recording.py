"""What was played becomes a scenario, with what was seen as what it expects."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import product

import attrs

from callflow.core.events import MAIN_LEG, Event, Input
from callflow.errors import CallflowError
from callflow.play.played import GRID, Played
from callflow.scenario import Scenario, Step, from_inputs, play, reads, write
from callflow.scenario.call import Call, Taken
from callflow.scenario.model import ANYTHING, Conditions, Ended, Expects, Occurs, Text
from callflow.scenario.playing import Player

NOTICED = 0.6
"""Seconds after which LiveKit has noticed that somebody has ended to speak."""


class CannotBeRecorded(CallflowError):
    """The file is there already, and no scenario can be put behind those in it; the message says why."""


def recorded(played: Played, name: str) -> Scenario:
    """The scenario of a call that was played: its steps, each with the states to which it leads, and how it has ended, or where it was
    left. Where steps cannot tell it, one that says each input."""
    call = played.call
    inputs = [one.step.event for one in call.taken if one.step.event is not None]
    for follows, states, later in product((True, False), (True, False), (0.0, GRID)):
        steps = [*_steps(played.scenario, states=states, follows=follows)]
        if not played.over:
            at = round(math.ceil(call.elapsed / GRID - 1e-6) * GRID + later, 3)
            steps.append(Step(Expects(Conditions(state=call.snapshot.configuration)), at))
        found = attrs.evolve(played.scenario, name=name, steps=steps, expect=_seen(call) if played.over else None)
        if _plays(found, inputs):
            return found
    begin = played.scenario
    return from_inputs(
        begin.flow, inputs, name=name, vars=begin.vars, env=begin.env, call=begin.call, start=begin.start, waiting=begin.waiting,
        states=True,
    )  # fmt: skip


def _steps(scenario: Scenario, *, states: bool, follows: bool) -> Iterator[Step]:
    """The steps, with the `states` to which each leads; one that comes at the very moment of something else `follows` that, whenever
    it is: in a room no two things are at one moment."""
    player = Player(scenario)
    known = player.call.snapshot.configuration
    for number, step in enumerate(scenario.steps):
        before = len(player.call.taken)
        player.do(number)
        cause = _cause(player.call.taken[before - 1 : player.before.step]) if follows else None
        if cause is not None and isinstance(step.when, float):
            yield from (Step(cause), step._replace(when="now"))
        else:
            yield step
        there = player.call.snapshot
        if states and there.configuration not in (known, ()) and not there.ended:
            known = there.configuration
            yield Step(Expects(Conditions(state=known)))


def _cause(taken: Sequence[Taken]) -> Occurs | Expects | None:
    """What has happened by itself at the moment of the last of these: the state to which it has led, or that somebody has picked up;
    None where nothing of that has."""
    *earlier, last = taken
    if not earlier:
        return None
    before = next((one for one in reversed(earlier) if one.time < last.time - GRID), earlier[0]).step.snapshot
    there = last.step.snapshot
    if there.configuration != before.configuration:
        return Expects(Conditions(state=there.configuration))
    event = last.step.event
    return Occurs(event.name) if isinstance(event, Event) and event.name.endswith(".answered") else None


def _seen(call: Call) -> Conditions:
    cause = call.record().cause
    leaves = [path for path in call.states() if not call.flow.states[path].children]
    return Conditions(
        outcome=call.record().outcome,
        ended=Ended(cause.by, cause.event or None),
        states=leaves,
        heard=_heard(call) or None,
    )


def _heard(call: Call) -> list[Text | str]:
    """What the far end has heard. What the model says by itself is its own matter, and what is cut that began as they had just ended to
    speak is LiveKit's: it says nothing to somebody of whom it has not noticed that yet."""
    found: list[Text | str] = []
    silent = [call.began + one.time for one in call.taken if _falls_silent(one)]
    for one in call.heard:
        if MAIN_LEG not in one.legs:
            continue
        unsure = one.cut and any(0.0 <= one.began - time <= NOTICED for time in silent)
        if not (unsure or one.text.startswith("(")):
            found.append(Text(exactly=f"{one.text}…" if one.cut else one.text))
        elif not found or found[-1] != ANYTHING:
            found.append(ANYTHING)
    return found if any(isinstance(one, Text) for one in found) else []


def _falls_silent(taken: Taken) -> bool:
    event = taken.step.event
    return (
        isinstance(event, Event)
        and event.name == "session.user_state_changed"
        and event.data.get("new_state") == "listening"
    )


def _plays(scenario: Scenario, inputs: Sequence[Input]) -> bool:
    """Whether it passes, as it is and as it is written, and takes these inputs."""
    result = play(scenario)
    if not result.passed or result.inputs[: len(inputs)] != [*inputs]:
        return False
    read, defects = reads(write(scenario), flows=scenario.flow)
    return not defects and play(read[0]).passed


def add_to(path: str, scenario: Scenario) -> None:
    """Writes it into a file of its own, or behind those that stand there, under a name that none of them has. Raises CannotBeRecorded,
    OSError."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120 - a path may be any text
    if not os.path.exists(path):  # noqa: PTH110
        _write(path, write(scenario, folder))
        return
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    there, defects = reads(text, path, folder)
    if defects:
        raise CannotBeRecorded(f"{path} is there already, and has defects: `callflow check {path}` shows them")
    if any(os.path.realpath(one.flow.file) != os.path.realpath(scenario.flow.file) for one in there):
        raise CannotBeRecorded(f"{path} is there already, with scenarios of another flow")
    names = {one.name for one in there}
    numbers = (f" {number}" if number > 1 else "" for number in range(1, len(names) + 2))
    named = attrs.evolve(scenario, name=next(name for one in numbers if (name := scenario.name + one) not in names))
    body = write(named, folder).partition("\nscenarios:\n")[2]
    both = f"{text.rstrip()}\n\n{body}"
    found, defects = reads(both, path, folder)
    if defects or len(found) != len(there) + 1:
        raise CannotBeRecorded(
            f"{path} is there already, and `scenarios` does not stand last in it: write into another file"
        )
    _write(path, both)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
