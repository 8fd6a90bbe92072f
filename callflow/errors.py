"""The tree of errors. Imports nothing of callflow, so that every part may raise from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple


def printable(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal would obey or hide: no escape sequence, no turned direction."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


class Defect(NamedTuple):
    """One thing that is wrong with a flow file, and where.

    `code` is a key of `callflow.flowfile.codes.CODES`. Lines and columns count from 1; `end_line`/`end_column`
    name the first place behind the defect. `path` leads to it inside the flow: `states.talking.on.tool.end_call`.
    `level` is `error` where the flow must not run, `warning` where it may, and its author should know. `story` is a call that
    shows it, a line for each moment, where it is a fault of behaviour; `accepted` is the reason for which the flow accepts that, and
    empty where it does not.
    """

    code: str
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    path: str = ""
    hint: str = ""
    level: Literal["error", "warning"] = "error"
    story: tuple[str, ...] = ()
    accepted: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        level = "accepted: " if self.accepted else "warning: " if self.level == "warning" else ""
        return printable(f"{self.file}:{self.line}:{self.column}: {level}{self.code}: {self.message}{hint}")


class CallflowError(Exception):
    """The root of everything that callflow raises on purpose."""


class FlowFileError(CallflowError):
    """A flow file has defects; `defects` holds every one of them, in the order of the file."""

    def __init__(self, defects: Sequence[Defect]) -> None:
        super().__init__(tuple(defects))  # what pickle makes it again from, in another process
        self.defects = tuple(defects)

    def __str__(self) -> str:
        return "\n".join(str(defect) for defect in self.defects)


class StartError(CallflowError):
    """A call cannot start: variables that are missing or of the wrong type, environment variables that are not set."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(self.problems)


class BindError(CallflowError):
    """A flow does not fit the program that embeds it; `problems` lists everything that is missing or does not fit."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "the flow does not fit this program:\n" + "\n".join(f"- {problem}" for problem in self.problems)


class SnapshotError(CallflowError):
    """A snapshot cannot be read: another version, another flow, or not a snapshot at all."""


class JournalError(CallflowError):
    """A journal cannot be read or does not replay; names the file and the line."""


class CallEnded(CallflowError):
    """The call is over: nothing can be sent to it any more."""


class EffectError(CallflowError):
    """An action's effect failed for a reason that its author may act on (the reason is the message)."""


class DiagramError(CallflowError):
    """A picture cannot be drawn: what it needs is not installed, its layout takes too long, Graphviz failed."""
