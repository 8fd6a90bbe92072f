"""What is asked of a value, given what is asked of something that is made of it."""

from __future__ import annotations

import math
from typing import Any

from callflow.core.expressions import INTEGER
from callflow.core.values.wants import Cut, Want, around, is_number

_NUMERIC = (INTEGER,)


def equals(*values: Any) -> Want:
    """Of numbers it is asked whether they are just these."""
    numbers = [value for value in values if is_number(value)]
    others = [value for value in values if value is not None and not is_number(value)]
    return Want(*others, cuts=[cut for number in numbers for cut in around("==", number)])


def affine(want: Want, factor: float, shift: float) -> Want:
    """What is asked of x where so much is asked of (x - shift) / factor."""

    def back(number: float) -> float:
        found = number * factor + shift
        return round(found) if abs(found - round(found)) < 1e-9 else found

    cuts = (Cut(back(cut.at), cut.after if factor > 0 else not cut.after) for cut in want.cuts)
    return Want(
        *(back(value) for value in want.values.values() if is_number(value)),
        cuts=cuts,
        kinds=_NUMERIC,
        beyond=want.beyond,
    )


def floored(want: Want, number: float) -> Want:
    """What is asked of x where so much is asked of x // number."""
    steps = (math.floor(cut.at) + 1 if cut.after else math.ceil(cut.at) for cut in want.cuts)
    return Want(cuts=[Cut(step * number, False) for step in steps], kinds=_NUMERIC, beyond=want.beyond)


def cut_out(want: Want, begin: str, end: str) -> Want:
    """What is asked of the value between two texts."""
    found: list[Any] = []
    for one in want.values.values():
        if isinstance(one, str):
            inner = one.removeprefix(begin).removesuffix(end)
            number = number_in(inner)
            found += [inner, one.removeprefix(begin)] if number is None else [inner, number]
    lengths = [Cut(cut.at - len(begin) - len(end), cut.after) for cut in want.lengths]
    return Want(*found, lengths=lengths, beyond=want.beyond)


def number_in(text: Any) -> float | None:
    try:
        return int(text) if str(int(text)) == text else None
    except (TypeError, ValueError):
        return None
