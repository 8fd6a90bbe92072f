"""The stepper of `callflow play`: what it shows of a call between two things that happen, and what it makes of what is typed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from rich.text import Text

from callflow.cli._call import brief
from callflow.cli._sheet import BAD, FAINT, GOOD, NAME
from callflow.cli._told import Teller
from callflow.core.flow import ROOT
from callflow.core.snapshot import Timer
from callflow.errors import printable
from callflow.play.choices import Choice
from callflow.play.played import Played
from callflow.play.typed import Unreadable, read_steps, said_with
from callflow.scenario import Impossible, in_words
from callflow.scenario.call import Taken, Unending
from callflow.scenario.expectations import time_shown, value_shown
from callflow.scenario.model import Expects, Never, Speaks, Step, Waits
from callflow.scenario.running import timer_name
from callflow.scenario.writing import step_written

STEPPED = "A number does what stands behind it, Enter lets time pass, ? says more, q ends."
TYPED = "What you type is what the caller says. A number does what stands behind it, Enter lets time pass, /? says more, /q ends."

HELP = """A number does what stands behind it. What is said with it stands beside it: `1 Yes, I will be there.` for words, `3 12#` for keys, `4 day: friday, seats: 2` for a tool's arguments and other fields.
Enter lets time pass until something happens by itself; `wait 3s` lets so much of it pass.
`u` takes the last of these back, `m` shows what else may break, `v` the variables, `q` ends.
Anything else is a step as it stands in a scenario: `caller: Yes.`, `tool: end_call`, `press: "12#"`, `dial.busy`, `timer: after 20s`, `expect: {state: talking}`."""


class Stepper:
    """One call, from its beginning until whoever plays it has enough."""

    def __init__(self, played: Played, teller: Teller, *, typed: bool = False) -> None:
        """`typed`: lines are what the caller says; all but the numbers has a `/` before it."""
        self._typed = typed
        self._played = played
        self._flow = played.scenario.flow
        self._teller = teller
        self._sheet = teller.sheet
        self._live = self._sheet.console.is_terminal and sys.stdin.isatty()
        self._numbered: list[Choice] = []

    def run(self) -> None:
        """Until `q`, or there is nothing more to read. Raises KeyboardInterrupt, once what was played is told."""
        self._teller.head(self._played.scenario)
        self._sheet.wrap(TYPED if self._typed else STEPPED, style=FAINT)
        self._show()
        try:
            for line in map(self._meant, self._lines_typed()):
                if line in ("q", "quit", "exit"):
                    break
                self._take(line)
        finally:
            self._at_last()

    # -- what is typed

    def _lines_typed(self) -> Iterator[str]:
        while True:
            if self._live:
                try:
                    yield input("> ")
                except EOFError:
                    self._sheet.console.print()
                    return
            else:
                line = sys.stdin.readline()
                if not line:
                    return
                self._sheet.line(f"> {printable(line.rstrip())}", style="bold")
                yield line

    def _meant(self, line: str) -> str:
        """The command in a line."""
        line = line.strip()
        if not self._typed or not line or line.partition(" ")[0].isdecimal():
            return line
        return line[1:].strip() if line.startswith("/") else step_written(Step(Speaks(line)))

    def _take(self, line: str) -> None:
        commands: dict[str, Callable[[], None]] = {
            "": self._pass, "u": self._back, "?": self._help, "h": self._help, "help": self._help, "m": self._more,
            "v": self._variables,
        }  # fmt: skip
        try:
            if line in commands:
                commands[line]()
            else:
                self._do(line)
        except (Unreadable, Impossible, Unending) as error:
            self._sheet.wrap(printable(str(error)), style=BAD, indent="  ")

    def _do(self, line: str) -> None:
        number, _, said = line.partition(" ")
        if number.isdecimal():
            if len(number) > 4 or not 0 < int(number) <= len(self._numbered):
                raise Unreadable(f"there is no {number[:10]} here")
            choice = self._numbered[int(number) - 1]
            self._played.do(said_with(self._flow, choice, said.strip()), choice.seconds)
        else:
            wait = line.removeprefix("wait ")
            for step in read_steps(self._flow, line if wait == line or ":" in wait else f"wait: {wait}"):
                self._step(step)
        self._show()

    def _step(self, step: Step) -> None:
        act, played = step.act, self._played
        seconds = step.when - played.call.elapsed if isinstance(step.when, float) else 0.0
        if seconds < -0.0005:
            raise Impossible(
                f"{time_shown(played.call.elapsed + seconds)} is over: it is {time_shown(played.call.elapsed)}"
            )
        if isinstance(act, Waits):
            played.wait(max(seconds, 0.0) + act.seconds)
            return
        failure = played.do(act, max(seconds, 0.0))
        if isinstance(act, (Expects, Never)):
            told = "that is so" if failure is None else failure.message
            self._sheet.wrap(printable(told), style=GOOD if failure is None else BAD, indent="  ")
            for one in failure.unmet if failure is not None else ():
                self._sheet.wrap(
                    printable(f"{one.what}: expected {one.expected}, seen {one.seen}"), style=BAD, indent="    "
                )

    def _pass(self) -> None:
        if not self._played.let_happen():
            raise Impossible(
                "the call is over" if self._played.over else "nothing more happens by itself: type a number"
            )
        self._show()

    def _back(self) -> None:
        if not self._played.back():
            raise Impossible("this is the beginning")
        self._teller.begin_again(self._played.call)
        self._sheet.wrap("one step back", style=FAINT, indent="  ")
        self._show()

    def _help(self) -> None:
        for paragraph in HELP.splitlines():
            self._sheet.wrap(paragraph, indent="  ")

    def _more(self) -> None:
        self._choices(rare=True)

    def _variables(self) -> None:
        values = self._played.call.snapshot.vars
        for name, value in values.items():
            self._sheet.wrap(printable(f"{name}: {value_shown(value)}"), indent="  ")
        if not values:
            self._sheet.wrap("the flow has no variables", indent="  ")

    # -- what is shown

    def _show(self) -> None:
        self._teller.news(self._played.call)
        if self._played.over:
            self._teller.end(self._played.call.record())
            self._numbered = []
            return
        self._where()
        self._choices()

    def _where(self) -> None:
        call = self._played.call
        self._sheet.console.print()
        line = Text("  now ", FAINT).append(time_shown(call.elapsed), "bold")
        self._sheet.console.print(line.append(", in ", FAINT).append(printable(call.where), "bold"))
        running = [brief(start) for start in self._played.running()]
        for what, told in (("runs", ", ".join(running)), ("timers", ", ".join(map(self._timer, call.snapshot.timers)))):
            if told:
                self._sheet.wrap(printable(told), style=FAINT, indent=f"      {what:7}")

    def _timer(self, timer: Timer) -> str:
        where = "" if timer.state == ROOT else f" of {timer.state}"
        return f"{timer_name(self._flow, timer)}{where} in {_left(timer.due - self._played.call.now)}"

    def _choices(self, *, rare: bool = False) -> None:
        each = self._played.choices()
        self._numbered = [one for one in each if rare or not one.rare]
        for number, one in enumerate(self._numbered, 1):
            self._choice(str(number), one.words, f" (in {_left(one.seconds)})" if one.seconds else "")
        if len(self._numbered) < len(each):
            self._choice("m", f"{len(each) - len(self._numbered)} more that may happen")
        upcoming = self._played.upcoming()
        if upcoming is None:
            self._choice("Enter", "nothing more happens by itself")
        else:
            seconds, following = upcoming
            self._choice("Enter", _by_itself(self._played, following), f" (in {_left(seconds)})" if seconds else "")

    def _choice(self, key: str, words: str, when: str = "") -> None:
        indent = f"  {key:>5}  "
        self._sheet.wrap(printable(f"{words}{when}"), style="", indent=indent, style_indent=NAME)

    def _at_last(self) -> None:
        call = self._played.call
        if not self._played.over:
            self._sheet.wrap(
                printable(f"left at {time_shown(call.elapsed)}, in {call.where}"), style=FAINT, indent="  "
            )
        self._teller.way(call.taken)


def _left(seconds: float) -> str:
    if seconds < 120:
        return time_shown(max(seconds, 0.0))
    whole = round(seconds)
    parts = (whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _by_itself(played: Played, one: Taken | None) -> str:
    """What happens next where nobody does anything."""
    if one is None:
        return "what is said is over"
    event = one.step.event
    told = "" if event is None else in_words(played.scenario.flow, event, one.effect, one.timer)
    return told or (f"{one.effect.verb} ends" if one.effect is not None else "time passes")
