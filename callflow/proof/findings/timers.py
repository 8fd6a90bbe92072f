"""Timers that come to nothing, since one further out is always sooner; and those that leave what they wait for no time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple, TypeVar

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration
from callflow.core.events import Input, TimerFired
from callflow.core.flow import Action, Flow, TimerRow
from callflow.core.snapshot import Cancel, Step, Timer
from callflow.core.statechart.action_lists import Source, action_at
from callflow.core.statechart.reach import sure
from callflow.core.statechart.structure import within
from callflow.proof.finding import Seen, Suspect, Suspects, first_seen, is_the_authors
from callflow.proof.findings.speech import says
from callflow.proof.node import Exploration, Passage, Situation
from callflow.verify.places import named, warning


class Which(NamedTuple):
    """A timer that somebody has written: the state that writes it, and its number there."""

    state: str
    row: int


class Behind:
    """Timers that are never due, each since one of a state around it, or of another kind, that is as short or shorter leads out of its
    state before. Of the same kind in the same state the file alone says so (`never-due`)."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.fired: set[Which] = set()

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[Which, Which]]:
        timer = _fired(before, event)
        if timer is None or not is_the_authors(self.flow, timer):
            return
        first = Which(timer.state, timer.row)
        self.fired.add(first)
        left = {Which(one.state, one.row) for one in taken.snapshot.memory.timers}
        for one in before.snapshot.memory.timers:
            which = Which(one.state, one.row)
            if one != timer and which not in left and is_the_authors(self.flow, one) and self._is_sooner(first, which):
                yield which, first

    def _is_sooner(self, first: Which, other: Which) -> bool:
        """Whether one timer runs from no later than the other, and is no longer."""
        mine, its = self._row(first), self._row(other)
        if not within(other.state, first.state) or mine.seconds > its.seconds or mine.kind == "every":
            return False
        if first.state == other.state and mine.kind == its.kind:
            return False
        return mine.kind == "after" or its.kind == "silence"

    def _row(self, which: Which) -> TimerRow:
        return self.flow.states[which.state].timers[which.row]

    def found(self, exploration: Exploration, seen: Seen[tuple[Which, Which]]) -> Suspects:
        for (which, first), passage in _quiet_first(seen).items() if exploration.finished else ():
            if which in self.fired:
                continue
            row, sooner = self._row(which), self._row(first)
            where = "of the same state" if first.state == which.state else f"of {named(first.state)}"
            yield Suspect(
                warning(
                    "row-never-taken", f"`{row.kind}: {row.text}` is never due in {named(which.state)}: `{sooner.kind}: {sooner.text}` {where} "
                    "leads out of it before",
                    row.position, "write a shorter time here, or a longer one there", len(row.text),
                ),
                passage[0], frozenset({which.state}), (passage,), f"`{row.kind}: {row.text}` is never due.",
            )  # fmt: skip


class CutShort:
    """A call to somebody, or a transfer, that the state's own `after` cuts each time before the time that it has is out."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[Source, Which]]:
        running = before.snapshot.memory.effects
        timer = _fired(before, event)
        if timer is None or timer.kind != "after" or not is_the_authors(self.flow, timer):
            return
        for effect in taken.effects:
            cut = running.get(effect.id) if isinstance(effect, Cancel) else None
            if cut is not None and cut.source[:2] == ("entry", timer.state) and verb_of(cut.verb).wants_rows:
                yield cut.source, Which(timer.state, timer.row)

    def found(self, exploration: Exploration, seen: Seen[tuple[Source, Which]]) -> Suspects:
        for (source, which), passage in _quiet_first(seen).items() if exploration.finished else ():
            action, row = action_at(self.flow, source), self.flow.states[which.state].timers[which.row]
            seconds = None if action is None else _its_time(action)
            if action is None or seconds is None or row.seconds >= seconds or not sure(row.transitions):
                continue
            yield Suspect(
                warning(
                    "cut-short", f"`after: {row.text}` leaves {named(which.state)} before the {format_duration(seconds)} are out that "
                    f"`{action.verb}` has there", row.position, f"stay longer, or write a shorter time for `{action.verb}`: its rows say what comes then",
                    len(row.text),
                ),
                passage[0], frozenset({which.state}), (passage,),
            )  # fmt: skip


_Key = TypeVar("_Key", bound=Hashable)


def _quiet_first(seen: Seen[_Key]) -> dict[_Key, Passage]:
    """Of all that was noticed a passage at which nothing is being said, if there is one: nobody speaks for as long as timers take."""
    return first_seen(
        sorted(seen, key=lambda one: any(says(it.verb) for it in one[1][0].snapshot.memory.effects.values()))
    )


def _fired(before: Situation, event: Input) -> Timer | None:
    if not isinstance(event, TimerFired):
        return None
    return next(one for one in before.snapshot.memory.timers if one.generation == event.generation)


def _its_time(action: Action) -> float | None:
    """For how long it may ring, and for how long it may take in all, where an author has written that; None where neither counts. How
    long a dial may ring that nobody has written is no wish of anybody's; what is talked about, or handed over, is there all the same."""
    verb, rings = verb_of(action.verb), action.arguments.get("ringing_timeout")
    times = [action.timeout] if action.timeout is not None and verb.timeout not in (None, action.timeout) else []
    usual = verb.arguments["ringing_timeout"].default if "ringing_timeout" in verb.arguments else None
    if isinstance(rings, (int, float)) and (verb.occupies or rings != usual):
        times.append(rings)
    return min(max(times), action.timeout or max(times)) if times else None
