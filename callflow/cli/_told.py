"""What is told of a call as it goes on, from what the scenario's world knows of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from attrs import define, field
from rich.text import Text

from callflow.cli._call import Lines, facts, outcome, way
from callflow.cli._sheet import FAINT, Sheet
from callflow.core.events import MAIN_LEG, Event
from callflow.core.flow import Flow
from callflow.errors import printable
from callflow.runtime.record import CallRecord
from callflow.scenario import Scenario
from callflow.scenario.call import Call, Heard, Taken
from callflow.scenario.clock import moment_shown
from callflow.scenario.expectations import value_shown

AT_ONCE = math.inf


@define(eq=False)
class Pace:
    """How fast the time of a call passes for whoever watches: so many times as fast as it is, and no wait longer than that."""

    speed: float = AT_ONCE
    longest: float = AT_ONCE
    sleep: Callable[[float], None] = time.sleep
    _now: float = 0.0

    def until(self, seconds: float) -> None:
        """It is that long after the start of the call."""
        passed, self._now = seconds - self._now, max(seconds, self._now)
        if passed > 0 and self.speed < AT_ONCE:
            self.sleep(min(passed / self.speed, self.longest))


@define(eq=False)
class Teller:
    """Tells one call."""

    sheet: Sheet
    flow: Flow
    pace: Pace = field(factory=Pace)
    _lines: Lines = field(init=False)
    _taken: int = 0
    _heard: int = 0

    def __attrs_post_init__(self) -> None:
        self._lines = Lines(self.sheet, self.flow)

    def head(self, scenario: Scenario) -> None:
        """How it begins."""
        self.sheet.console.print(Text(printable(f"{self.flow.name}: {self.flow.file}"), "bold"), soft_wrap=True)
        told = [f"begins {moment_shown(scenario.start)}"]
        told += [f"{name}: {value_shown(value)}" for name, value in scenario.vars.items()]
        told += [f"{name}={value}" for name, value in scenario.env.items()]
        self.sheet.wrap(printable(", ".join(told)), style=FAINT)

    def news(self, call: Call) -> None:
        """What has happened since it was told last."""
        self.more(call.taken[self._taken :], call.heard[self._heard :], call.began)
        self._taken, self._heard = len(call.taken), len(call.heard)

    def more(self, taken: Sequence[Taken], heard: Sequence[Heard], began: float) -> None:
        """These steps, and what was heard in them."""
        for one in _in_order(taken, heard, began):
            self.pace.until(one.ended - began if isinstance(one, Heard) else one.time)
            self._tell(one, began)

    def begin_again(self, call: Call) -> None:
        """It was taken back: what was told already is not told again."""
        self._lines = Lines(self.sheet, self.flow)
        for one in call.taken:
            self._lines.pass_over(one.time, one.step)
        self._taken, self._heard = len(call.taken), len(call.heard)

    def end(self, record: CallRecord) -> None:
        """How it has ended."""
        outcome(self.sheet, record)
        facts(self.sheet, record)

    def way(self, taken: Sequence[Taken]) -> None:
        """Which way it took."""
        way(self.sheet, self.flow, [one.step for one in taken])

    def _tell(self, one: Taken | Heard, began: float) -> None:
        if isinstance(one, Heard):
            by = "" if MAIN_LEG in one.legs or not one.legs else f" (to {', '.join(one.legs)})"
            text = f"{one.text}…" if one.cut else one.text
            self._lines.said(one.began - began, f"agent{by}", text if text.startswith("(") else f"“{text}”")
            return
        event = one.step.event
        if isinstance(event, Event) and event.name == "session.user_input_transcribed":
            who = "callee" if self.flow.outbound else "caller"
            self._lines.said(one.time, who, f"“{event.data.get('transcript', '')}”")
        if isinstance(event, Event) and event.name == "session.error":
            self._lines.said(one.time, "session", f"an error: {event.data.get('error', '')}")
        self._lines.step(one.time, one.step, told=isinstance(event, Event) and not event.name.startswith("session."))


def _in_order(taken: Sequence[Taken], heard: Sequence[Heard], began: float) -> list[Taken | Heard]:
    """What was heard stands before what came of it."""
    each: list[tuple[float, int, Taken | Heard]] = [(round(one.ended - began, 6), 0, one) for one in heard]
    each += [(one.time, 1, one) for one in taken]
    return [one for _, _, one in sorted(each, key=lambda one: one[:2])]
