"""Values of a type that answer what is asked of them differently: one for each answer, the plainest first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    PHONE,
    TEXT,
    TIME,
    ListOf,
    OneOf,
    Record,
    Type,
    accepts,
)
from callflow.core.expressions.types import is_textual
from callflow.core.values.wants import Want, between, same

MOST = 1024
"""Combinations of the fields of a record, or a payload, that are looked at; beyond, any two fields are varied together."""

_MOST_TOGETHER = 12

ELSE = "something else"
_PLAIN: Mapping[Type, Any] = {
    TEXT: "something",
    ANY: "something",
    INTEGER: 1,
    NUMBER: 1.0,
    BOOLEAN: True,
    DURATION: 1.0,
    TIME: 0.0,
    PHONE: "+15550100100",
}
_OTHERS: Mapping[Type, tuple[Any, ...]] = {
    PHONE: ("+15550100100", "+15550100101"),
    BOOLEAN: (True, False),
    INTEGER: (0, 1, 2),
    NUMBER: (0, 1, 0.5),
    DURATION: (1.0, 60.0),
    TEXT: (ELSE, "another", "", "1"),
    ANY: (ELSE, "another", 1, {}),
}
_NUMERIC = (NUMBER, DURATION, TIME)


def plain(kind: Type) -> Any:
    """Any value of a type, for what nobody reads."""
    if isinstance(kind, OneOf):
        return kind.words[0]
    if isinstance(kind, ListOf):
        return [plain(kind.item)]
    if isinstance(kind, Record):
        fields: Mapping[str, Type] = kind.fields
        return {name: plain(one) for name, one in fields.items()}
    return _PLAIN[kind]


def others(kind: Type) -> tuple[Any, ...]:
    """Values of a type of which none is more usual than another."""
    return kind.words if isinstance(kind, OneOf) else _OTHERS.get(kind, ())


def choices(kind: Type, want: Want | None, *, lacking: bool = False) -> list[Any]:
    """The representatives of a type's values. `lacking`: the value may be absent."""
    if want is None:
        return [plain(kind)]
    found: dict[Any, Any] = {}
    for value in _candidates(kind, want):
        if accepts(kind, value):
            found.setdefault(same(value), value)
    if not found:
        found[None] = plain(kind)
    return [*found.values(), *([None] if lacking else [])]


def _candidates(kind: Type, want: Want) -> Iterator[Any]:
    names = {step: one for step, one in want.inside.items() if isinstance(step, str)}
    if isinstance(kind, Record) or (kind == ANY and names):
        yield from combined(
            plain(kind) if isinstance(kind, Record) else {},
            {name: choices(_field(kind, name), one, lacking=True) for name, one in names.items()},
        )
    items = {step: one for step, one in want.inside.items() if isinstance(step, int)}
    if isinstance(kind, ListOf) or (kind == ANY and items):
        yield from _lists(kind.item if isinstance(kind, ListOf) else ANY, want, items)
    if items and kind in (TEXT, ANY):
        yield from _spelled(items)
    if not (want.values or want.cuts or want.lengths or want.beyond or want.compared):
        if kind == ANY and want.kinds:
            yield from (plain(one) for one in want.kinds)
            yield from (ELSE, {})
        elif not want.inside or items:
            yield from _fitting(kind, want)
            yield plain(kind)
        elif kind == ANY:
            yield ELSE
        return
    yield from _numbers(kind, want)
    yield from _constants(kind, want)
    yield from want.examples.values()
    yield from _fitting(kind, want)
    if kind in (TEXT, PHONE, ANY):
        yield from ("0" * int(length) for length in between(want.lengths, whole=True) if length >= 0)
    yield from _others(kind, want)
    if kind == ANY:
        yield from (plain(one) for one in want.kinds)
    if "" in want.values:
        yield ""
    if kind in (TEXT, PHONE, ANY):
        yield from _together([one for one in want.values.values() if isinstance(one, str)], want)


def _constants(kind: Type, want: Want) -> Iterator[Any]:
    """What it is compared with, but for the empty text; of that alone the usual one."""
    yield from (one for one in want.values.values() if one != "") if want.values.keys() != {""} else [plain(kind)]


def _fitting(kind: Type, want: Want) -> Iterator[Any]:
    """Texts of the types that they are made to fit: a number to be called, one of a few words."""
    if kind == TEXT:
        yield from (plain(one) for one in want.kinds if one != TEXT and is_textual(one))
        if want.beyond:  # for all that is known it is made to be called
            yield plain(PHONE)


def _together(texts: Sequence[str], want: Want) -> Iterator[str]:
    """Texts with the beginning of one and the end of another, and as long as is asked for."""
    texts = texts[:_MOST_TOGETHER]
    yield from (one + other for one in texts for other in texts if one != other)
    for length in between(want.lengths, whole=True):
        yield from (one.ljust(int(length), "0") for one in texts if len(one) < length)
        yield from (one.rjust(int(length), "0") for one in texts if len(one) < length)


def _numbers(kind: Type, want: Want) -> Iterator[Any]:
    if kind == INTEGER:
        yield from between(want.cuts, whole=True)
    elif kind in _NUMERIC:
        yield from map(float, between(want.cuts))
    elif kind == ANY:
        yield from between(want.cuts)


def _others(kind: Type, want: Want) -> Iterator[Any]:
    """What equals none of the constants; of what cannot be followed several."""
    if isinstance(kind, OneOf):
        words = [word for word in kind.words if word not in want.values]
        yield from words if want.beyond else words[:1]
        return
    rest = [one for one in _OTHERS.get(kind, ()) if same(one) not in want.values]
    if want.compared and not want.beyond:
        known = sum(accepts(kind, one) for one in {**want.values, **want.examples}.values())
        yield from rest[: max(2 - known, 0)]
    elif want.beyond or kind in (BOOLEAN, TEXT, PHONE):
        yield from rest
    elif kind == ANY:
        yield from rest[:1]


def _field(kind: Type, name: str) -> Type:
    return kind.field_type(name) or ANY if isinstance(kind, Record) else ANY


def _lists(item: Type, want: Want, items: Mapping[int, Want]) -> Iterator[list[Any]]:
    """Lists of each length that is asked for, with each of the items, and with the items of two that are asked for."""
    blank = plain(item)
    size = max((place + 1 if place >= 0 else -place for place in items), default=1)
    begun: list[list[Any]] = []
    for record in combined({}, {str(place): choices(item, one) for place, one in items.items()}):
        made = [blank] * size
        for place in items:
            made[place] = record[str(place)]
        begun.append(made)
    begun += [list(one) for one in want.values.values() if isinstance(one, (list, tuple))]
    lengths = [int(length) for length in between(want.lengths, whole=True) if length >= 0]
    yield from begun
    yield from (one + other for one in begun[:_MOST_TOGETHER] for other in begun[:_MOST_TOGETHER] if one is not other)
    for length in lengths:
        yield from (one + [blank] * (length - len(one)) for one in [*begun[:_MOST_TOGETHER], []] if len(one) <= length)
    several = [blank, *_fitting(item, want)] if want.beyond else []
    yield from ([], *([one, one] for one in several))


def _spelled(items: Mapping[int, Want]) -> Iterator[str]:
    """Texts with each of the characters in its place, and one in which there is none."""
    for place, one in items.items():
        for letter in choices(TEXT, one):
            if len(letter) == 1:
                yield letter.rjust(place + 1, "0") if place >= 0 else letter.ljust(-place, "0")
    yield from (ELSE, "")


def combined(base: Mapping[str, Any], fields: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """A record for each combination of its fields' values. A field that is absent is left out."""
    names = [*fields]
    whole = math.prod(map(len, fields.values())) <= MOST
    for each in itertools.product(*fields.values()) if whole else _two_by_two([*fields.values()]):
        made = {**base, **dict(zip(names, each, strict=True))}
        yield {name: value for name, value in made.items() if value is not None or name not in fields}


def _two_by_two(fields: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    first = [values[0] for values in fields]
    for one, other in itertools.combinations(range(len(fields)), 2):
        for value, with_it in itertools.product(fields[one], fields[other]):
            made = [*first]
            made[one], made[other] = value, with_it
            yield tuple(made)
