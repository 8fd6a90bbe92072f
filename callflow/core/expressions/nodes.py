"""The tree of an expression. `start` and `end` are its place in the source, `depth` counts the levels below it.

The checker fills in each node's `type`, and a call's `overloads`: the signatures that fit its arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from callflow.core.expressions.types import ANY, Type


@define(eq=False)
class Node:
    start: int
    end: int
    type: Type = field(default=ANY, init=False)
    depth: int = field(default=1, init=False)


@define(eq=False)
class Literal(Node):
    """A text, number, boolean or duration as it is written; `value` is its value at run time."""

    value: Any
    kind: Type


@define(eq=False)
class Items(Node):
    """A list literal."""

    items: list[Node]


@define(eq=False)
class Name(Node):
    """A bare name: `event`, `vars` … when a field follows, and a mistake otherwise."""

    name: str


@define(eq=False)
class Field(Node):
    """`base.name`"""

    base: Node
    name: str


@define(eq=False)
class Index(Node):
    """`base[index]`"""

    base: Node
    index: Node


@define(eq=False)
class Call(Node):
    """`function(arguments)`; `method` is the value before the dot where somebody wrote `value.function()`."""

    function: str
    arguments: list[Node]
    method: Node | None = None
    overloads: Sequence[Any] = field(default=(), init=False)


@define(eq=False)
class Not(Node):
    operand: Node


@define(eq=False)
class Negative(Node):
    operand: Node


@define(eq=False)
class Arithmetic(Node):
    """`left operator right`, with + - * / // %"""

    operator: str
    left: Node
    right: Node


@define(eq=False)
class Comparison(Node):
    """`a < b <= c`: one operand more than operators (== != < <= > >= in, not in)."""

    operands: list[Node]
    operators: list[str]


@define(eq=False)
class Junction(Node):
    """`a and b and c`, or the same with `or`."""

    operator: str
    operands: list[Node]
