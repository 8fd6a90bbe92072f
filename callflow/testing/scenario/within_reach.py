"""What a scenario says that no room can do."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.scenario.model import Ends, Occurs, Scenario
from callflow.testing.scenario.fates import BY_TELEPHONE
from callflow.testing.scenario.happening import is_brought

KNOWN = frozenset({"direction", "identity", "number"})
"""What a scenario may say of the call: of everything else a room knows by itself."""


def out_of_reach(scenario: Scenario) -> str | None:
    """Why it cannot be played in a simulated room, in a sentence; None where it can."""
    return next(_reasons(scenario), None)


def _reasons(scenario: Scenario) -> Iterator[str]:
    if scenario.exactly:
        yield "it says `exactly` when each action ends, and in a room they end by themselves"
    unknown = sorted(scenario.call.keys() - KNOWN)
    if unknown:
        yield f"it says what `call.{unknown[0]}` is, which a room knows by itself"
    direction = scenario.call.get("direction")
    if direction is not None and direction != ("outbound" if scenario.flow.outbound else "inbound"):
        yield f"it says that the call is {direction}, and the flow {'dials' if scenario.flow.outbound else 'is called'}"
    for step in scenario.steps:
        act = step.act
        if isinstance(act, Ends):
            verb = verb_of(act.verb)
            if act.ending.status == "cancelled":
                yield f"it says when {act.verb} has stopped, and in a room it stops by itself"
            elif act.ending.status == "ok" and not (verb.asks_outside or act.verb in BY_TELEPHONE or verb.takes_keys):
                yield f"it says when {act.verb} ends, and in a room it ends by itself"
        elif isinstance(act, Occurs) and not is_brought(act.name):
            yield f"nobody brings {act.name} about in a room"
