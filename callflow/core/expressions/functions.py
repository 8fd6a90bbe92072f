"""The catalogue of functions: all that an expression can call, with what the reference says about each.

Every function is pure and its cost is bounded by the size of its arguments. Absent in, absent out: with an absent
argument a function gives an absent value, but for those that are made to ask (`is_set`, `default`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from callflow.core.durations import parse_duration
from callflow.core.expressions.hours import in_hours, parse_hours, time_zone
from callflow.core.expressions.problems import Failed
from callflow.core.expressions.render import renderer
from callflow.core.expressions.types import (
    ANY,
    BOOLEAN,
    DURATION,
    INTEGER,
    LARGEST,
    NUMBER,
    TEXT,
    TIME,
    ListOf,
    Type,
)

if TYPE_CHECKING:
    from decimal import Decimal


class Signature(NamedTuple):
    """What one form of a function takes and gives; `returns` None stands for the common type of the
    arguments whose parameters are like the first.

    With `more`, the last parameter may be given again and again.
    """

    takes: tuple[Type, ...]
    returns: Type | None
    apply: Callable[..., Any]
    more: bool = False

    def parameters(self, count: int) -> tuple[Type, ...] | None:
        """The types of so many arguments, or None when that is not its number of them."""
        if self.more and count > len(self.takes):
            return self.takes + self.takes[-1:] * (count - len(self.takes))
        return self.takes if count == len(self.takes) else None


class Function(NamedTuple):
    """One function: its forms, its line in the reference (`usage`, `doc`, an example and its value) and its checks.

    `checks` are for arguments that are written out, by position: each raises ValueError for a text that can never do.
    """

    name: str
    usage: str
    doc: str
    example: str
    gives: str
    forms: tuple[Signature, ...]
    takes_absent: bool = False
    checks: Mapping[int, Callable[[str], object]] = {}


# --- what they do ---


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter in "0123456789")


def _first(value: Any, count: int) -> Any:
    return value[: _count(count)]


def _last(value: Any, count: int) -> Any:
    return value[max(0, len(value) - _count(count)) :]


def _count(count: int) -> int:
    if count < 0:
        raise Failed("the count is negative")
    return count


def _number(text: str) -> float:
    plain = text.strip()
    unsigned = plain.removeprefix("-")
    whole, point, fraction = unsigned.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 18 and len(fraction) <= 18):
        raise Failed("the text is no number")
    if not point:
        return int(plain)
    if not (fraction.isascii() and fraction.isdigit()):
        raise Failed("the text is no number")
    return float(plain)


def _duration(text: str) -> float:
    try:
        return parse_duration(text.strip())
    except ValueError as error:
        raise Failed(str(error)) from None


def _round(value: float) -> int:
    return int(_rounded(value, 0))


def _round_to(value: float, places: int) -> float:
    return float(_rounded(value, places))


def _rounded(value: float, places: int) -> Decimal:
    """Half away from zero, as people round; Python's own rounds 2.5 to 2."""
    from decimal import ROUND_HALF_UP, Decimal, localcontext

    if not 0 <= places <= 15:
        raise Failed("places are 0 to 15")
    if not -LARGEST <= value <= LARGEST:
        raise Failed("the number is too large")
    # `repr`, so that 1.005 is what the author reads, not the nearest binary number below it.
    with localcontext(prec=40):
        return Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _default(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        items = values[0] if len(values) == 1 else values
        if len(items) == 0:
            raise Failed("the list is empty")
        if any(item is None for item in items):
            return None
        return pick(items)

    return apply


def _joiner(item: Type) -> Callable[[Sequence[Any], str], str]:
    one = renderer(item)

    def join(items: Sequence[Any], between: str) -> str:
        return between.join(map(one, items))

    return join


_ORDERED: Final = (INTEGER, NUMBER, DURATION, TIME)
_WRITTEN: Final = (TEXT, INTEGER, NUMBER, BOOLEAN, DURATION, TIME)


def _extremes(pick: Callable[..., Any]) -> tuple[Signature, ...]:
    apply = _extreme(pick)
    several = tuple(Signature((kind, kind), None, apply, more=True) for kind in _ORDERED)
    return several + tuple(Signature((ListOf(kind),), kind, apply) for kind in _ORDERED)


_CATALOGUE: Final = (
    Function(
        "is_set", "is_set(value)", "Whether a value is there: a variable that was set, a field that the event carries.",
        "is_set(event.digits)", "true",
        (Signature((ANY,), BOOLEAN, lambda value: value is not None),), takes_absent=True,
    ),
    Function(
        "default", "default(value, otherwise)", "The value, or the other one when it is absent.",
        'default(vars.nickname, "there")', "there",
        (Signature((ANY, ANY), None, _default),), takes_absent=True,
    ),
    Function(
        "len", "len(text) or len(list)", "How many characters or items.",
        "len(event.digits)", "4",
        (Signature((TEXT,), INTEGER, len), Signature((ListOf(ANY),), INTEGER, len)),
    ),
    Function("lower", "lower(text)", "In small letters.", 'lower("ANN")', "ann", (Signature((TEXT,), TEXT, str.lower),)),
    Function("upper", "upper(text)", "In capitals.", 'upper("ann")', "ANN", (Signature((TEXT,), TEXT, str.upper),)),
    Function("trim", "trim(text)", "Without the blanks at both ends.", 'trim("  ann ")', "ann", (Signature((TEXT,), TEXT, str.strip),)),
    Function(
        "digits", "digits(text)", "Only the digits 0 to 9 of a text.", 'digits("+49 30 12-34")', "49301234",
        (Signature((TEXT,), TEXT, _digits),),
    ),
    Function(
        "starts_with", "starts_with(text, start)", "Whether a text begins so.", 'starts_with(call.number, "+49")', "true",
        (Signature((TEXT, TEXT), BOOLEAN, str.startswith),),
    ),
    Function(
        "ends_with", "ends_with(text, end)", "Whether a text ends so.", 'ends_with(vars.mail, "@example.com")', "false",
        (Signature((TEXT, TEXT), BOOLEAN, str.endswith),),
    ),
    Function(
        "first", "first(text, count) or first(list, count)", "The first characters or items; all when there are fewer.",
        'first("12345", 2)', "12",
        (Signature((TEXT, INTEGER), TEXT, _first), Signature((ListOf(ANY), INTEGER), None, _first)),
    ),
    Function(
        "last", "last(text, count) or last(list, count)", "The last characters or items; all when there are fewer.",
        "last(vars.phone_number, 4)", "4567",
        (Signature((TEXT, INTEGER), TEXT, _last), Signature((ListOf(ANY), INTEGER), None, _last)),
    ),
    Function(
        "join", "join(list, between)", "The items of a list as one text.", 'join(["a", "b"], " and ")', "a and b",
        tuple(Signature((ListOf(kind), TEXT), TEXT, _joiner(kind)) for kind in _WRITTEN),
    ),
    Function(
        "text", "text(value)", "A value as a template writes it: `12`, `1.5`, `true`, `90s`, `a, b`.", 'text(12) + "th"', "12th",
        tuple(Signature((kind,), TEXT, renderer(kind)) for kind in _WRITTEN)
        + tuple(Signature((ListOf(kind),), TEXT, renderer(ListOf(kind))) for kind in _WRITTEN),
    ),
    Function(
        "number", "number(text)", "The number that a text spells; a failure for any other text.", 'number("12") + 1', "13",
        (Signature((TEXT,), NUMBER, _number),),
    ),
    Function(
        "duration", "duration(text)", "The duration that a text spells, such as `30s`; a failure for any other text.",
        'duration("30s") * 2', "1m",
        (Signature((TEXT,), DURATION, _duration),), checks={0: lambda text: parse_duration(text.strip())},
    ),
    Function(
        "round", "round(number) or round(number, places)", "To the nearest integer, or to so many places; halves away from zero.",
        "round(2.5)", "3",
        (Signature((NUMBER,), INTEGER, _round), Signature((NUMBER, INTEGER), NUMBER, _round_to)),
    ),
    Function("min", "min(a, b, …) or min(list)", "The smallest.", "min(3, vars.tries)", "2", _extremes(min)),
    Function("max", "max(a, b, …) or max(list)", "The largest.", "max(3, vars.tries)", "3", _extremes(max)),
    Function(
        "in_hours", "in_hours(time, hours, zone)",
        "Whether a time lies within the hours, on the clocks of a zone of the IANA database. Hours are days and the times that "
        "hold on them, as often as needed: `Mon-Fri 09:00-12:00 13:00-17:00, Sat 10:00-14:00`, `daily 00:00-24:00`; "
        "`Fri 22:00-04:00` ends on Saturday. The first minute belongs to them, the last does not.",
        'in_hours(event.time, "Mon-Fri 09:00-17:00", "Europe/Berlin")', "true",
        (Signature((TIME, TEXT, TEXT), BOOLEAN, in_hours),), checks={1: parse_hours, 2: time_zone},
    ),
)  # fmt: skip

FUNCTIONS: Final[Mapping[str, Function]] = {function.name: function for function in _CATALOGUE}
"""By name, in the order of the reference."""
