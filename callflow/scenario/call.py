"""A call on the pure core alone: inputs in their order, each of which must be able to happen, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import afterwards, refused
from callflow.core.snapshot import Leg, Running, Snapshot, Step, Timer
from callflow.core.step import start, step
from callflow.errors import CallflowError
from callflow.runtime.course import Log, cause_of, record_of
from callflow.runtime.record import CallRecord, Cause
from callflow.scenario.running import is_given_up

MOST_INPUTS = 10_000
"""Of one call: who has taken so many goes round in circles."""

_NONE = Leg(MAIN_LEG, "absent")
_THERE = ("on_line", "dropped", "hold")


class Impossible(CallflowError):
    """What a scenario says cannot happen then; the message is the reason."""


class Unending(CallflowError):
    """A call that goes on and on; the message says where it stands."""


class Heard(NamedTuple):
    """What somebody was told: the text as far as it was said, by whom it was heard, and whether it was cut."""

    began: float
    ended: float
    text: str
    legs: tuple[str, ...]
    cut: bool = False


class Taken(NamedTuple):
    """One step of the call: its time (seconds since the call began), what happened, and what came of it; what is so after it.
    `timer` is the timer that has come due, `effect` the one that has ended."""

    time: float
    step: Step
    facts: Facts = AT_FIRST
    timer: Timer | None = None
    effect: Running | None = None


def follows(flow: Flow, before: Taken, step: Step, time: float) -> Taken:
    """The step that comes after another."""
    entry, snapshot = step.event, before.step.snapshot
    if entry is None:
        return Taken(time, step)
    facts = afterwards(flow, snapshot, before.facts, entry)
    if isinstance(entry, EffectEnded):
        return Taken(time, step, facts, None, snapshot.memory.effects.get(entry.id))
    if isinstance(entry, TimerFired):
        timers = snapshot.memory.timers
        return Taken(time, step, facts, next((one for one in timers if one.generation == entry.generation), None))
    return Taken(time, step, facts)


class Seen:
    """A call as far as it has come: its steps, and what was heard. `began` and `now` are in seconds since the epoch; `tolerance` is by how many
    seconds its times may differ from those that are expected."""

    tolerance = 0.001
    unsure = 0.0  # seconds of a speech that was cut which may have been heard or not

    def __init__(self, flow: Flow, first: Step, time: float) -> None:
        self.flow = flow
        self.began = self.now = time
        self.snapshot: Snapshot = first.snapshot
        self.facts: Facts = AT_FIRST
        self.heard: list[Heard] = []
        self.taken: list[Taken] = [Taken(0.0, first)]
        self._log = Log(ending=flow.ending, now=time, told_by="worker")  # no program is here to end it
        self._logged = 0  # how many of the steps are in it: most calls are asked for their record once

    def follow(self, found: Step, time: float) -> None:
        """It has taken this step."""
        if len(self.taken) > MOST_INPUTS:
            raise Unending(f"{MOST_INPUTS:,} inputs, and the call has not ended: it is in {self.where}")
        if time > self.now:
            self.now = time
        self.snapshot = found.snapshot
        taken = follows(self.flow, self.taken[-1], found, self.elapsed)
        self.taken.append(taken)
        self.facts = taken.facts

    @property
    def elapsed(self) -> float:
        return round(self.now - self.began, 6)

    @property
    def where(self) -> str:
        """The active states, innermost ones only."""
        return ", ".join(self.snapshot.configuration) or "no state yet"

    @property
    def lately(self) -> Sequence[Taken]:
        """The steps before the last one that count as of this moment."""
        return self.taken[-2:-1]

    def leg(self, name: str = MAIN_LEG) -> Leg:
        """How a party stands; absent where nobody has heard of it."""
        return self.snapshot.memory.legs.get(name, _NONE)

    def states(self, since: int = 0) -> list[str]:
        """The states entered from that step on, in their order."""
        return [path for one in self.taken[since:] for path in one.step.entered if path]

    def refused(self, entry: Input) -> str | None:
        """Why this cannot happen now; None where it can."""
        why = refused(self.flow, self.snapshot, self.facts, entry)
        return "the call is over" if why is None and self.snapshot.ended else why

    @property
    def given_up(self) -> bool:
        """Whether it was told that our own connection has been away for too long, since it was lost last."""
        for one in reversed(self.taken):
            if is_given_up(one.step.event):
                return True
            if isinstance(one.step.event, Event) and one.step.event.name == "room.reconnecting":
                return False
        return False

    @property
    def speech_waits(self) -> bool:
        """Whether what is to be said to the far end waits until somebody hears it."""
        stands = self.leg().status
        nobody = stands in ("absent", "dialing", "ringing", "dropped")
        return self.snapshot.memory.cut_off or "detection" in self.facts or nobody

    @property
    def mute(self) -> str | None:
        """Why the model has no turn of its own now, in a sentence; None where it may have one. Its agent takes over from a silent one when
        the far end is on the line, and it is known who that is."""
        stands = self.leg().status
        memory = self.snapshot.memory
        ends = any(
            "speech" in verb_of(one.verb).closes for one in memory.effects.values()
        )  # LiveKit takes no speech then
        if ends or not {"session", "conversation"} <= self.facts or "speech" in memory.closed:
            return "the conversation is over"
        if "room" not in self.facts or stands not in _THERE:
            return f"the far end is {stands if 'room' in self.facts else 'gone'}"
        return "it is not known yet who has answered" if "detection" in self.facts else None

    def record(self) -> CallRecord:
        """The record of the call as it is now."""
        log = self._logged_until_now()
        return record_of("scenario", self.flow, log, self.snapshot, now=self.now, steps=len(self.taken) - 1)

    @property
    def cause(self) -> Cause:
        """By what the call has ended, as its record says it."""
        return cause_of(self._logged_until_now(), self.snapshot, self.now)

    def _logged_until_now(self) -> Log:
        for number in range(self._logged, len(self.taken)):
            before = self.taken[max(number - 1, 0)].step.snapshot
            self._log.step(self.taken[number].step, before)
        self._logged = len(self.taken)
        return self._log


class Call(Seen):
    """One call on the pure core."""

    def __init__(
        self,
        flow: Flow,
        vars: Mapping[str, Any],  # noqa: A002 - the language's own word
        *,
        time: float,
        env: Mapping[str, str],
        call: Mapping[str, Any],
        waiting: bool,
    ) -> None:
        """Raises StartError."""
        super().__init__(flow, start(flow, vars, time=time, env=env, call=call, waiting=waiting), time)

    def take(self, entry: Input) -> Step:
        """One input, to completion. Raises Impossible where it cannot happen now, Unending."""
        why = self.refused(entry)
        if why is not None:
            raise Impossible(why)
        found = step(self.flow, self.snapshot, entry)
        self.follow(found, entry.time)
        return found
