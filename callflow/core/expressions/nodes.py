"""The tree of an expression. `start` and `end` are its place in the source, `depth` counts the levels below it.

The checker fills in each node's `type`, and a call's `overloads`: the signatures that fit its arguments. Plain classes:
making a dozen with attrs would cost every command that reads a flow 4 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from callflow.core.expressions.types import ANY, Type


class Node:
    __slots__ = ("depth", "end", "start", "type")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.type: Type = ANY
        self.depth = 1


class Literal(Node):
    """A text, number, boolean or duration as it is written; `value` is its value at run time."""

    __slots__ = ("kind", "value")

    def __init__(self, start: int, end: int, value: Any, kind: Type) -> None:
        super().__init__(start, end)
        self.value = value
        self.kind = kind


class Items(Node):
    """A list literal."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: list[Node]) -> None:
        super().__init__(start, end)
        self.items = items


class Name(Node):
    """A bare name: `event`, `vars` … when a field follows, and a mistake otherwise."""

    __slots__ = ("name",)

    def __init__(self, start: int, end: int, name: str) -> None:
        super().__init__(start, end)
        self.name = name


class Field(Node):
    """`base.name`"""

    __slots__ = ("base", "name")

    def __init__(self, start: int, end: int, base: Node, name: str) -> None:
        super().__init__(start, end)
        self.base = base
        self.name = name


class Index(Node):
    """`base[index]`"""

    __slots__ = ("base", "index")

    def __init__(self, start: int, end: int, base: Node, index: Node) -> None:
        super().__init__(start, end)
        self.base = base
        self.index = index


class Call(Node):
    """`function(arguments)`; `method` is the value before the dot where somebody wrote `value.function()`."""

    __slots__ = ("arguments", "function", "method", "overloads")

    def __init__(self, start: int, end: int, function: str, arguments: list[Node], method: Node | None = None) -> None:
        super().__init__(start, end)
        self.function = function
        self.arguments = arguments
        self.method = method
        self.overloads: Sequence[Any] = ()


class _Unary(Node):
    __slots__ = ("operand",)

    def __init__(self, start: int, end: int, operand: Node) -> None:
        super().__init__(start, end)
        self.operand = operand


class Not(_Unary):
    """`not operand`"""

    __slots__ = ()


class Negative(_Unary):
    """`-operand`"""

    __slots__ = ()


class Arithmetic(Node):
    """`left operator right`, with + - * / // %"""

    __slots__ = ("left", "operator", "right")

    def __init__(self, start: int, end: int, operator: str, left: Node, right: Node) -> None:
        super().__init__(start, end)
        self.operator = operator
        self.left = left
        self.right = right


class Comparison(Node):
    """`a < b <= c`: one operand more than operators (== != < <= > >= in, not in)."""

    __slots__ = ("operands", "operators")

    def __init__(self, start: int, end: int, operands: list[Node], operators: list[str]) -> None:
        super().__init__(start, end)
        self.operands = operands
        self.operators = operators


class Junction(Node):
    """`a and b and c`, or the same with `or`."""

    __slots__ = ("operands", "operator")

    def __init__(self, start: int, end: int, operator: str, operands: list[Node]) -> None:
        super().__init__(start, end)
        self.operator = operator
        self.operands = operands


def nodes(node: Node) -> Iterator[Node]:
    """A tree's nodes, itself first."""
    yield node
    for inner in inner_nodes(node):
        yield from nodes(inner)


def inner_nodes(node: Node) -> list[Node]:
    """The parts of which an expression is made."""
    match node:
        case Field():
            return [node.base]
        case Index():
            return [node.base, node.index]
        case Call():
            return node.arguments
        case Not() | Negative():
            return [node.operand]
        case Arithmetic():
            return [node.left, node.right]
        case Comparison() | Junction():
            return node.operands
        case Items():
            return node.items
    return []
