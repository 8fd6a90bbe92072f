"""A scenario that breaks a rule is made as short as it can be and still breaks it (delta debugging: Zeller and Hildebrandt 2002)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from callflow.scenario import Scenario, Step

MOST_TRIES = 2_000

Breaks = Callable[[Scenario], bool]
"""Whether a scenario still breaks the same rule; one of which a step cannot happen does not."""


def shrunk(scenario: Scenario, breaks: Breaks) -> Scenario:
    """Fewer steps, fewer faults, rounder times, as long as it breaks."""
    tries = 0
    again = True
    while again:
        again = False
        for simpler in _simpler(scenario):
            tries += 1
            if tries > MOST_TRIES:
                return scenario
            if breaks(simpler):
                scenario, again = simpler, True
                break
    return scenario


def _simpler(one: Scenario) -> Iterator[Scenario]:
    """What is a little less, the largest cuts first."""
    steps = [*one.steps]
    size = len(steps)
    while size:
        for first in range(0, len(steps), size):
            yield attrs.evolve(one, steps=steps[:first] + steps[first + size :])
        size //= 2
    for verb, endings in one.effects.items():
        yield attrs.evolve(one, effects={name: said for name, said in one.effects.items() if name != verb})
        if len(endings) > 1:
            yield attrs.evolve(one, effects={**one.effects, verb: endings[:-1]})
            yield attrs.evolve(one, effects={**one.effects, verb: endings[1:]})
    for number, step in enumerate(steps):
        for when in _rounder(step.when):
            yield attrs.evolve(one, steps=[*steps[:number], Step(step.act, when), *steps[number + 1 :]])


def _rounder(when: object) -> Iterator[float]:
    if isinstance(when, float):
        for digits in (0, 1):
            rounder = float(round(when, digits))
            if rounder != when and len(f"{rounder:g}") < len(f"{when:g}"):
                yield rounder
