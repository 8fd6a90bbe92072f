"""What `callflow demo` prints."""

from __future__ import annotations

import inspect
import json
import logging
import math
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import click
from attrs import define, field
from rich.live import Live
from rich.table import Table
from rich.text import Text

import callflow
from callflow.cli import _demo_calls as calls
from callflow.cli._call import Lines, facts, outcome, way
from callflow.cli._sheet import BAD, FAINT, GOOD, NAME, SAID, TIME, Sheet
from callflow.cli._shipped import shipped_flow
from callflow.core.flow import Flow
from callflow.diagram import DiagramError, draw
from callflow.runtime.record import CallRecord
from callflow.testing.play import Stage

SPEED = 12.0
STILL = 1.5
"""Seconds after the last sound from which on the caller notices the silence."""


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


@define(eq=False)
class Show:
    """One run of the demo."""

    caller: str | None = None
    fast: bool = False
    out: Path | None = None
    sheet: Sheet = field(factory=Sheet)
    speed: float = field(init=False)
    folder: Path = field(init=False)
    _parts: int = field(default=0, init=False)
    _live: Live | None = field(default=None, init=False)
    _columns: tuple[Column, Column] = field(init=False)

    def __attrs_post_init__(self) -> None:
        live = self.sheet.console.is_terminal and not self.fast
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
        self.sheet.wrap(
            f"Real: livekit-agents {version('livekit-agents')}, its AgentSession, its job. Simulated: the room, the "
            "telephone network, the models, and the people. No server, no key, no network. "
            "Waits are time-lapsed; the times are the call's own, in seconds.",
            style=FAINT,
        )

    def _twice(self) -> None:
        self._part("The caller is done. The same call twice")
        flow = callflow.load(shipped_flow("smallest"))
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(calls.ByHand.end_call)))
        self.sheet.line("By hand, a tool that says goodbye and hangs up:")
        self.sheet.code(source)
        self.sheet.line(f"As a flow, {flow.file}:")
        self.sheet.code("\n".join(_rows_of(Path(flow.file), "tool.end_call", self.sheet.console.width - 4)))
        left, right = Column("by hand"), Column("as a flow")
        hand = calls.Side(left.add, lambda seconds: self._silence(left, seconds))
        well = calls.Side(right.add, lambda seconds: self._silence(right, seconds))
        self._columns = (left, right)
        if self.speed < math.inf:
            with Live(self._table(), console=self.sheet.console, auto_refresh=False, transient=False) as self._live:
                calls.play(calls.both(flow, hand, well), speed=self.speed)
                right.silence = 0.0
                self._live.update(self._table(), refresh=True)
        else:
            calls.play(calls.both(flow, hand, well), speed=self.speed)
            right.silence = 0.0
            self.sheet.console.print(self._table())
        self.sheet.wrap(
            f"By hand: watched for {calls.WATCHED:.0f} s, and the caller is still there. drain() waits for the tool, the "
            "tool waits for drain(): the session never closes, the line is never dropped."
        )
        self.sheet.wrap(
            f"As a flow: the tool only tells the flow, and the flow hangs up: goodbye, drain, line, session, job."
            f" The line dropped {well.dropped_after or 0:.1f} s after the last sound, nothing of it was cut."
        )

    def _silence(self, column: Column, seconds: float) -> None:
        column.silence = seconds
        if self._live is not None:
            self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        left, right = self._columns
        half = (self.sheet.console.width - 3) // 2
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
        self.sheet.wrap(stories[kind], style=FAINT)
        lines = Lines(self.sheet, flow)
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
        far, more = stage.far_end, ""
        if far is not None and far.left is not None and far.heard and record.hung_up_by == "agent":
            more = f", {far.dead_air:.1f} s after the last sound"
        outcome(self.sheet, record, more)

    def _record(self, record: CallRecord) -> None:
        if record.journal is not None:
            self.sheet.file("record   ", str(Path(record.journal).with_suffix(".json")))
        facts(self.sheet, record, said=f"{len(record.transcript)} messages in the transcript")

    def _journal(self, record: CallRecord) -> None:
        if record.journal is None:
            return
        rows = Path(record.journal).read_text(encoding="utf-8").splitlines()
        self.sheet.file(f"journal  {len(rows)} lines in ", record.journal)
        self.sheet.line("           the last three in which the call moved:", style=FAINT)
        for row in [row for row in rows if '"moves"' in row][-3:]:
            data = json.loads(row)
            brief = {key: data[key] for key in ("seq", "event", "ended", "verb", "timer") if key in data}
            brief["rows"] = [Path(at).name for move in data["moves"] for at in move.get("rows", ())]
            brief["states"] = data["states"]
            self.sheet.wrap(json.dumps(brief), style=FAINT, indent="    ")

    def _diagram(self, flow: Flow, stage: Stage, name: str) -> None:
        marks = way(self.sheet, flow, stage.steps)
        picture = self.folder / f"{name}.svg"
        try:
            picture.write_bytes(draw(flow, "svg", visited=marks.visited, taken=marks.taken))
            self.sheet.file("diagram  the path that this call took: ", str(picture))
        except DiagramError as error:
            self.sheet.wrap(f"no picture: {error}", style=FAINT, indent="  diagram  ")

    def _tail(self, seconds: float) -> None:
        self.sheet.title("Try next")
        other = "voicemail" if self.caller != "voicemail" else "says_nothing"
        program, outbound = _program(), shipped_flow("outbound")
        for what, why in (
            (f"demo --caller {other}", "the same with another far end; --help lists them"),
            (f"check {outbound}", "every defect of a flow at once"),
            (f"draw {outbound} -o outbound.svg", "its picture"),
        ):
            self.sheet.line(f"  # {why}", style=FAINT)
            self.sheet.console.print(Text(f"  {program} {what}"), soft_wrap=True)
        self.sheet.line(f"({seconds:.0f} s)", style=FAINT)

    def _part(self, text: str) -> None:
        """The next part's title, with its number."""
        self._parts += 1
        self.sheet.title(f"{self._parts}  {text}")


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


_OUTBOUND: Mapping[str, str] = {
    "talks": "The customer answers after 4 s, and talks.",
    "says_nothing": "The customer answers after 4 s, and says nothing.",
    "hangs_up_while_spoken_to": "The customer answers after 4 s, and hangs up while the agent speaks.",
    "hangs_up_at_once": "The customer picks up after 4 s, and hangs up 20 ms later.",
    "voicemail": "A voicemail answers after 18 s.",
    "mailbox_full": "A voicemail answers after 18 s, and takes no messages.",
    "menu": "A menu answers after 2 s.",
    "screening": "The customer's telephone answers after 2 s, and asks who is calling.",
    "busy": "The line is busy (SIP 486).",
    "no_answer": "Nobody answers.",
    "declines": "The customer's telephone rings, and is turned away (SIP 603).",
    "invalid": "There is no such number (SIP 404).",
    "unavailable": "The customer's telephone is switched off (SIP 480).",
    "fails": "The carrier cannot place the call (SIP 503).",
    "unreachable": "Nothing at all comes back from the carrier.",
}
_INBOUND: Mapping[str, str] = {
    "talks": "It is Saturday evening. Somebody calls the front desk and wants to speak to a person.",
    "says_nothing": "Somebody calls the front desk, and says nothing.",
    "hangs_up_while_spoken_to": "Somebody calls the front desk, and hangs up while the agent speaks.",
}
