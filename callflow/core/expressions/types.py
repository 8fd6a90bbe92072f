"""The types of the flow language: what a value may be, checked when a flow is loaded and when a value arrives.

At run time text and phones are `str`, integers `int`, numbers `int` or `float`, durations `float` seconds, times `float`
seconds since the epoch, lists `list` or `tuple`, records mappings. `None` is an absent value: it belongs to no type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import field, frozen

from callflow.core.durations import LONGEST, format_duration, parse_duration


@frozen
class Type:
    """A type, printed as authors say it: `text`, `integer`, `list of text`. `phrase` is how a sentence says it."""

    name: str
    phrase: str

    def __str__(self) -> str:
        return self.name


TEXT: Final = Type("text", "text")
INTEGER: Final = Type("integer", "an integer")
NUMBER: Final = Type("number", "a number")
BOOLEAN: Final = Type("boolean", "true or false")
PHONE: Final = Type("phone", "a phone number")
DURATION: Final = Type("duration", "a duration")
TIME: Final = Type("time", "a time")
ANY: Final = Type("anything", "a value of any type")
"""Known only when the value is there: the body of an HTTP answer, say."""


@frozen(init=False)
class OneOf(Type):
    """Text that is one of a few words, such as a direction or a result: another word in a guard is a mistake."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        self.__attrs_init__("text", "text", words)


@frozen(init=False)
class ListOf(Type):
    """A list whose items are of one type."""

    item: Type

    def __init__(self, item: Type) -> None:
        name = "list" if item == ANY else f"list of {_PLURAL.get(item, item.name)}"
        self.__attrs_init__(name, f"a {name}", item)


_PLURAL = {
    INTEGER: "integers",
    NUMBER: "numbers",
    BOOLEAN: "booleans",
    PHONE: "phones",
    DURATION: "durations",
    TIME: "times",
}


def _copied(fields: Mapping[str, Type]) -> Mapping[str, Type]:
    return dict(fields)


@frozen(init=False)
class Record(Type):
    """Named fields. An `open` one may hold others too, of any type. `kind` is its name in messages: `dial.answered`."""

    fields: Mapping[str, Type] = field(converter=_copied)
    open: bool = False
    kind: str = field(default="", eq=False)

    def __init__(self, fields: Mapping[str, Type], open: bool = False, kind: str = "") -> None:  # noqa: A002 - the word of the language
        self.__attrs_init__("record", "a record", fields, open, kind)

    def __hash__(self) -> int:
        return hash((frozenset(self.fields), self.open))

    def field_type(self, name: str) -> Type | None:
        """The type of a field, ANY for one that only an open record may have, or None where there is no such field."""
        return self.fields.get(name) or (ANY if self.open else None)


LARGEST: Final = 10**18
"""No number is larger, nor smaller than its negative."""

_DECLARED = {
    "string": TEXT,
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "phone": PHONE,
    "duration": DURATION,
}

TYPE_NAMES: Final = tuple(_DECLARED)
"""The words for types in a flow file, under `vars`, `events`, `parameters` and `returns`."""


def type_named(name: str) -> Type | None:
    """The type that a flow file calls so, or None."""
    return _DECLARED.get(name)


_NUMERIC = (INTEGER, NUMBER)


def is_a(actual: Type, expected: Type) -> bool:
    """Whether every value of `actual` is one of `expected`, so that nothing is left to check at run time."""
    if actual is expected or expected == ANY or actual == expected:
        return True
    if actual == INTEGER:
        return expected == NUMBER
    if expected == TEXT:
        return actual == PHONE or isinstance(actual, OneOf)
    if isinstance(actual, OneOf) and isinstance(expected, OneOf):
        return set(actual.words) <= set(expected.words)
    if isinstance(actual, ListOf) and isinstance(expected, ListOf):
        return is_a(actual.item, expected.item)
    if isinstance(actual, Record) and isinstance(expected, Record):
        return _covers(actual, expected, is_a)
    return False


def may_be(actual: Type, expected: Type) -> bool:
    """Whether a value of `actual` can be one of `expected`; where it is not sure (`is_a`), the value is checked later."""
    if actual == ANY or is_a(actual, expected):
        return True
    if is_textual(actual) and is_textual(expected):
        return True
    if isinstance(actual, ListOf) and isinstance(expected, ListOf):
        return may_be(actual.item, expected.item)
    if isinstance(actual, Record) and isinstance(expected, Record):
        return _covers(actual, expected, may_be)
    return False


def _covers(actual: Record, expected: Record, fits: Callable[[Type, Type], bool]) -> bool:
    for name, wanted in expected.fields.items():
        found = actual.field_type(name)
        if found is None or not fits(found, wanted):
            return False
    return expected.open or not (actual.open or actual.fields.keys() - expected.fields.keys())


def common(a: Type, b: Type) -> Type | None:
    """The type that values of both have; None where there is none, so that they can neither be equal nor be compared."""
    if a == b:
        return a
    if ANY in (a, b):
        return ANY
    if a in _NUMERIC and b in _NUMERIC:
        return NUMBER
    if is_textual(a) and is_textual(b):
        return TEXT
    if isinstance(a, ListOf) and isinstance(b, ListOf):
        item = common(a.item, b.item)
        return None if item is None else ListOf(item)
    if isinstance(a, Record) and isinstance(b, Record):
        return Record({}, open=True)
    return None


def is_textual(kind: Type) -> bool:
    return kind in (TEXT, PHONE) or isinstance(kind, OneOf)


_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def accepts(kind: Type, value: Any) -> bool:
    """Whether a value is of a type. None is not; a record's fields may be absent."""
    check = _CHECKS.get(kind.name)
    if isinstance(kind, OneOf):
        return isinstance(value, str) and value in kind.words
    if check is not None:
        return check(value)
    if isinstance(kind, ListOf):
        return isinstance(value, (list, tuple)) and all(accepts(kind.item, item) for item in value)
    if isinstance(kind, Record):
        if not isinstance(value, Mapping):
            return False
        for name, item in value.items():
            wanted = kind.field_type(name) if isinstance(name, str) else None
            if wanted is None or not (item is None or accepts(wanted, item)):
                return False
        return True
    return False


def _is_number(value: Any) -> bool:
    # The comparison also keeps out nan and infinity.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


_CHECKS: dict[str, Callable[[Any], bool]] = {
    TEXT.name: lambda value: isinstance(value, str),
    INTEGER.name: lambda value: isinstance(value, int) and _is_number(value),
    NUMBER.name: _is_number,
    BOOLEAN.name: lambda value: isinstance(value, bool),
    PHONE.name: lambda value: isinstance(value, str) and _E164.fullmatch(value) is not None,
    DURATION.name: lambda value: _is_number(value) and 0 <= value <= LONGEST,
    TIME.name: _is_number,
    ANY.name: lambda value: value is not None,
}


def describe(value: Any) -> str:
    """What a value is, in an author's words, for a sentence: `text`, `an integer`. Never what it says, which may be
    private; infinity and NaN are told, since no type takes them."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a number" if math.isfinite(value) else "NaN" if math.isnan(value) else "infinity"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a record"
    return f"a {type(value).__name__}"


def coerce(kind: Type, value: Any) -> Any:
    """The value as the runtime keeps it: a duration's written form becomes float seconds, a whole float an integer.

    Never text from a number nor a number from text. Raises ValueError with a sentence that follows a name: `takes an
    integer, not text`. The sentence never quotes text, which may be private.
    """
    if value is None:
        raise ValueError(f"takes {kind.phrase}, and there is nothing")
    if kind == DURATION:
        return _duration(value)
    if kind == INTEGER and isinstance(value, float) and value.is_integer() and _is_number(value):
        return int(value)
    if isinstance(kind, ListOf):
        return _list(kind, value)
    if isinstance(kind, Record) and isinstance(value, Mapping):
        return _record(kind, value)
    if accepts(kind, value):
        return value
    if isinstance(kind, OneOf) and isinstance(value, str):
        raise ValueError(f"takes one of {', '.join(kind.words)}")  # noqa: TRY004 - authors meet one kind of error
    if kind == PHONE and isinstance(value, str):
        raise ValueError("takes a phone number in E.164 form, a plus and 2 to 15 digits, such as +15551234567")
    if is_textual(kind) and _is_number(value):
        raise ValueError(f"takes {kind.phrase}, not {describe(value)}: put it in quotes")
    if kind in _NUMERIC and isinstance(value, str):
        cure = ": leave the quotes out" if re.fullmatch(r"\s*[-+]?[0-9]+(\.[0-9]+)?\s*", value) else ""
        raise ValueError(f"takes {kind.phrase}, not text{cure}")
    if kind in _NUMERIC and describe(value) in (INTEGER.phrase, NUMBER.phrase) and abs(value) > LARGEST:
        raise ValueError(f"takes {kind.phrase} of at most 10^18")
    raise ValueError(f"takes {kind.phrase}, not {describe(value)}")


def _duration(value: Any) -> float:
    # At run time a duration is a float; a bare integer comes from a file or from outside, and lacks its unit.
    if isinstance(value, float):
        if not accepts(DURATION, value):
            raise ValueError(f"takes a duration between 0s and {format_duration(LONGEST)}")
        return value
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"takes a duration; {error}") from None


def _list(kind: ListOf, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"takes {kind.phrase}, not {describe(value)}")  # noqa: TRY004
    items = []
    for number, item in enumerate(value, start=1):
        try:
            items.append(coerce(kind.item, item))
        except ValueError as error:
            raise ValueError(f"item {number} {error}") from None
    return items


def _record(kind: Record, value: Mapping[Any, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, item in value.items():
        wanted = kind.field_type(name) if isinstance(name, str) else None
        if wanted is None:
            raise ValueError(f"has no field {name}")
        try:
            fields[name] = None if item is None else coerce(wanted, item)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    return fields
