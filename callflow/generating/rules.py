"""What has to be so in any call of a flow, whatever happens: what random calls are held to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import attrs

from callflow.core.durations import told_duration
from callflow.core.events import MAIN_LEG
from callflow.core.flow import ROOT, Flow
from callflow.core.statechart.structure import inside
from callflow.core.table import table_of
from callflow.proof.accepting import accepted_in
from callflow.proof.findings.silence import MOST_QUIET
from callflow.proof.findings.ways import breaks
from callflow.proof.listening import unheard
from callflow.scenario import Result, Scenario, Step, play
from callflow.scenario.call import MOST_INPUTS, Taken
from callflow.scenario.model import Conditions, Occurs


class Broken(NamedTuple):
    """A rule that a call does not keep: which, in a sentence, and from when to when, in seconds since its start."""

    rule: str
    told: str
    since: float
    until: float


class Seen(NamedTuple):
    """A call that was followed to its end: the first rule that it breaks, None where it keeps them all. `possible`: whether all its
    steps could happen; of others nothing is known."""

    broken: Broken | None
    taken: Sequence[Taken] = ()
    possible: bool = True


def examine(scenario: Scenario) -> Seen:
    """Follows a call: its steps first, and then what happens by itself; where nothing does any more the far end hangs up."""
    try:
        result = _to_its_end(scenario)
    except Exception as error:  # noqa: BLE001 - that nothing is raised is one of the rules
        return Seen(Broken("raises nothing", f"{type(error).__name__} is raised: {error}", 0.0, 0.0))
    broken, possible = _failed(result)
    if not possible:
        return Seen(None, result.taken, possible=False)
    quiet = _too_quiet(scenario.flow, result.taken)
    first = min((one for one in (broken, quiet) if one is not None), key=lambda one: one.until, default=None)
    return Seen(first, result.taken)


def _to_its_end(scenario: Scenario) -> Result:
    followed = attrs.evolve(scenario, expect=Conditions(ended=True))
    result = play(followed)
    if result.failure is None or not result.failure.unmet:
        return result
    last = result.taken[-1].step.snapshot
    leg = last.memory.legs.get(MAIN_LEG)
    if leg is None or leg.status not in ("on_line", "hold"):
        return result
    hangs_up = Step(Occurs("call.hangup"), result.taken[-1].time + 1.0)
    again = play(attrs.evolve(followed, steps=[*scenario.steps, hangs_up]))
    return again if again.failure is None or again.failure.unmet else result


def _failed(result: Result) -> tuple[Broken | None, bool]:
    """The rule that it breaks by how it ends; and whether all its steps could happen."""
    failure = result.failure
    if failure is None:
        return None, True
    time = result.taken[-1].time if result.taken else 0.0
    never = result.scenario.never
    if never is not None and failure.position == never.position and failure.message.startswith("it happens"):
        return Broken("never", "what never may be is so", time, time), True
    if failure.unmet or failure.message.startswith(f"{MOST_INPUTS:,} inputs"):
        return Broken("ends", f"the call never ends{failure.message.removeprefix('not as expected')}", 0.0, time), True
    return None, False


def _too_quiet(flow: Flow, taken: Sequence[Taken]) -> Broken | None:
    """The first time for which somebody hears nothing for too long though it is not their turn, as the proof has it; where nothing
    has broken before of which no author can do anything."""
    condition, since, limit = unheard(flow), None, MOST_QUIET
    for before, after in pairwise(taken):
        snapshot, event = before.step.snapshot, after.step.event
        if not condition(snapshot, before.facts):
            since = None
        else:
            if since is None:
                since, limit = before.time, _limit(flow, before)
            if after.time - since > limit:
                told = f"whoever is on the line hears nothing for {told_duration(after.time - since)}, and it is not their turn"
                return Broken("quiet", told, since, after.time)
        if event is not None and breaks(cast(Any, before.step), event):
            return None
    return None


def _limit(flow: Flow, at: Taken) -> float:
    """How many seconds may be quiet there: what the innermost state says, infinite where that is accepted."""
    active = [ROOT, *sorted(table_of(flow).expand(at.step.snapshot.configuration))]
    if any(accepted_in(flow, "quiet-too-long", path) for path in at.step.snapshot.configuration):
        return float("inf")
    said = {path: quiet.seconds for path in active if (quiet := flow.states[path].quiet) is not None}
    innermost = [path for path in said if not any(inside(other, path) for other in said)]
    return min((said[path] for path in innermost), default=MOST_QUIET)
