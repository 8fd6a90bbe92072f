"""Whether a scenario has come out alike in both ways in which it is played: on the pure core, and in a simulated room."""

from __future__ import annotations

from itertools import zip_longest

from callflow.core.snapshot import Start
from callflow.scenario.playing import Result


def states(result: Result) -> list[str]:
    return [path for one in result.taken for path in one.step.entered if path]


def effects(result: Result) -> list[tuple]:
    begun = [one for taken in result.taken for one in taken.step.effects if isinstance(one, Start)]
    return [(one.verb, dict(one.arguments)) for one in begun]


def words(result: Result) -> dict[str, list[str]]:
    """What each leg has heard to its end. Where it was cut is a matter of milliseconds."""
    legs = sorted({leg for one in result.heard for leg in one.legs})
    return {leg: [one.text for one in result.heard if leg in one.legs and not one.cut] for leg in legs}


def agrees(here: Result, there: Result) -> None:
    """Both have come as far as the scenario goes, by the same way."""
    assert there.skipped == ""
    assert here.failure is None
    assert there.failure is None, there.failure
    assert here.record is not None
    assert there.record is not None
    ended = here.taken[-1].step.snapshot.ended
    assert ended == there.taken[-1].step.snapshot.ended
    if ended:
        assert states(here) == states(there)
        assert effects(here) == effects(there)
        assert words(here).get("far_end", []) == words(there).get("far_end", [])
        assert here.record.outcome == there.record.outcome
        assert here.record.hung_up_by == there.record.hung_up_by
        assert here.record.cause[:2] == there.record.cause[:2]
    else:  # both were left where the last expectation had come true, which in a room is seen a moment later
        shorter = min(len(states(here)), len(states(there)))
        assert states(here)[:shorter] == states(there)[:shorter]
        for one, other in zip(effects(here), effects(there), strict=False):
            assert one == other
    said = [leg for leg in words(here) if leg != "far_end"]
    for leg in said if ended else ():
        for one, other in zip_longest(words(here)[leg], words(there).get(leg, [])):
            assert one == other
