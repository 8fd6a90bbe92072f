"""Names of scenarios, of what happens in them."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG
from callflow.coverage.things import asks_outside
from callflow.scenario import Scenario
from callflow.scenario.model import Act, Calls, Ends, Fires, Occurs, Presses

LONGEST = 5
"""Things that a name tells of."""


def name_of(scenario: Scenario) -> str:
    """What becomes of it, and the last things that happen: `message_taken after speak_to_person then message_is_right`."""
    told = [word for step in scenario.steps for word in _words(step.act, scenario.flow.outbound)]
    said = " then ".join(told[-LONGEST:]) or "nothing happens"
    outcome = scenario.expect.outcome if scenario.expect is not None else None
    return f"{outcome} after {said}" if outcome is not None else said


def _words(act: Act, outbound: bool) -> Iterator[str]:
    caller = "the callee" if outbound else "the caller"
    if isinstance(act, Calls):
        yield from (name for name, _ in act.tools)
    elif isinstance(act, Presses):
        yield f"{caller if act.leg == MAIN_LEG else act.leg} presses {act.keys}"
    elif isinstance(act, Fires):
        yield act.name
    elif isinstance(act, Ends):
        verb = verb_of(act.verb)
        if act.ending.status == "ok" and not asks_outside(verb):
            return
        word = verb.result_event(act.ending.result) if verb.results and act.ending.status == "ok" else ""
        yield (
            word or f"{act.verb} {act.ending.status.replace('_', ' ')}"
            if act.ending.status != "ok" or word
            else act.verb
        )
    elif isinstance(act, Occurs) and not act.name.endswith((".answered", ".ringing", "_state_changed", "_transcribed")):
        yield f"{caller} hangs up" if act.name == "call.hangup" else act.name


def apart(names: list[str]) -> list[str]:
    """The same, no two alike."""
    found: list[str] = []
    for name in names:
        number, one = 2, name
        while one in found:
            one, number = f"{name} ({number})", number + 1
        found.append(one)
    return found
