"""A syntax error as the parser reports it, and what is found of it."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """A syntax error: the parser's words, the place (from 0), where the thing began that it was reading, the lines."""

    said: str
    context: str
    line: int
    column: int
    began: tuple[int, int] | None
    lines: list[str]
    text: str

    def at(self, line: int, column: int = 0) -> str:
        """The text of `line` from `column` on."""
        return self.lines[line][column:] if line < len(self.lines) else ""


class Finding(NamedTuple):
    code: str
    message: str
    hint: str
    line: int
    column: int
    length: int = 1
