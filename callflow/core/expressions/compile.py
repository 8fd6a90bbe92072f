"""A checked tree, made into a closure: `run(context) -> value`. An absent value is None.

Absent in, absent out; a comparison with an absent value is false; where true or false is due, absent counts as false.
Where the checker knows the types, nothing is checked again; where it does not (`anything`), the value is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from callflow.core.expressions.functions import FUNCTIONS, Signature
from callflow.core.expressions.names import ROOTS, Values
from callflow.core.expressions.nodes import (
    Arithmetic,
    Call,
    Comparison,
    Field,
    Index,
    Items,
    Junction,
    Literal,
    Name,
    Negative,
    Node,
    Not,
)
from callflow.core.expressions.problems import Failed
from callflow.core.expressions.render import limited
from callflow.core.expressions.types import ANY, BOOLEAN, LARGEST, ListOf, Record, Type, accepts, describe, is_textual

Run = Callable[[Values], Any]

MAX_ITEMS: Final = 10_000
"""Items of a list that an expression makes."""


def compiled(node: Node) -> Run:
    """The closure of a tree in which the checker has found nothing wrong."""
    return _COMPILERS[type(node)](node)


def truth(node: Node) -> Run:
    """The closure of an operand or guard: true or false, absent counts as false."""
    run = compiled(node)
    if isinstance(node, (Comparison, Junction, Not)):
        return run
    if node.type == BOOLEAN:
        return lambda context: run(context) is True

    def decide(context: Values) -> bool:
        value = run(context)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise Failed(f"true or false is due, and there is {describe(value)}")

    return decide


# --- values and names ---


def _literal(node: Literal) -> Run:
    value = node.value
    return lambda context: value


def _items(node: Items) -> Run:
    runs = [compiled(item) for item in node.items]
    if all(isinstance(item, Literal) for item in node.items):
        constant = [item.value for item in node.items if isinstance(item, Literal)]
        return lambda context: list(constant)
    return lambda context: [run(context) for run in runs]


def _name(node: Name) -> Run:
    name = node.name
    return lambda context: context.others.get(name)


def _field(node: Field) -> Run:
    name, base = node.name, node.base
    if isinstance(base, Name) and base.name in ROOTS:
        return _FIRST[base.name](name)
    run = compiled(base)

    def read(context: Values) -> Any:
        value = run(context)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise Failed(f"{describe(value)} has no field {name}")
        return value.get(name)

    return read


_FIRST: dict[str, Callable[[str], Run]] = {
    "event": lambda name: lambda context: context.event.get(name),  # type: ignore[union-attr]  # checked: there is one
    "vars": lambda name: lambda context: context.vars.get(name),
    "call": lambda name: lambda context: context.call.get(name),
    "env": lambda name: lambda context: context.env.get(name),
    "state": lambda name: lambda context: context.state.get(name),
}


def _index(node: Index) -> Run:
    base, index = compiled(node.base), compiled(node.index)

    def read(context: Values) -> Any:
        value, place = base(context), index(context)
        if value is None or place is None:
            return None
        if isinstance(value, Mapping):
            return value.get(place)
        if not isinstance(value, (list, tuple, str)):
            raise Failed(f"{describe(value)} has no items")
        if isinstance(place, bool) or not isinstance(place, int):
            raise Failed(f"an index is an integer, not {describe(place)}")
        if not -len(value) <= place < len(value):
            raise Failed(f"the index {place} is out of range: there are {len(value)}")
        return value[place]

    return read


# --- functions ---


def _call(node: Call) -> Run:
    runs = [compiled(argument) for argument in node.arguments]
    function = FUNCTIONS[node.function]
    sure = len(node.overloads) == 1 and all(argument.type != ANY for argument in node.arguments)
    apply = (
        node.overloads[0].apply
        if sure or function.takes_absent
        else _dispatch(node.function, node.overloads, len(runs))
    )
    if is_textual(node.type):
        apply = _limited(apply)
    if function.takes_absent:
        return lambda context: apply(*[run(context) for run in runs])
    if len(runs) == 1:
        only = runs[0]
        return lambda context: None if (value := only(context)) is None else apply(value)

    def call(context: Values) -> Any:
        values = [run(context) for run in runs]
        return None if None in values else apply(*values)

    return call


def _dispatch(name: str, forms: Sequence[Signature], count: int) -> Callable[..., Any]:
    """Picks the form by the values, where the types were not known."""

    def apply(*values: Any) -> Any:
        for form in forms:
            if all(map(accepts, form.parameters(count) or (), values)):
                return form.apply(*values)
        raise Failed(f"{name} does not take {', '.join(map(describe, values))}")

    return apply


def _limited(apply: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*values: Any) -> Any:
        text = apply(*values)
        return limited(text) if isinstance(text, str) else text

    return checked


# --- operators ---


def _not(node: Not) -> Run:
    run = truth(node.operand)
    return lambda context: not run(context)


def _junction(node: Junction) -> Run:
    runs = tuple(truth(operand) for operand in node.operands)
    if len(runs) == 2:
        first, second = runs
        if node.operator == "and":
            return lambda context: first(context) and second(context)
        return lambda context: first(context) or second(context)
    if node.operator == "and":
        return lambda context: all(run(context) for run in runs)
    return lambda context: any(run(context) for run in runs)


def _negative(node: Negative) -> Run:
    run = compiled(node.operand)

    def negate(context: Values) -> Any:
        value = run(context)
        return None if value is None else -_numeric(value)

    return negate


def _arithmetic(node: Arithmetic) -> Run:
    left, right = compiled(node.left), compiled(node.right)
    apply: Callable[[Any, Any], Any] = _sum if node.operator == "+" else _calculation(_CALCULATIONS[node.operator])

    def calculate(context: Values) -> Any:
        one, other = left(context), right(context)
        return None if one is None or other is None else apply(one, other)

    return calculate


_CALCULATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, str) and isinstance(other, str):
        return limited(one + other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        if len(one) + len(other) > MAX_ITEMS:
            raise Failed(f"the list grows beyond {MAX_ITEMS} items")
        return [*one, *other]
    return _add(one, other)


def _calculation(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def calculate(one: Any, other: Any) -> Any:
        result = apply(_numeric(one), _numeric(other))
        # The comparison also keeps out nan.
        if -LARGEST <= result <= LARGEST:
            return result
        raise Failed("the number is too large")

    return calculate


def _numeric(value: Any) -> Any:
    # Always checked: text and lists can be multiplied too, and the types of what comes from outside are promises.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST:
        return value
    raise Failed(f"a number is due, and there is {describe(value)}")


_add = _calculation(operator.add)


# --- comparisons ---


def _comparison(node: Comparison) -> Run:
    pairs = []
    for left, sign, right in zip(node.operands, node.operators, node.operands[1:], strict=False):
        pairs.append(_tests(sign, left, right))
    if len(pairs) == 1:
        return _single(node, pairs[0])
    runs = [compiled(operand) for operand in node.operands]

    def chain(context: Values) -> bool:
        left = runs[0](context)
        for run, test in zip(runs[1:], pairs, strict=True):
            right = run(context)
            if left is None or right is None or not test(left, right):
                return False
            left = right
        return True

    return chain


def _single(node: Comparison, test: Callable[[Any, Any], bool]) -> Run:
    first, second = node.operands
    left, right = compiled(first), compiled(second)
    known = ANY not in (first.type, second.type)
    if isinstance(second, Literal) and second.value is not None:
        constant = second.value
        if node.operators[0] == "==" and known and not isinstance(first.type, (ListOf, Record)):
            return lambda context: left(context) == constant  # None equals no literal
        return lambda context: (value := left(context)) is not None and test(value, constant)

    def compare(context: Values) -> bool:
        one, other = left(context), right(context)
        return one is not None and other is not None and test(one, other)

    return compare


def _tests(sign: str, left: Node, right: Node) -> Callable[[Any, Any], bool]:
    known = not (_loose(left.type) or _loose(right.type))
    if sign in ("in", "not in"):
        found = _within if known else _within_any
        return found if sign == "in" else lambda item, holder: not found(item, holder)
    if known:
        return _ORDERS[sign]
    if sign == "==":
        return _same
    if sign == "!=":
        return lambda one, other: not _same(one, other)
    return _ordered(_ORDERS[sign])


def _loose(kind: Type) -> bool:
    return kind == ANY or isinstance(kind, Record) or (isinstance(kind, ListOf) and _loose(kind.item))


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _within(item: Any, holder: Any) -> bool:
    return item in holder


def _within_any(item: Any, holder: Any) -> bool:
    if isinstance(holder, str):
        if isinstance(item, str):
            return item in holder
        raise Failed(f"only text is in text, and there is {describe(item)}")
    if isinstance(holder, (list, tuple)):
        return any(_same(item, other) for other in holder)
    raise Failed(f"`in` asks about a list or a text, and there is {describe(holder)}")


def _same(one: Any, other: Any) -> bool:
    """Equal and of one kind: true is not 1, for an author, whatever Python says."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return bool(one == other)


def _ordered(apply: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        texts = isinstance(one, str) and isinstance(other, str)
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
        if texts or numbers:
            return apply(one, other)
        raise Failed(f"{describe(one)} and {describe(other)} have no order")

    return compare


_COMPILERS: dict[type[Node], Callable[[Any], Run]] = {
    Literal: _literal,
    Items: _items,
    Name: _name,
    Field: _field,
    Index: _index,
    Call: _call,
    Not: _not,
    Negative: _negative,
    Arithmetic: _arithmetic,
    Comparison: _comparison,
    Junction: _junction,
}
