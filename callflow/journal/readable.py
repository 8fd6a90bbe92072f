"""A call as a person would write it down: who says and presses what, which tools the model calls, what ends otherwise than it does by
itself; and none of what goes on by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import evolve

from callflow.core.actions import VERBS, verb_of
from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Forward, Start
from callflow.core.snapshot import Step as Taken
from callflow.core.speaking import seconds
from callflow.scenario.model import Act, Calls, Ending, Ends, Expects, Occurs, Scenario, Speaks, Step
from callflow.scenario.running import usual

_TURN = "session.user_state_changed"
_SAID = "session.user_input_transcribed"
_FAR_END = frozenset(
    {"leg", "identity", "sid", "kind", "name", "number", "trunk", "trunk_number", "sip_call_id", "attributes"}
)
AT_ONCE = 0.1
"""Seconds within which an action ends of what it has heard of."""

_DETECTS = next(verb.name for verb in VERBS.values() if verb.family == "amd")
_KEPT = frozenset({"by", "cause", "reason", "result", "category", "error", "sender"})
"""Fields of payloads that are written though no expression reads them."""


class Course(NamedTuple):
    """A call as it was: what it began with, its inputs, and the steps that came of them."""

    vars: Mapping[str, Any]
    env: Mapping[str, str]
    call: Mapping[str, Any]
    inputs: Sequence[Input]
    steps: Sequence[Taken]

    @property
    def entered(self) -> list[str]:
        """The states, in their order."""
        return [path for step in self.steps for path in step.entered]


def readable(exact: Scenario, course: Course) -> Iterator[Scenario]:
    """The same call in shorter words, the shortest first; whether it takes the same way whoever asks has to see."""
    last = [one for one in exact.steps if isinstance(one.act, Expects)]
    for ends, turns in ((False, True), (True, True), (True, False)):
        writer = _Writer(exact.flow, course, exact.start, last, ends=ends, turns=turns)
        for answered in (True, False):
            shifted = _answered_first(course) if answered else 0
            if shifted is None:
                continue
            steps = writer.steps(skip=shifted)
            read = _names("call", exact.flow) | {"direction", "number"}
            call = {**course.call, **(_who(course) if shifted else {})}
            yield evolve(
                exact,
                steps=[one._replace(when=_later(one.when, exact.start, course, shifted)) for one in steps],
                start=course.inputs[0].time if shifted else exact.start,
                call={name: value for name, value in call.items() if name in read and value is not None},
                waiting=exact.waiting and not shifted,
                effects=_never_end(course, steps),
                exactly=False,
            )


def _never_end(course: Course, steps: Sequence[Step]) -> Mapping[str, Sequence[Ending]]:
    """What was under way until somebody cancelled it, and does not end by itself before."""
    verbs = {one.verb: one.id for step in course.steps for one in step.effects if isinstance(one, Start)}
    cancelled = {one.id for step in course.steps for one in step.effects if isinstance(one, Cancel)}
    ended = {one.act.verb for one in steps if isinstance(one.act, Ends)}
    return {
        verb: (Ending(never=True),)
        for verb, number in verbs.items()
        if number in cancelled and verb not in ended and (verb_of(verb).results or verb_of(verb).asks_outside)
    }


def _answered_first(course: Course) -> int | None:
    """How many inputs there are until the far end is on the line, if that is how the call begins; None where it is not."""
    first = course.inputs[0]
    begins = (
        isinstance(first, Event)
        and first.name == "call.answered"
        and course.steps[0].snapshot.memory.phase == "waiting"
    )
    return 1 if begins else None


def _who(course: Course) -> Mapping[str, Any]:
    first = course.inputs[0]
    return (
        {name: value for name, value in first.data.items() if name in _FAR_END - {"leg"}}
        if isinstance(first, Event)
        else {}
    )


def _later(when: Any, start: float, course: Course, shifted: int) -> Any:
    if not shifted or not isinstance(when, float):
        return when
    return max(round(when - (course.inputs[0].time - start), 3), 0.0)


class _Writer:
    """With `ends` the end of every action is written, else only those that do not come by themselves; with `turns` what the caller says is
    one step, else what LiveKit tells of it."""

    def __init__(
        self, flow: Flow, course: Course, start: float, last: Sequence[Step], *, ends: bool, turns: bool
    ) -> None:
        self._flow, self._course, self._start = flow, course, start
        self._ends, self._turns = ends, turns
        self._read = _names("event", flow) | _KEPT
        self._last = last
        self._answers: dict[int, float] = {}  # effects that have heard of a key or a tool, and when

    def steps(self, skip: int) -> list[Step]:
        """The steps from that input on."""
        found: list[Step] = []
        inputs = self._course.inputs
        spoken: tuple[float, str] | None = None  # since when the caller speaks, and what so far
        for number in range(skip, len(inputs)):
            entry, done, before = inputs[number], self._course.steps[number + 1], self._course.steps[number]
            when = round(entry.time - self._start, 3)
            self._answers.update({one.id: when for one in done.effects if isinstance(one, Forward)})
            if self._turns and isinstance(entry, Event) and entry.name in (_TURN, _SAID):
                if entry.name == _SAID:
                    text = str(entry.data.get("transcript", "")) if entry.data.get("is_final") else ""
                    spoken = None if spoken is None else (spoken[0], f"{spoken[1]} {text}".strip())
                elif entry.data.get("new_state") == "speaking":
                    spoken = when, ""
                    found.append(Step(Speaks(""), when))
                elif spoken is not None:
                    place = max(n for n, one in enumerate(found) if isinstance(one.act, Speaks))
                    found[place] = found[place]._replace(act=Speaks(_as_long(spoken[1], when - spoken[0])))
                    spoken = None
                continue
            act = self._act(entry, done, before)
            if act is None:
                continue
            last = found[-1].act if found else None
            if isinstance(act, Calls) and isinstance(last, Calls) and found[-1].when == when:
                found[-1] = found[-1]._replace(act=Calls((*last.tools, *act.tools)))
            else:
                found.append(Step(act, when))
        return [*(one for one in found if one.act != Speaks("")), *self._last]

    def _act(self, entry: Input, done: Taken, before: Taken) -> Act | None:
        """The step of an input; None for what comes by itself."""
        if isinstance(entry, TimerFired):
            return None
        if isinstance(entry, EffectEnded):
            return self._end(entry, before)
        if any(note.kind == "own" for note in done.notes):
            return None
        family, _, what = entry.name.partition(".")
        if family == "tool":
            return Calls(((what, entry.data),))
        if family == "amd":  # of a dial that listens who has answered
            return Ends(_DETECTS, Ending(result={"result": what, **self._data(entry)}))
        if family in ("session", "room") and not done.moves and not done.effects:
            return (
                None if self._turns or entry.name == "session.agent_state_changed" else Occurs(entry.name, entry.data)
            )
        return Occurs(entry.name, self._data(entry))

    def _data(self, event: Event) -> Mapping[str, Any]:
        """Of a payload what is not as usual, and matters."""
        as_usual = usual(event.name)
        own = event.name.startswith("app.")
        return {
            name: value
            for name, value in event.data.items()
            if value is not None and as_usual.get(name) != value and (own or name in self._read)
        }

    def _end(self, end: EffectEnded, before: Taken) -> Act | None:
        effect = before.snapshot.memory.effects.get(end.id)
        if effect is None or effect.stopping or end.status == "cancelled":
            return None
        verb = verb_of(effect.verb)
        if verb.calls and self._answers.get(end.id, -1.0) >= round(end.time - self._start, 3) - AT_ONCE:
            return None  # by the key, or the tool, that it has just heard of
        by_itself = end.status == "ok" and not verb.results and not verb.asks_outside
        if by_itself and (not self._ends or not verb.speech):
            return None
        result = {name: value for name, value in end.result.items() if value is not None and name != "leg"}
        if end.status != "ok":
            return Ends(effect.verb, Ending(end.status, error=end.error if end.status == "failed" else None))
        if not self._ends and not verb.asks_outside:
            result = {
                name: value
                for name, value in result.items()
                if name in self._read or name in ("result", "digits", "value")
            }
        return Ends(effect.verb, Ending(result=result), leg=effect.leg if verb.calls and effect.leg else None)


def _as_long(text: str, length: float) -> str:
    """A text that takes so many seconds to say: what nobody knows the words of is filled up, or cut."""
    text = text or "…"
    if not text.startswith("private ") or seconds(text) >= length:
        return text
    letters = max(round(len(text) * length / seconds(text)), len(text))
    return (text + " words" * letters)[: letters + 1].rpartition(" ")[0] if letters > len(text) + 6 else text


def _names(root: str, flow: Flow) -> frozenset[str]:
    """The fields of `event` or `call` that a flow reads somewhere."""
    return frozenset(name for text in flow.texts for name in re.findall(rf"\b{root}\.(\w+)", text))
