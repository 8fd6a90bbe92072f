"""Random calls, one after the other, until one breaks a rule."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import attrs

from callflow.core.flow import Flow
from callflow.generating.chance import random_call
from callflow.generating.rules import Broken, Seen, examine
from callflow.generating.shrinking import shrunk
from callflow.proof.begin import first_steps
from callflow.scenario import Scenario, Step, story
from callflow.scenario.model import Conditions, Expects, Text, Waits
from callflow.scenario.reading import BEGINS

_ANYTHING = "."


class Tried(NamedTuple):
    """How many calls were made, how many inputs they took in all, how many had ended; the first that breaks a rule, cut down to what
    makes it break it, and which."""

    calls: int
    inputs: int
    scenario: Scenario | None = None
    broken: Broken | None = None
    number: int = 0
    story: Sequence[str] = ()


def beginnings_of(flow: Flow) -> list[Scenario]:
    """How calls of a flow begin, as the proof has it, without steps."""
    found = []
    for one in first_steps(flow):
        memory = one.snapshot.memory
        defaults = {
            name: variable.default for name, variable in flow.scopes[""].variables.items() if not variable.required
        }
        given = {
            name: value for name, value in memory.vars.get("", {}).items() if (name, value) not in defaults.items()
        }
        start = BEGINS + memory.started
        found.append(Scenario("", flow, (), start, given, memory.env, memory.call, waiting=flow.answer == "manual"))
    return found


def try_calls(
    begins: Sequence[Scenario], calls: int, seed: int, going: Callable[[int], bool] = lambda number: True
) -> Tried:
    """So many random calls that begin like these, in turn; `going` is told how many were made, and says whether to go on. The same
    seed makes the same calls."""
    inputs = 0
    for number in range(calls):
        if not going(number):
            return Tried(number, inputs)
        begin = begins[number % len(begins)]
        scenario = random_call(begin, random.Random(f"{seed} {number}"))  # noqa: S311 - it has to be the same each time
        seen = examine(scenario)
        inputs += len(seen.taken)
        if seen.broken is not None:
            return _told(scenario, seen.broken, number, inputs)
    return Tried(calls, inputs)


def _told(scenario: Scenario, broken: Broken, number: int, inputs: int) -> Tried:
    short = shrunk(scenario, lambda one: _is_same(examine(one), broken))
    seen = examine(short)
    found = seen.broken or broken
    named = attrs.evolve(short, name=f"random call {number + 1}", description=found.told)
    told = story(short.flow, seen.taken) if seen.taken else []
    return Tried(number + 1, inputs, _expecting(named, found), found, number, told)


def _is_same(seen: Seen, broken: Broken) -> bool:
    return seen.possible and seen.broken is not None and seen.broken.rule == broken.rule


def _expecting(scenario: Scenario, broken: Broken) -> Scenario:
    """The same, so that it fails as long as the rule is broken."""
    if broken.rule == "ends":
        return attrs.evolve(scenario, expect=Conditions(ended=True))
    if broken.rule == "quiet":
        before = [one for one in scenario.steps if not isinstance(one.when, float) or one.when <= broken.since + 0.001]
        heard = Expects(Conditions(heard=Text(pattern=re.compile(_ANYTHING))), broken.until - broken.since)
        last = max((one.when for one in before if isinstance(one.when, float)), default=0.0)
        waits = [Step(Waits(0.0), broken.since)] if broken.since > last + 0.01 else []
        return attrs.evolve(scenario, steps=[*before, *waits, Step(heard)])
    return scenario
