"""What can be wrong with an expression: when it is compiled (all problems at once), and when it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from callflow.errors import CallflowError


class Problem(NamedTuple):
    """One thing that is wrong with a text. `offset` and `length` count characters of the source that was given."""

    code: str
    message: str
    offset: int
    length: int
    hint: str | None = None


class Explanation(NamedTuple):
    """What a problem's code stands for, with a wrong and a right example (guards, but for `unclosed-template`)."""

    meaning: str
    wrong: str
    right: str


PROBLEM_CODES: Final[Mapping[str, Explanation]] = {
    "bad-expression": Explanation(
        "The text does not follow the grammar of expressions.",
        'event.result = "busy"',
        'event.result == "busy"',
    ),
    "not-in-language": Explanation(
        "Other languages have this; expressions, which are small on purpose, have another way or none.",
        "vars.name.lower() == 'ann'",
        "lower(vars.name) == 'ann'",
    ),
    "unknown-name": Explanation(
        "No such name is declared, or known at this place.",
        "vars.acount == '7'",
        "vars.account == '7'",
    ),
    "unknown-function": Explanation(
        "There is no such function; the reference lists all of them.",
        "strip(vars.name) == 'Ann'",
        "trim(vars.name) == 'Ann'",
    ),
    "no-event": Explanation(
        "Entry and exit lists and timers stand on no event that has fields: keep what is needed in a variable, with `set` on the transition.",
        "event.result == 'busy'",
        "vars.result == 'busy'",
    ),
    "wrong-type": Explanation(
        "Values of these types cannot be compared, joined or used here.",
        "event.digits == 1",
        "event.digits == '1'",
    ),
    "wrong-arguments": Explanation(
        "A function is called with too many or too few arguments, or with ones of another type.",
        "len(3) > 1",
        "len(vars.name) > 1",
    ),
    "bad-value": Explanation(
        "A value that is written here can never do: hours, a time zone, a phone number, a duration, a word that a field never holds.",
        "in_hours(event.time, 'Mon-Fri 9-17', 'Europe/Berlin')",
        "in_hours(event.time, 'Mon-Fri 09:00-17:00', 'Europe/Berlin')",
    ),
    "too-large": Explanation(
        "An expression is longer or more deeply nested than the language allows: compute it in steps, with `set`, or in Python.",
        "((((((((((((((((((((((((((((((((((((((((((((((((((true))))))))))))))))))))))))))))))))))))))))))))))))))",
        "true",
    ),
    "unclosed-template": Explanation(
        "A text opens a {{ that it never closes with }}.",
        "Hello {{ vars.name",
        "Hello {{ vars.name }}",
    ),
}
"""Every `Problem.code`, for the reference and for `callflow explain`."""


class ExpressionError(CallflowError):
    """A guard, expression or template that cannot be compiled; `problems` holds every one, in the order of the text."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.offset, problem.length)))
        super().__init__("; ".join(problem.message for problem in self.problems))


class EvaluationError(CallflowError):
    """A value cannot be worked out: an index out of range, a division by zero, a limit of size, an absent value in a text.

    `source` is the expression, `reason` what went wrong. Neither quotes the values, which may be private.
    """

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        self.reason = reason
        super().__init__(f"{source}: {reason}" if source else reason)


class Failed(Exception):
    """Raised while a value is worked out, by what knows the reason and not the expression; becomes an EvaluationError."""
