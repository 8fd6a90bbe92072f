"""What an author may write instead: the hints beside the problems."""

from __future__ import annotations

from typing import Final

from callflow.core.expressions.functions import FUNCTIONS
from callflow.core.expressions.names import ROOTS, Names
from callflow.core.expressions.nodes import Arithmetic, Comparison, Field, Literal, Name, Node
from callflow.core.expressions.types import (
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    TEXT,
    TIME,
    ListOf,
    Record,
    Type,
    is_textual,
    may_be,
)
from callflow.core.suggest import closest, did_you_mean

_NUMERIC = (INTEGER, NUMBER)
_FUNCTIONS_ELSEWHERE: Final = {
    "strip": "trim", "startswith": "starts_with", "endswith": "ends_with", "length": "len", "size": "len", "count": "len",
    "tolower": "lower", "lowercase": "lower", "toupper": "upper", "uppercase": "upper", "str": "text", "string": "text",
    "int": "number", "float": "number", "exists": "is_set", "defined": "is_set", "isset": "is_set", "get": "default", "coalesce": "default",
}  # fmt: skip
_MOST_NAMES: Final = 8


class Advice:
    """Hints on one expression: `source` is its text, `names` are what it may read."""

    def __init__(self, source: str, names: Names) -> None:
        self.source = source
        self.names = names

    def shown(self, node: Node) -> str:
        """A part as the author wrote it, shortened."""
        text = " ".join(self.source[node.start : node.end].split())
        return text if len(text) <= 40 else text[:39] + "…"

    # --- names and functions ---

    def name(self, node: Name) -> str:
        """For a first name that is none."""
        known = self.names.known()
        fields = {name.partition(".")[2]: name for name in reversed(known)}
        holders = [name for name in known if name.partition(".")[2] == node.name]
        if holders:
            return f"write {' or '.join(holders[:3])}"
        if node.name in FUNCTIONS:
            return f"{node.name} is a function: write {FUNCTIONS[node.name].usage}"
        root = closest(node.name, [*ROOTS, *self.names.others])
        if self.source[node.end : node.end + 1] in (".", "["):
            return f"did you mean {root[0]}?" if root else "names begin with event, vars, call, env or state"
        near = [fields[name] for name in closest(node.name, fields)] or root
        return f"did you mean {near[0]}?" if near else f'if it is text, put quotes around it: "{node.name}"'

    def field(self, node: Field, record: Record) -> str:
        """For a field that a record does not have."""
        base, near = self.shown(node.base), closest(node.name, record.fields)
        if near:
            return f"did you mean {base}.{near[0]}?"
        if base == "vars":
            return f"declare it: vars: {{{node.name}: {{type: string}}}}"
        if base == "env":
            return f"list it: env: [{node.name}]"
        if not record.fields:
            return "it has no fields"
        more = ", …" if len(record.fields) > _MOST_NAMES else ""
        return f"there are {', '.join(list(record.fields)[:_MOST_NAMES])}{more}"

    def function(self, name: str) -> str:
        """For a function that does not exist."""
        if name in (*ROOTS, *self.names.others):
            return f"{name} is no function: write {name}.<name>"
        meant = _FUNCTIONS_ELSEWHERE.get(name.lower())
        if meant:
            return f"write {FUNCTIONS[meant].usage}"
        return did_you_mean(name, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}"

    def method(self, name: str, *inside: Node) -> str:
        """For `value.name(…)`: the function that does it."""
        function = _function_meant(name)
        if function is None:
            return f"functions stand before their values: {', '.join(FUNCTIONS)}"
        return f"write {function}({', '.join(map(self.shown, inside))})"

    def part(self, node: Field) -> str | None:
        """For `value.name` of a value that has no fields."""
        function = _function_meant(node.name)
        return f"write {function}({self.shown(node.base)})" if function else None

    # --- types ---

    def conversion(self, node: Node, expected: Type) -> str | None:
        """How to make a value of the expected type out of this one."""
        found, shown = node.type, self.shown(node)
        if is_textual(expected) and found in (*_NUMERIC, BOOLEAN, DURATION, TIME):
            return f'write "{shown}"' if isinstance(node, Literal) else f"write text({shown})"
        if expected in _NUMERIC and is_textual(found):
            return _without_quotes(node) or f"write number({shown})"
        if expected == INTEGER and found == NUMBER:
            return f"write round({shown})"
        if expected == DURATION and found in _NUMERIC:
            written_out = isinstance(node, Literal) and found == INTEGER
            return f"write {shown}s" if written_out else f"write {shown} * 1s for seconds"
        if expected == DURATION and is_textual(found):
            return _without_quotes(node) or f"write duration({shown})"
        if expected in _NUMERIC and found == DURATION:
            return f"write {shown} / 1s for its seconds"
        if expected == BOOLEAN:
            return self.truth(node)
        if isinstance(expected, ListOf) and may_be(found, expected.item):
            return f"write [{shown}]"
        return None

    def truth(self, node: Node) -> str:
        """For a value where true or false is due."""
        if isinstance(node, Literal):
            return _without_quotes(node) or "compare it with something"
        return f"compare it with something, or write is_set({self.shown(node)})"

    def alternative(self, before: Node | None, operand: Node) -> str:
        """For what stands behind `or` and is neither true nor false: `x == "a" or "b"`."""
        if isinstance(before, Comparison) and before.operators == ["=="] and isinstance(operand, Literal):
            left, right = before.operands
            return f"write {self.shown(left)} in [{self.shown(right)}, {self.shown(operand)}]"
        return self.truth(operand)

    def arithmetic(self, node: Arithmetic) -> str | None:
        """For two values that an operator does not take together."""
        left, right = node.left, node.right
        if node.operator == "+":
            for one, other in ((left, right), (right, left)):
                if is_textual(one.type) or one.type == DURATION:
                    return self.conversion(other, DURATION if one.type == DURATION else TEXT)
        if node.operator == "*" and TEXT in (left.type, right.type):
            return "text cannot be repeated; for a number that a text spells, write number(…)"
        if is_textual(left.type) or is_textual(right.type):
            return self.conversion(left if is_textual(left.type) else right, NUMBER)
        if DURATION in (left.type, right.type):
            return "add durations to durations, and multiply or divide them by numbers"
        return None

    def comparison(self, left: Node, right: Node) -> str | None:
        """For two values that cannot be compared. What is written out is the easier one to change."""
        for literal, other in ((right, left), (left, right)):
            if isinstance(literal, Literal):
                if other.type == BOOLEAN:
                    return _without_quotes(literal) or f"write {self.shown(other)}, or not {self.shown(other)}"
                return self.conversion(literal, other.type)
        for one, other in ((left, right), (right, left)):
            if is_textual(one.type) or (one.type in _NUMERIC and other.type == DURATION):
                return self.conversion(one, other.type)
        return None

    def holder(self, node: Node) -> str:
        """For `in` before something that holds nothing."""
        shown = self.shown(node)
        return (
            f"write is_set({shown}.<name>)" if isinstance(node.type, Record) else f"write == {shown}, or in [{shown}]"
        )


def _function_meant(name: str) -> str | None:
    meant = _FUNCTIONS_ELSEWHERE.get(name.lower(), name)
    return meant if meant in FUNCTIONS else next(iter(closest(name, FUNCTIONS)), None)


def _without_quotes(node: Node) -> str | None:
    """For a text whose content would be the number, duration or boolean that is meant."""
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        return None
    value = node.value
    number = value[:1].isdigit() and value.replace(".", "", 1).isalnum()
    return f"write {value} without the quotes" if number or value in ("true", "false") else None
