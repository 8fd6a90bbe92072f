"""Expectations of a scenario, as it comes out today."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import attrs

from callflow.core.actions import verb_of
from callflow.core.flow import ROOT, Flow
from callflow.core.snapshot import Start
from callflow.coverage.things import asks_outside
from callflow.scenario import Result, Scenario, Step, play
from callflow.scenario.call import Heard, Taken
from callflow.scenario.model import Begun, Conditions, Ended, Expects, Fires, Text, Waits

_SETTLED = Step(Expects(Conditions(state=(ROOT,))))
"""Expects what never is: time passes until nothing goes on by itself, and the call is followed no further."""

_AT_ONCE = Step(Fires(ROOT), "now")
"""Cannot happen: the call is followed no further."""


def with_expectations(scenario: Scenario, *, closely: bool = False) -> Scenario:
    """The same scenario, with what is seen after each step: the state, what was said, what was asked of others, what was set. Where
    the call ends, how; `closely` also by whom, and when."""
    steps = [*_expected(scenario)]
    over = play(settled(scenario))
    return attrs.evolve(scenario, steps=tuple(steps), expect=_at_the_end(over, closely=closely))


def settled(scenario: Scenario) -> Scenario:
    """The same, on until nothing goes on by itself; it fails then."""
    return attrs.evolve(scenario, steps=(*scenario.steps, _SETTLED))


def _expected(scenario: Scenario) -> Iterator[Step]:
    acts = scenario.steps
    seen = [_come_to(scenario, number, _SETTLED) for number in range(len(acts) + 1)]
    for number in range(len(acts) + 1):
        if number:
            yield acts[number - 1]
        if number < len(acts) and (acts[number].when == "now" or isinstance(acts[number].act, Waits)):
            continue
        at_once = number and acts[number - 1].when == "now"
        since = None if not number else _come_to(scenario, number - 1, _AT_ONCE) if at_once else seen[number - 1]
        wanted = _seen(scenario.flow, seen[number], since)
        if wanted is not None:
            yield Step(Expects(wanted))


def _come_to(scenario: Scenario, number: int, last: Step) -> Result:
    """What comes of its first steps, the others being still to come: what they say does not happen by itself."""
    acts = scenario.steps
    return play(attrs.evolve(scenario, steps=(*acts[:number], last, *acts[number:])))


class _News(NamedTuple):
    """What is new since the step before."""

    steps: Sequence[Taken]
    heard: Sequence[Heard]
    before: Taken


def _seen(flow: Flow, after: Result, before: Result | None) -> Conditions | None:
    """What is to be expected after a step; None where nothing is, or the call is over."""
    if not after.taken or after.taken[-1].step.snapshot.ended:
        return None
    done, said = (0, 0) if before is None else (len(before.taken), len(before.heard))
    if done > len(after.taken):  # what is still to come makes a difference
        return None
    news = _News(after.taken[done:], after.heard[said:], after.taken[max(done - 1, 0)])
    last = after.taken[-1].step.snapshot
    moved = any(one.step.entered for one in news.steps)
    wanted = Conditions(
        state=last.configuration if moved else (),
        heard=_said(news.heard),
        effect=_asked(news.steps),
        vars=_set(flow, news.before.step.snapshot.vars, last.vars),
    )
    if wanted == Conditions():
        wanted = Conditions(log=_logged(news.steps))
    return None if wanted == Conditions() else wanted


def _said(heard: Sequence[Heard]) -> Text | None:
    """The last words of which it is known what they are."""
    known = [one for one in heard if not one.cut and one.text and not one.text.startswith("(") and one.legs]
    return Text(exactly=known[-1].text, by=known[-1].legs[0]) if known else None


def _asked(steps: Sequence[Taken]) -> Begun | None:
    """What was asked of somebody outside, last."""
    for taken in reversed(steps):
        for effect in reversed(taken.step.effects):
            if isinstance(effect, Start) and asks_outside(verb_of(effect.verb)):
                main = verb_of(effect.verb).main
                value = None if main is None else effect.arguments.get(main)
                return Begun(effect.verb, {main: value} if main is not None and _is_plain(value) else {})
    return None


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and bool(value)


def _set(flow: Flow, before: Any, after: Any) -> dict[str, Any]:
    """Variables that are different now, and that a file can hold."""
    declared = flow.scopes[ROOT].variables
    return {name: one for name, one in after.items() if name in declared and before.get(name) != one}


def _logged(steps: Sequence[Taken]) -> Text | None:
    lines = [str(note.data["message"]) for one in steps for note in one.step.notes if note.kind == "log"]
    return Text(exactly=lines[-1]) if lines else None


def _at_the_end(result: Result, *, closely: bool) -> Conditions | None:
    if not result.taken or not result.taken[-1].step.snapshot.ended:
        return None
    flow, memory, last = result.scenario.flow, result.taken[-1].step.snapshot.memory, result.taken[-1].time
    leaves = [path for one in result.taken for path in one.step.entered if path and not flow.states[path].children]
    outcome = memory.outcome or ("failed" if memory.fault else None)
    return Conditions(
        states=tuple(leaves),
        outcome=outcome if outcome in flow.outcomes else None,
        heard=_said(result.heard),
        ended=_cause(result) if closely else None,
        at=(max(math.floor(last) - 1.0, 0.0), math.ceil(last) + 1.0) if closely else None,
    )


def _cause(result: Result) -> Ended | None:
    cause = None if result.record is None else result.record.cause
    return Ended(cause.by, cause.event) if cause is not None else None
