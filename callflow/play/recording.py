"""What was played becomes a scenario, with what was seen as what it expects."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import product

import attrs

from callflow.core.events import MAIN_LEG, Input
from callflow.errors import CallflowError
from callflow.play.played import GRID, Played
from callflow.scenario import Scenario, Step, from_inputs, play, reads, write
from callflow.scenario.call import Call
from callflow.scenario.model import ANYTHING, Conditions, Ended, Expects, Text
from callflow.scenario.playing import Player


class CannotBeRecorded(CallflowError):
    """The file is there already, and no scenario can be put behind those in it; the message says why."""


def recorded(played: Played, name: str) -> Scenario:
    """The scenario of a call that was played: its steps, each with the states to which it leads, and how it has ended, or where it was
    left. Where steps cannot tell it, one that says each input."""
    call = played.call
    inputs = [one.step.event for one in call.taken if one.step.event is not None]
    for states, later in product((True, False), (0.0, GRID)):
        steps = [*_steps(played.scenario, states=states)]
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


def _steps(scenario: Scenario, *, states: bool) -> Iterator[Step]:
    player = Player(scenario)
    known = player.call.snapshot.configuration
    for number, step in enumerate(scenario.steps):
        player.do(number)
        yield step
        there = player.call.snapshot
        if states and there.configuration not in (known, ()) and not there.ended:
            known = there.configuration
            yield Step(Expects(Conditions(state=known)))


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
    """What the far end has heard. What the model says by itself is its own matter."""
    found: list[Text | str] = []
    for one in call.heard:
        if MAIN_LEG not in one.legs:
            continue
        if not one.text.startswith("("):
            found.append(Text(exactly=f"{one.text}…" if one.cut else one.text))
        elif not found or found[-1] != ANYTHING:
            found.append(ANYTHING)
    return found if any(isinstance(one, Text) for one in found) else []


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
