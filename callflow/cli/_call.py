"""What is printed of a call: its lines as it happens, how it has ended, the way that it took."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import define, field
from rich.text import Text

from callflow.cli._sheet import BAD, FAINT, GOOD, NAME, SAID, TIME, Sheet, cut
from callflow.core.actions import VERBS
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Snapshot, Start, Step
from callflow.core.statechart.structure import inside
from callflow.diagram import Marks, graph_of, to_text
from callflow.errors import printable
from callflow.runtime.record import CallRecord

LAPSE = 5.0
"""Seconds of a call in which nothing is to be seen: the line that follows says how many."""

EVENT, STATE = 25, 20
"""Columns."""

_NOTED = {"outcome": "outcome {name}", "log": "log: {message}", "kept": "kept for later"}
"""What a step notes beside moving that is told."""


@define(eq=False)
class Lines:
    """The lines of a call as it happens: time, event, state, effects; and in between what people say."""

    sheet: Sheet
    flow: Flow
    _last: float = 0.0
    _began: float | None = None
    _before: Snapshot | None = None
    _verbs: dict[int, str] = field(factory=dict)
    _headed: bool = False

    def said(self, at: float, who: str, what: str) -> None:
        line = self._at(max(at, self._last))
        line.append(f"{who}: ", NAME)
        first, *more = textwrap.wrap(printable(what), self.sheet.console.width - len(line)) or [""]
        line.append(first, SAID)
        self.sheet.console.print(line)
        for rest in more:
            self.sheet.console.print(Text(" " * (len(line) - len(first))).append(rest, SAID))

    def step(self, at: float, step: Step, *, told: bool = False) -> None:
        """What a step has done; `told`: also where that is nothing."""
        started = [effect for effect in step.effects if isinstance(effect, Start)]
        stopped = [effect for effect in step.effects if isinstance(effect, Cancel)]
        self._verbs |= {effect.id: effect.verb for effect in started}
        if step.moves or started or stopped or told or any(note.kind == "log" for note in step.notes):
            self._print(at, step, started, stopped)
        self._before = step.snapshot

    def pass_over(self, at: float, step: Step) -> None:
        """The same, of which nothing is printed: it was before."""
        self._headed = True
        self._began = at if self._began is None else self._began
        self._last = max(self._last, at)
        self._verbs |= {effect.id: effect.verb for effect in step.effects if isinstance(effect, Start)}
        self._before = step.snapshot

    def _print(self, at: float, step: Step, started: Sequence[Start], stopped: Sequence[Cancel]) -> None:
        if not self._headed:
            self._headed = True
            self.sheet.console.print(
                Text(f"  {'time':>5}  {'event':<{EVENT}} {'state':<{STATE}} effects started", FAINT)
            )
        line = self._at(at)
        line.append(f"{cut(printable(self._event(step)), EVENT):<{EVENT}} ")
        before = self._before.configuration if self._before else ()
        states = step.snapshot.configuration if step.snapshot.configuration != before else ()
        state = " ".join(".".join(path.split(".")[-2:]) for path in states)
        line.append(f"{cut(printable(state), STATE):<{STATE}} ", "bold")
        effects = [f"{brief(effect)}" for effect in started] + [f"stop {self._verbs.get(e.id, '')}" for e in stopped]
        named = [_NOTED[note.kind].format(**note.data) for note in step.notes if note.kind in _NOTED]
        told = printable(", ".join(named + effects))
        line.append(cut(told, max(self.sheet.console.width - len(line), 10)), FAINT)
        self.sheet.console.print(line)

    def _at(self, at: float) -> Text:
        if self._began is None:
            self._began = at
        if at - self._last > LAPSE and self._headed:
            gap = f"  {'':5}  ⋯ {at - self._last:.0f} s, time-lapsed"
            self.sheet.console.print(Text(gap, FAINT))
        self._last = at
        return Text(f"  {at - self._began:5.1f}  ", TIME)

    def _event(self, step: Step) -> str:
        event = step.event
        if isinstance(event, Event):
            return event.name
        if isinstance(event, EffectEnded):
            result = event.result.get("result")
            verb = self._verbs.get(event.id, "effect")
            ended = f": {result}" if result else " ended" if event.status == "ok" else f" {event.status}"
            return f"{verb}{ended}"
        if isinstance(event, TimerFired) and self._before is not None:
            timers = {timer.generation: timer for timer in self._before.memory.timers}
            timer = timers.get(event.generation)
            if timer is not None and timer.kind in ("after", "every", "silence"):
                return f"{timer.kind} {self.flow.states[timer.state].timers[timer.row].text}"
            return "timer"
        return "the call begins"


def outcome(sheet: Sheet, record: CallRecord, more: str = "") -> None:
    """How a call has ended, and what else there is to say of that."""
    line = Text("  outcome  ", FAINT)
    line.append(printable(record.outcome), f"bold {GOOD if record.outcome != 'failed' else BAD}")
    line.append(f"   hung up by {record.hung_up_by}, {record.seconds:.1f} s{more}", FAINT)
    sheet.console.print()
    sheet.console.print(line)


def facts(sheet: Sheet, record: CallRecord, **more: str) -> None:
    """What a record says of a call."""
    answered = f"answered after {record.answered - record.started:.1f} s" if record.answered else "never answered"
    inner = [visit for visit in record.states if not any(inside(other.state, visit.state) for other in record.states)]
    told = {
        "cause": f"{record.cause.event} in {record.cause.state}",
        "times": f"{answered}, {record.seconds:.1f} s in all",
        "states": ", ".join(f"{visit.state} {visit.seconds:.1f}s" for visit in inner),
        "effects": ", ".join(_brief_effect(effect) for effect in record.effects),
        **more,
    }
    for key, value in told.items():
        if value:
            sheet.wrap(printable(value), style="", indent=f"    {key:9}")


def way(sheet: Sheet, flow: Flow, steps: Iterable[Step]) -> Marks:
    """The way that a call took through its flow, as a picture in text; what is marked in it."""
    moves = [move for step in steps for move in step.moves]
    visited = frozenset(state for move in moves for state in move.entered)
    marks = Marks(visited, frozenset(row for move in moves for row in move.transitions), frozenset(), {})
    sheet.console.print()
    text = to_text(graph_of(flow, marks), width=sheet.console.width - 2, details=False)
    for line in text.splitlines():
        sheet.line("  " + printable(line), style="yellow" if "●" in line or "▶" in line else FAINT)
    return marks


def brief(effect: Start) -> str:
    """An effect as its author would write it, short; what is private is not shown."""
    verb = VERBS.get(effect.verb)
    if verb is None or verb.main is None:
        return effect.verb
    argument = verb.arguments[verb.main]
    value = "(private)" if argument.pii else effect.arguments.get(verb.main)
    return f"{effect.verb}: {value}" if value not in (None, "") else effect.verb


def _brief_effect(effect: Any) -> str:
    ended = "" if effect.status == "ok" else f" {effect.status}"
    return f"{effect.verb} {effect.seconds:.1f}s{ended}"
