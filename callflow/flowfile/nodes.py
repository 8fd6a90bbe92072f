"""What a YAML text says, with the place of everything it says.

A node keeps the parser's own marks and turns them into lines and columns only when somebody asks: most nodes are
never asked. Lines and columns count from 1, columns in characters; the end is the first place behind the node.

Plain classes: making these with attrs would cost every command that reads a flow some milliseconds.
"""

from __future__ import annotations

from typing import Protocol


class Mark(Protocol):
    """A place as the parser gives it: lines, columns and characters from 0."""

    line: int
    column: int
    index: int


class Place:
    """Where a node stands."""

    __slots__ = ()

    start: Mark
    end: Mark

    @property
    def line(self) -> int:
        return self.start.line + 1

    @property
    def column(self) -> int:
        return self.start.column + 1

    def ends(self) -> tuple[int, int]:
        """The line and the column of the first place behind the node."""
        return self.end.line + 1, self.end.column + 1


class Scalar(Place):
    """One value. `value` is typed by the YAML 1.2 core schema (None, bool, int, float), or text; `text` is what was
    written, so that `+15551234567` can be shown to its author as it stands there. `plain` is true without quotes."""

    __slots__ = ("end", "plain", "start", "text", "value")

    def __init__(self, text: str, value: str | float | bool | None, plain: bool, start: Mark, end: Mark) -> None:
        self.text = text
        self.value = value
        self.plain = plain
        self.start = start
        self.end = end


class Mapping(Place):
    """Keys with their values, in the order of the file. `flow` is true for the form in braces."""

    __slots__ = ("end", "entries", "flow", "start")

    def __init__(self, entries: dict[str, tuple[Scalar, Node]], flow: bool, start: Mark, end: Mark) -> None:
        self.entries = entries
        self.flow = flow
        self.start = start
        self.end = end

    def get(self, key: str) -> Node | None:
        """The value under `key`, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry[1]

    def ends(self) -> tuple[int, int]:
        if self.flow or not self.entries:
            return self.end.line + 1, self.end.column + 1
        # The parser ends a block only where the next thing begins, lines further down.
        return next(reversed(self.entries.values()))[1].ends()


class Sequence(Place):
    """A list. `flow` is true for the form in brackets."""

    __slots__ = ("end", "flow", "items", "start")

    def __init__(self, items: list[Node], flow: bool, start: Mark, end: Mark) -> None:
        self.items = items
        self.flow = flow
        self.start = start
        self.end = end

    def ends(self) -> tuple[int, int]:
        if self.flow or not self.items:
            return self.end.line + 1, self.end.column + 1
        return self.items[-1].ends()


Node = Scalar | Mapping | Sequence


def kind(node: Node) -> str:
    """What a node is, in an author's words: "the number 12", "a list"."""
    if isinstance(node, Mapping):
        return "keys with values" if node.entries else "an empty mapping"
    if isinstance(node, Sequence):
        return "a list"
    value = node.value
    if value is None:
        return "nothing"
    if value is True or value is False:
        return f"the truth value {node.text}"
    if isinstance(value, str):
        return f'the text "{shorten(value)}"' if value else "an empty text"
    return f"the number {shorten(node.text)}"


def shorten(text: str, most: int = 40) -> str:
    """`text` on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def quoted(text: str) -> str:
    """`text` on one line in quotes, as an author may write it."""
    text = shorten(text)
    return f"'{text}'" if '"' in text and "'" not in text else '"' + text.replace('"', '\\"') + '"'
