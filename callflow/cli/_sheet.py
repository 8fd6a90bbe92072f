"""What is printed for people: titles, lines, paragraphs. As wide as the terminal, and plain where there is none."""

from __future__ import annotations

import os
import textwrap

from attrs import define, field
from rich.console import Console
from rich.text import Text

NARROWEST, WIDEST = 60, 100
FAINT, TIME, NAME, GOOD, BAD, SAID = "bright_black", "bright_black", "cyan", "green", "red", "italic"


class Paper(Console):
    """Where it is printed. Who has read enough (`| head`) ends the demo, in the middle of a call."""

    def on_broken_pipe(self) -> None:
        os._exit(1)


def _paper() -> Console:
    paper = Paper(highlight=False, soft_wrap=False, emoji=False, markup=False)
    paper.width = max(min(paper.width, WIDEST), NARROWEST)
    return paper


@define(eq=False)
class Sheet:
    """What is written on it."""

    console: Console = field(factory=_paper)

    def title(self, text: str) -> None:
        self.console.print()
        self.console.rule(Text(f" {text} ", "bold"), align="left", characters="─", style=FAINT)

    def line(self, text: str, style: str = "") -> None:
        self.console.print(Text(cut(text, self.console.width), style))

    def file(self, text: str, path: str) -> None:
        """A line with a path at its end, which is never cut, and on a line of its own where it does not fit."""
        fits = len(text) + len(path) + 2 <= self.console.width
        self.line(f"  {text}{path if fits else ''}", style=FAINT)
        if not fits:
            self.console.print(Text(f"    {path}", FAINT), soft_wrap=True)

    def wrap(self, text: str, *, style: str = "", indent: str = "", style_indent: str = FAINT) -> None:
        lines = textwrap.wrap(text, self.console.width - len(indent), break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            shown = Text(indent if number == 0 else " " * len(indent), style_indent)
            shown.append(line, style)
            self.console.print(shown)

    def code(self, source: str) -> None:
        for line in source.rstrip().splitlines():
            self.line("    " + line, style="yellow")


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"
