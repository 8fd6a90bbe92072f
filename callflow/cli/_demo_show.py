"""What `callflow demo` prints."""

from __future__ import annotations

import inspect
import json
import logging
import math
import os
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from attrs import define, field
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

import callflow
from callflow.cli import _demo_calls as calls
from callflow.cli._shipped import shipped_flow
from callflow.core.actions import VERBS
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Snapshot, Start, Step
from callflow.core.statechart.structure import inside
from callflow.diagram import DiagramError, Marks, draw, graph_of, to_text
from callflow.runtime.record import CallRecord
from callflow.testing.play import Stage

WIDEST = 100
SPEED = 12.0
LAPSE = 5.0
"""Seconds of a call in which nothing is to be seen: the line that follows says how many."""

EVENT, STATE = 25, 20
"""Columns."""
STILL = 1.5
"""Seconds after the last sound from which on the caller notices the silence."""

FAINT, TIME, NAME, GOOD, BAD, SAID = "bright_black", "bright_black", "cyan", "green", "red", "italic"


@define(eq=False)
class Column:
    """One of the two calls, as it happens."""

    title: str
    lines: list[tuple[float, str, str]] = field(factory=list)
    silence: float = 0.0

    def add(self, at: float, who: str, what: str) -> None:
        self.lines.append((at, who, what))
        self.lines.sort(key=lambda line: line[0])

    def text(self, width: int) -> Text:
        shown = Text()
        for at, who, what in self.lines:
            begin = "" if who == "line" else f"{who}: "
            told = f"line {what}" if who == "line" else f"{begin}{what}"
            style = f"bold {GOOD}" if who == "line" else SAID if what.startswith("“") else ""
            first, *more = textwrap.wrap(told, width - 7)
            shown.append(f"{at:5.1f}  ", TIME)
            shown.append(begin, NAME)
            shown.append("\n".join([first[len(begin) :], *(" " * 7 + line for line in more)]) + "\n", style)
        if self.silence > STILL:
            shown.append(f"{'':7}silence for {self.silence:.0f} s", f"bold {BAD}")
        return shown


class Paper(Console):
    """Where it is printed. Who has read enough (`| head`) ends the demo, in the middle of a call."""

    def on_broken_pipe(self) -> None:
        os._exit(1)


@define(eq=False)
class Show:
    """One run of the demo."""

    caller: str | None = None
    fast: bool = False
    out: Path | None = None
    console: Console = field(init=False)
    speed: float = field(init=False)
    folder: Path = field(init=False)
    _parts: int = field(default=0, init=False)
    _live: Live | None = field(default=None, init=False)
    _columns: tuple[Column, Column] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.console = Paper(highlight=False, soft_wrap=False, emoji=False, markup=False)
        self.console.width = max(min(self.console.width, WIDEST), 60)
        live = self.console.is_terminal and not self.fast
        self.speed = SPEED if live else math.inf
        self.folder = self.out or Path(tempfile.mkdtemp(prefix="callflow-demo-"))
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        # LiveKit warns of what the first call does wrong; that is what it is here for.
        logging.getLogger("livekit").setLevel(logging.CRITICAL)
        logging.getLogger("callflow").setLevel(logging.ERROR)
        began = time.perf_counter()
        self._head()
        if self.caller is None:
            self._twice()
        self._flow("outbound", "An outbound call", _OUTBOUND)
        self._flow("inbound", "An inbound call", _INBOUND)
        self._tail(time.perf_counter() - began)

    # -- the parts

    def _head(self) -> None:
        self._wrap(
            f"Real: livekit-agents {version('livekit-agents')}, its AgentSession, its job. Simulated: the room, the "
            "telephone network, the models, and the people. No server, no key, no network. "
            "Waits are time-lapsed; the times are the call's own, in seconds.",
            style=FAINT,
        )

    def _twice(self) -> None:
        self._part("The caller is done. The same call twice")
        flow = callflow.load(shipped_flow("smallest"))
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(calls.ByHand.end_call)))
        self._line("By hand, a tool that says goodbye and hangs up:")
        self._code(source)
        self._line(f"As a flow, {flow.file}:")
        self._code("\n".join(_rows_of(Path(flow.file), "tool.end_call", self.console.width - 4)))
        left, right = Column("by hand"), Column("as a flow")
        hand = calls.Side(left.add, lambda seconds: self._silence(left, seconds))
        well = calls.Side(right.add, lambda seconds: self._silence(right, seconds))
        self._columns = (left, right)
        if self.speed < math.inf:
            with Live(self._table(), console=self.console, auto_refresh=False, transient=False) as self._live:
                calls.play(calls.both(flow, hand, well), speed=self.speed)
                right.silence = 0.0
                self._live.update(self._table(), refresh=True)
        else:
            calls.play(calls.both(flow, hand, well), speed=self.speed)
            right.silence = 0.0
            self.console.print(self._table())
        self._wrap(
            f"By hand: watched for {calls.WATCHED:.0f} s, and the caller is still there. drain() waits for the tool, the "
            "tool waits for drain(): the session never closes, the line is never dropped."
        )
        self._wrap(
            f"As a flow: the tool only tells the flow, and the flow hangs up: goodbye, drain, line, session, job."
            f" The line dropped {well.dropped_after or 0:.1f} s after the last sound, nothing of it was cut."
        )

    def _silence(self, column: Column, seconds: float) -> None:
        column.silence = seconds
        if self._live is not None:
            self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        left, right = self._columns
        half = (self.console.width - 3) // 2
        table = Table(box=None, padding=(0, 1, 0, 0), show_header=True, header_style="bold", pad_edge=False)
        table.add_column(left.title, width=half, overflow="fold")
        table.add_column(right.title, width=half, overflow="fold")
        table.add_row(left.text(half), right.text(half))
        return table

    def _flow(self, name: str, title: str, stories: Mapping[str, str]) -> None:
        """A call of a shipped flow, where there is a story of it for this far end."""
        kind = self.caller or "talks"
        if kind not in stories:
            return
        file = shipped_flow(name)
        flow = callflow.load(file)
        self._part(f"{title}: {file}")
        self._wrap(stories[kind], style=FAINT)
        lines = Lines(self, flow)
        shown = calls.Shown(lines.said, lines.step)
        stage: Stage = calls.play(shown.play(flow, kind, self.folder / name), speed=self.speed)
        record = stage.record
        if record is None:
            raise click.ClickException(f"{file}: the call has left no record")
        self._outcome(record, stage)
        self._journal(record)
        self._record(record)
        self._diagram(flow, stage, name)

    def _outcome(self, record: CallRecord, stage: Stage) -> None:
        self.console.print()
        line = Text("  outcome  ", FAINT)
        line.append(record.outcome, f"bold {GOOD if record.outcome != 'failed' else BAD}")
        line.append(f"   hung up by {record.hung_up_by}, {record.seconds:.1f} s", FAINT)
        far = stage.far_end
        if far is not None and far.left is not None and far.heard and record.hung_up_by == "agent":
            line.append(f", {far.dead_air:.1f} s after the last sound", FAINT)
        self.console.print(line)

    def _journal(self, record: CallRecord) -> None:
        if record.journal is None:
            return
        rows = Path(record.journal).read_text(encoding="utf-8").splitlines()
        self._file(f"journal  {len(rows)} lines in ", record.journal)
        self._line("           the last three in which the call moved:", style=FAINT)
        for row in [row for row in rows if '"moves"' in row][-3:]:
            data = json.loads(row)
            brief = {key: data[key] for key in ("seq", "event", "ended", "verb", "timer") if key in data}
            brief["rows"] = [Path(at).name for move in data["moves"] for at in move.get("rows", ())]
            brief["states"] = data["states"]
            self._wrap(json.dumps(brief), style=FAINT, indent="    ")

    def _record(self, record: CallRecord) -> None:
        if record.journal is not None:
            self._file("record   ", str(Path(record.journal).with_suffix(".json")))
        answered = f"answered after {record.answered - record.started:.1f} s" if record.answered else "never answered"
        inner = [
            visit for visit in record.states if not any(inside(other.state, visit.state) for other in record.states)
        ]
        facts = {
            "cause": f"{record.cause.event} in {record.cause.state}",
            "times": f"{answered}, {record.seconds:.1f} s in all",
            "states": ", ".join(f"{visit.state} {visit.seconds:.1f}s" for visit in inner),
            "effects": ", ".join(_brief_effect(effect) for effect in record.effects),
            "said": f"{len(record.transcript)} messages in the transcript",
        }
        for key, value in facts.items():
            self._wrap(value, style="", indent=f"    {key:9}")

    def _diagram(self, flow: Flow, stage: Stage, name: str) -> None:
        visited = {state for step in stage.steps for state in step.entered}
        taken = {row for step in stage.steps for move in step.moves for row in move.transitions}
        marks = Marks(frozenset(visited), frozenset(taken), frozenset(), {})
        self.console.print()
        text = to_text(graph_of(flow, marks), width=self.console.width - 2, details=False)
        for line in text.splitlines():
            style = "yellow" if "●" in line or "▶" in line else FAINT
            self._line("  " + line, style=style)
        picture = self.folder / f"{name}.svg"
        try:
            picture.write_bytes(draw(flow, "svg", visited=visited, taken=taken))
            self._file("diagram  the path that this call took: ", str(picture))
        except DiagramError as error:
            self._wrap(f"no picture: {error}", style=FAINT, indent="  diagram  ")

    def _tail(self, seconds: float) -> None:
        self._title("Try next")
        other = "voicemail" if self.caller != "voicemail" else "silent"
        program, outbound = _program(), shipped_flow("outbound")
        for what, why in (
            (f"demo --caller {other}", "the same with another far end; --help lists them"),
            (f"check {outbound}", "every defect of a flow at once"),
            (f"draw {outbound} -o outbound.svg", "its picture"),
        ):
            self._line(f"  # {why}", style=FAINT)
            self.console.print(Text(f"  {program} {what}"), soft_wrap=True)
        self._line(f"({seconds:.0f} s)", style=FAINT)

    # -- lines

    def _part(self, text: str) -> None:
        """The next part's title, with its number."""
        self._parts += 1
        self._title(f"{self._parts}  {text}")

    def _title(self, text: str) -> None:
        self.console.print()
        self.console.rule(Text(f" {text} ", "bold"), align="left", characters="─", style=FAINT)

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(_cut(text, self.console.width), style))

    def _file(self, text: str, path: str) -> None:
        """A line with a path at its end, which is never cut, and on a line of its own where it does not fit."""
        fits = len(text) + len(path) + 2 <= self.console.width
        self._line(f"  {text}{path if fits else ''}", style=FAINT)
        if not fits:
            self.console.print(Text(f"    {path}", FAINT), soft_wrap=True)

    def _wrap(self, text: str, *, style: str = "", indent: str = "") -> None:
        lines = textwrap.wrap(text, self.console.width - len(indent), break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            shown = Text(indent if number == 0 else " " * len(indent), FAINT)
            shown.append(line, style)
            self.console.print(shown)

    def _code(self, source: str) -> None:
        for line in source.rstrip().splitlines():
            self._line("    " + line, style="yellow")


@define(eq=False)
class Lines:
    """The lines of a call as it happens: time, event, state, effects; and in between what people say."""

    show: Show
    flow: Flow
    _last: float = 0.0
    _began: float | None = None
    _before: Snapshot | None = None
    _verbs: dict[int, str] = field(factory=dict)
    _headed: bool = False

    def said(self, at: float, who: str, what: str) -> None:
        line = self._at(max(at, self._last))
        line.append(f"{who}: ", NAME)
        line.append(_cut(what, self.show.console.width - len(line)), SAID)
        self.show.console.print(line)

    def step(self, at: float, step: Step) -> None:
        started = [effect for effect in step.effects if isinstance(effect, Start)]
        stopped = [effect for effect in step.effects if isinstance(effect, Cancel)]
        self._verbs |= {effect.id: effect.verb for effect in started}
        if step.moves or started or stopped:
            self._print(at, step, started, stopped)
        self._before = step.snapshot

    def _print(self, at: float, step: Step, started: Sequence[Start], stopped: Sequence[Cancel]) -> None:
        if not self._headed:
            self._headed = True
            self.show.console.print(
                Text(f"  {'time':>5}  {'event':<{EVENT}} {'state':<{STATE}} effects started", FAINT)
            )
        line = self._at(at)
        line.append(f"{_cut(self._event(step), EVENT):<{EVENT}} ")
        before = self._before.configuration if self._before else ()
        states = step.snapshot.configuration if step.snapshot.configuration != before else ()
        state = " ".join(".".join(path.split(".")[-2:]) for path in states)
        line.append(f"{_cut(state, STATE):<{STATE}} ", "bold")
        effects = [f"{_brief_start(effect)}" for effect in started] + [
            f"stop {self._verbs.get(e.id, '')}" for e in stopped
        ]
        outcome = [f"outcome {note.data['name']}" for note in step.notes if note.kind == "outcome"]
        line.append(_cut(", ".join(outcome + effects), max(self.show.console.width - len(line), 10)), FAINT)
        self.show.console.print(line)

    def _at(self, at: float) -> Text:
        if self._began is None:
            self._began = at
        if at - self._last > LAPSE and self._headed:
            gap = f"  {'':5}  ⋯ {at - self._last:.0f} s, time-lapsed"
            self.show.console.print(Text(gap, FAINT))
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


def _brief_start(effect: Start) -> str:
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


def _rows_of(file: Path, word: str, width: int) -> Iterator[str]:
    """The line of a flow file in which `word` stands, with the key above it."""
    lines = file.read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{word}:"))
    for line in textwrap.dedent("\n".join(lines[at - 1 : at + 1])).splitlines():
        head, comma, tail = line.partition(", do:")
        if len(line) <= width or not comma:
            yield line
        else:
            yield f"{head},"
            yield " " * (head.index("{") + 1) + f"do:{tail}"


def _program() -> str:
    """How `callflow` is called from here: by its name, or, where it is not on the PATH, by its path."""
    called = Path(sys.argv[0])
    if shutil.which("callflow") or called.name != "callflow":
        return "callflow"
    here = Path.cwd()
    return str(called.relative_to(here) if called.is_absolute() and called.is_relative_to(here) else called)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"


_OUTBOUND: Mapping[str, str] = {
    "talks": "The customer answers after 4 s, and talks.",
    "silent": "The customer answers after 4 s, and says nothing.",
    "hangs-up": "The customer answers after 4 s, and hangs up while the agent speaks.",
    "hangs-up-at-once": "The customer picks up after 4 s, and hangs up 20 ms later.",
    "voicemail": "A voicemail answers after 18 s.",
    "mailbox-full": "A voicemail answers after 18 s, and takes no messages.",
    "menu": "A menu answers after 2 s.",
    "screening": "The customer's telephone answers after 2 s, and asks who is calling.",
    "busy": "The line is busy (SIP 486).",
    "no-answer": "Nobody answers.",
    "declines": "The customer's telephone rings, and is turned away (SIP 603).",
    "invalid": "There is no such number (SIP 404).",
    "unavailable": "The customer's telephone is switched off (SIP 480).",
    "fails": "The carrier cannot place the call (SIP 503).",
    "unreachable": "Nothing at all comes back from the carrier.",
}
_INBOUND: Mapping[str, str] = {
    "talks": "It is Saturday evening. Somebody calls the front desk and wants to speak to a person.",
    "silent": "Somebody calls the front desk, and says nothing.",
    "hangs-up": "Somebody calls the front desk, and hangs up while the agent speaks.",
}
