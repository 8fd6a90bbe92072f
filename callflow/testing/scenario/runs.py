"""Calls that models play, as often as a scenario says; and what a judge, and the scenario's expectations, say of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import NamedTuple

from attrs import evolve

from callflow.scenario import Failure, Result, Scenario, play, story
from callflow.scenario.expectations import Unmet
from callflow.scenario.model import Conditions, Persona
from callflow.testing.judging import Verdict, judge
from callflow.testing.persona import Impersonated
from callflow.testing.scenario.cast import Cast
from callflow.testing.scenario.playing import play_in_rooms

MOST_TOLD = 5
"""Calls that have not passed, of which it is told why."""


class Run(NamedTuple):
    """One call, and what was said of it."""

    result: Result
    verdicts: list[Verdict]

    @property
    def passed(self) -> bool:
        return self.result.passed and all(one.yes for one in self.verdicts)

    @property
    def why_not(self) -> list[Unmet]:
        """What was not as it should be."""
        failure = self.result.failure
        found = (
            [] if failure is None else [*failure.unmet] or [Unmet("the call", "as the scenario says", failure.message)]
        )
        return found + [Unmet("the judge", one.question, f"no: {one.reason}") for one in self.verdicts if not one.yes]


def play_by_models(scenario: Scenario, otherwise: Callable[[Scenario], Result] = play) -> Result:
    """A scenario with a persona is played by models, in simulated rooms, and any other as `otherwise`. `runs` are its calls.

    Where a model is not named or cannot be had (no key), the scenario's own steps are played, and a note says that nothing was judged.
    """
    persona = scenario.persona
    if persona is None:
        return otherwise(scenario)
    try:
        cast = Cast.of(scenario.flow, persona.models)
    except ValueError as problem:
        note = f"no model has played this, and nothing was judged: {problem}"
        if not scenario.steps:
            return Result(scenario, None, skipped=note)
        return otherwise(scenario)._replace(notes=(note,))
    return _played_by(scenario, persona, cast)


def _played_by(scenario: Scenario, persona: Persona, cast: Cast) -> Result:
    expect = scenario.expect or Conditions(position=scenario.position)  # to the end of the call
    whole = evolve(scenario, steps=(), expect=expect)
    try:
        return _summed_up(scenario, persona, [_run(whole, persona, cast) for _ in range(persona.runs)])
    finally:
        asyncio.run(cast.aclose())


def _run(scenario: Scenario, persona: Persona, cast: Cast) -> Run:
    caller = Impersonated(cast.caller, persona.who, turns=persona.turns)
    result = play_in_rooms(scenario, model=cast.agent, script=caller)
    if caller.failed is not None:
        result = result._replace(failure=Failure(scenario.position, f"the caller's model has failed: {caller.failed}"))
    if result.skipped or not result.taken:
        return Run(result, [])
    return Run(result, asyncio.run(judge(cast.judge, story(scenario.flow, result.taken), persona.questions)))


def _summed_up(scenario: Scenario, persona: Persona, runs: list[Run]) -> Result:
    """All calls as one result: its story and its record are those of the first that has not passed, else of the first."""
    passed = sum(run.passed for run in runs)
    failed = [(number, run) for number, run in enumerate(runs, start=1) if not run.passed]
    shown = failed[0][1] if failed else runs[0]
    notes = [f"{passed} of {len(runs)} calls have passed", *_reasons(runs)]
    failure = None
    if passed < math.ceil(persona.passes * len(runs) - 1e-9):
        unmet = [
            one._replace(what=f"call {number}: {one.what}") for number, run in failed[:MOST_TOLD] for one in run.why_not
        ]
        wanted = f", and {round(persona.passes * 100)}% must" if len(runs) > 1 else ""
        failure = Failure(
            scenario.position, f"{passed} of {len(runs)} calls that models have played passed{wanted}", tuple(unmet)
        )
    return shown.result._replace(failure=failure, notes=tuple(notes), runs=tuple(run.result for run in runs))


def _reasons(runs: list[Run]) -> list[str]:
    return [
        f"call {number}: {one.question} {'Yes' if one.yes else 'No'}: {one.reason}"
        for number, run in enumerate(runs, start=1)
        for one in run.verdicts
    ]
