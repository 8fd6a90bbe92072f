"""Guards that decide nothing: they, or a part of them, are always true or never, whatever a call brings."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from callflow.core.expressions import Context, EvaluationError, ExpressionError, Names, compile_guard
from callflow.core.expressions.nodes import (
    Call,
    Comparison,
    Field,
    Junction,
    Literal,
    Name,
    Node,
    Not,
    inner_nodes,
    nodes,
)
from callflow.core.expressions.parse import parse
from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.flowfile.nodes import shorten
from callflow.verify.places import defect

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def constant_guards(flow: Flow) -> Iterator[Defect]:
    """Every guard with a part that does not depend on anything."""
    for move in flow.transitions:
        if move.guard is None or move.supplied:
            continue
        found = certain(move.guard.source)
        if found is None:
            continue
        part, always = found
        whole = part == move.guard.source
        what = f"`{shorten(part)}` is {'always' if always else 'never'} true"
        hint = (
            ("leave `when` out" if always else "leave the row out")
            if whole
            else "take that part out, or compare with something that changes"
        )
        yield defect("constant-guard", f"the guard decides nothing: {what}" if whole else f"a part of the guard decides nothing: {what}",
                     move.position, hint)  # fmt: skip


@cache
def certain(source: str) -> tuple[str, bool] | None:
    """The widest part of a guard that is the same in every call, and whether it is true; None where there is none."""
    node = parse(source, [])
    return None if node is None else _certain(source, node)


def _certain(source: str, node: Node) -> tuple[str, bool] | None:
    text = source[node.start : node.end]
    value = _value(text, node)
    if value is not None:
        return text, value
    if isinstance(node, Junction):
        for operand in node.operands:
            if (found := _certain(source, operand)) is not None:
                return found
    return _certain(source, node.operand) if isinstance(node, Not) else None


def _value(text: str, node: Node) -> bool | None:
    """What a part gives in every call, None where that depends."""
    if not any(isinstance(one, Name) for one in nodes(node)):
        try:
            return bool(compile_guard(text, Names()).evaluate(Context()))
        except (ExpressionError, EvaluationError):
            return None
    if isinstance(node, Comparison):
        pairs = _pairs(node)
        return _compared(pairs[0]) if len(pairs) == 1 else _together("and", pairs)
    return _together(node.operator, node.operands) if isinstance(node, Junction) else None


def _pairs(node: Comparison) -> list[Comparison]:
    """`a < b < c` as `a < b` and `b < c`."""
    sides = zip(node.operands, node.operands[1:], node.operators, strict=False)
    return [Comparison(node.start, node.end, [left, right], [sign]) for left, right, sign in sides]


def _compared(node: Comparison) -> bool | None:
    (left, right), sign = node.operands, node.operators[0]
    if sign in OPERATORS and _shape(left) == _shape(right):
        return OPERATORS[sign](0, 0)
    test = _test(node)
    return None if test is None else _beyond(test)


class _Test(NamedTuple):
    """`name operator value`, the value written out. `least` is what the name never goes below."""

    name: tuple[Any, ...]
    sign: str
    value: Any
    least: int | None

    def holds(self, value: Any) -> bool:
        return OPERATORS[self.sign](value, self.value)


def _test(node: Node) -> _Test | None:
    if not isinstance(node, Comparison) or len(node.operators) != 1 or node.operators[0] not in OPERATORS:
        return None
    (left, right), sign = node.operands, node.operators[0]
    if isinstance(left, Literal):
        left, right, sign = right, left, TURNED[sign]
    if not isinstance(right, Literal) or isinstance(left, Literal):
        return None
    return _Test(_shape(left), sign, right.value, _least(left))


def _least(node: Node) -> int | None:
    """Below which a value never is: a state that looks at its visits has been entered, and no text is shorter than nothing."""
    if isinstance(node, Field) and node.name == "visits" and isinstance(node.base, Name) and node.base.name == "state":
        return 1
    return 0 if isinstance(node, Call) and node.function == "len" else None


def _beyond(test: _Test) -> bool | None:
    """What a comparison gives of a whole number that is never below its least: of that one and of all that are higher."""
    if test.least is None or isinstance(test.value, bool) or not isinstance(test.value, (int, float)):
        return None
    given = {
        test.holds(value) for value in (test.least, test.value, test.value + 1, test.value - 1) if value >= test.least
    }
    return given.pop() if len(given) == 1 else None


def _together(word: str, operands: Sequence[Node]) -> bool | None:
    """Comparisons of one name that exclude each other (`and`), or leave nothing out (`or`)."""
    tests = [test for operand in operands if (test := _test(operand)) is not None]
    for name in dict.fromkeys(test.name for test in tests):
        same = [test for test in tests if test.name == name]
        if len(same) < 2 or len({type(test.value) for test in same if not _is_number(test.value)}) > 1:
            continue
        candidates = _candidates([test.value for test in same])
        if not candidates:  # of values of several kinds nothing can be said
            continue
        gives = [[test.holds(value) for test in same] for value in candidates]
        if word == "and" and not any(all(one) for one in gives):
            return False
        if word == "or" and all(any(one) for one in gives):
            return True
    return None


def _candidates(values: Sequence[Any]) -> list[Any]:
    """Values on, beside and between those that are written: where nothing else can be told apart."""
    if all(_is_number(value) for value in values):
        ordered = sorted(values)
        between = [(one + other) / 2 for one, other in itertools.pairwise(ordered)]
        return [*ordered, *between, ordered[0] - 1, ordered[-1] + 1]
    if all(isinstance(value, str) for value in values):
        return [*values, "\0".join(values)]
    return list(values) if all(isinstance(value, bool) for value in values) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shape(node: Node) -> tuple[Any, ...]:
    """A part without its blanks: equal for two that read the same."""
    name = getattr(node, "name", getattr(node, "function", getattr(node, "operator", getattr(node, "value", None))))
    return type(node).__name__, name, *(_shape(inner) for inner in inner_nodes(node))
