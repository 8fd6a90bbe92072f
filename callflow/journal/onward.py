"""How a call goes on after the first difference, as far as its journal can tell: what was recorded may not be able to happen any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import afterwards, unfit
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.speaking import REPLY, seconds
from callflow.core.step import step
from callflow.journal.given import Unknown
from callflow.journal.reading import Line
from callflow.journal.replaying import Again, Replayed

MOST = 100_000
"""Steps that a call is followed for."""


class Onward(NamedTuple):
    """The outcome that was recorded, and the one of today; `unknown` says from which line on the latter is not known, and why."""

    was: str
    now: str | None
    unknown: str = ""


def onward(again: Again, done: Iterable[Step], first: Replayed, rest: Iterator[Line]) -> Onward:
    """How a call goes on from its first difference, with the `rest` of its lines. Reads them all."""
    follower = _Follower(again, done, first)
    was, number = _outcome(first.line, None), first.number
    why = follower.unknown
    for line in rest:
        number += 1
        was = _outcome(line, was)
        if not why:
            why = follower.follow(number, line)
    if not why and not follower.snapshot.ended:
        why = follower.follow(number + 1, None)
    memory = follower.snapshot.memory
    return Onward(was or "none", None if why else memory.outcome or ("failed" if memory.fault else "none"), why)


def _outcome(line: Line, before: str | None) -> str | None:
    named = (str(note.get("name")) for note in line.get("notes", ()) if note["kind"] == "outcome")
    broken = "failed" if any(note["kind"] == "fault" for note in line.get("notes", ())) else None
    return before or next(named, None) or broken


class _Follower:
    """The call on the flow of today. `numbers` are those of its effects by the recorded ones; what has none there ends by itself at
    `ends`."""

    def __init__(self, again: Again, done: Iterable[Step], first: Replayed) -> None:
        self._again, self._flow = again, again.flow
        self.facts: Facts = AT_FIRST
        self.numbers: dict[int, int] = {}
        self._ends: dict[int, tuple[float, Start]] = {}
        self._begun = ""  # what begins, and nobody can say how it ends
        self._steps = 0
        snapshot: Snapshot | None = None
        for one in done:
            self._look(snapshot, one)
            self.numbers.update({effect.id: effect.id for effect in one.effects if isinstance(effect, Start)})
            snapshot = one.snapshot
        self.snapshot = first.step.snapshot
        self._look(snapshot, first.step)
        overtaken = isinstance(first.step.event, TimerFired) and "timer" not in first.line
        self._pair({} if overtaken else first.line, first.step)
        self.unknown = f"from line {first.number} on: {self._begun}" if self._begun else ""
        if overtaken and not self.unknown:
            self.unknown = self.follow(first.number, first.line)

    def follow(self, number: int, line: Line | None) -> str:
        """The next line, or what comes after the last; from where on it is not known what happens, and why."""
        try:
            if line is None:
                self._finish()
            else:
                self._take(line)
        except Unknown as why:
            return f"from line {number} on: {why}"
        return ""

    def _take(self, line: Line) -> None:
        """The next line, and before it what comes by itself. Raises Unknown."""
        self._by_itself(line["time"])
        if self.snapshot.ended or "timer" in line or any(note["kind"] == "own" for note in line.get("notes", ())):
            return  # what the flow of then has brought about did not come from outside
        entry = self._entry(line)
        if entry is None:
            return
        why = unfit(self._flow, self.snapshot, self.facts, entry)
        if why is not None:
            if isinstance(entry, Event) and entry.name.startswith(("session.", "room.")):
                return  # which the flow brings about, or LiveKit's own bookkeeping
            raise Unknown(why)
        self._step(entry, line)

    def _finish(self) -> None:
        """What still comes by itself after the last line. Raises Unknown."""
        self._by_itself(float("inf"))
        if not self.snapshot.ended:
            raise Unknown("the call goes on, and nothing more was recorded")

    def _entry(self, line: Line) -> Input | None:
        """The input of a line; None where it is the end of what does not run today."""
        entry = self._again.inputs.read(line, self.snapshot)
        if not isinstance(entry, EffectEnded):
            return entry
        number = self.numbers.pop(entry.id, None)
        if number is None or number not in self.snapshot.memory.effects:
            return None
        effect = self.snapshot.memory.effects[number]
        if entry.status == "cancelled" and not effect.stopping:
            raise Unknown(f"{effect.verb} was cancelled then, and goes on now")
        return entry._replace(id=number)

    def _by_itself(self, until: float) -> None:
        """Timers, and the ends of what ends by itself, that come before that time."""
        while not self.snapshot.ended:
            self._steps += 1
            if self._steps > MOST:
                raise Unknown("the call goes on and on")
            timer = self.snapshot.timers[0] if self.snapshot.timers else None
            due = timer.due if timer is not None else float("inf")
            number, (ends, start) = min(
                self._ends.items(), key=lambda item: item[1][0], default=(0, (float("inf"), None))
            )
            if min(due, ends) >= until or min(due, ends) == float("inf"):
                return
            if start is not None and ends <= due:
                del self._ends[number]
                effect = self.snapshot.memory.effects.get(number)
                if effect is not None:
                    said = {"interrupted": False, "spoken": str(start.arguments.get("text") or ""), "heard": True}
                    result = said if verb_of(start.verb).speech else {}
                    self._step(EffectEnded(number, "cancelled" if effect.stopping else "ok", result, None, ends), {})
            elif timer is not None:
                if until == float("inf") and not self._ends and timer.kind not in ("stop", "settle"):
                    return  # a silence after the last line is nobody's
                self._step(TimerFired(timer.generation, timer.due), {})

    def _step(self, entry: Input, line: Line) -> None:
        before = self.snapshot
        done = step(self._flow, before, entry, recorded=self._again.given(line))
        self._look(before, done)
        self._again.took(line, done)
        self.snapshot = done.snapshot
        self._pair(line, done)
        if self._begun:
            raise Unknown(self._begun)

    def _look(self, before: Snapshot | None, done: Step) -> None:
        if before is not None and done.event is not None:
            self.facts = afterwards(self._flow, before, self.facts, done.event)

    def _pair(self, line: Line, done: Step) -> None:
        """Effects that begin, with those that began then: by their verbs, in their order."""
        recorded = [(one["id"], one["verb"]) for one in line.get("start", ())]
        for effect in done.effects:
            if not isinstance(effect, Start):
                continue
            then = next((one for one in recorded if one[1] == effect.verb), None)
            if then is not None:
                recorded.remove(then)
                self.numbers[then[0]] = effect.id
                continue
            verb = verb_of(effect.verb)
            if verb.results or verb.asks_outside:
                self._begun = f"{effect.verb} begins, and how it ends was not recorded"
            text = effect.arguments.get("text")
            length = (seconds(str(text)) if text is not None else REPLY) if verb.speech else 0.0
            began = done.snapshot.memory.started if done.event is None else done.event.time
            self._ends[effect.id] = (began + length, effect)
