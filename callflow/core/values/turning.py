"""Expressions, turned round: what is asked of the values that one is made of, given what is asked of it.

Of `len(event.digits) == 4` the digits are asked for their length, of `vars.n + 1 > 3` the variable for 2. What cannot be turned round
(two values from outside in one sum, say) is asked for the constants that stand beside it, and marked as not followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from callflow.core.durations import format_duration
from callflow.core.expressions import ANY, Context
from callflow.core.expressions.compile import compiled
from callflow.core.expressions.expression import SURPRISES
from callflow.core.expressions.names import ROOTS
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
    inner_nodes,
    nodes,
)
from callflow.core.expressions.problems import Failed
from callflow.core.values.inverse import affine, cut_out, equals, floored, number_in
from callflow.core.values.readings import Here, Place, Reading, names_in
from callflow.core.values.wants import Path, Want, around, is_number

TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "in": "holds", "not in": "holds"}
EITHER = (True, False)
BEYOND = Want(beyond=True)


class Asks(Protocol):
    """Who is told what is asked."""

    def ask(self, place: Place, path: Path, want: Want, reading: Reading) -> None:
        """Something is asked of a value, or of a part of it."""

    def equal(self, one: Place, other: Place) -> bool:
        """Two values are compared: each is asked what the other is. False: nobody knows all that one of them may be."""

    def written(self, place: Place) -> Want:
        """Whether a value equals one of those that the flow itself has written there."""

    def examples(self, places: Iterable[Place]) -> Want:
        """Values that all of these places can have."""

    def constants(self, scope: str) -> Mapping[str, Any]:
        """The variables that are what they are by default."""


class Turning:
    """Turns one expression round."""

    def __init__(self, asks: Asks, reading: Reading) -> None:
        self._asks = asks
        self.reading = reading
        self.here: Here = reading.here
        self._constants = asks.constants(self.here.scope)

    def value(self, want: Want) -> None:
        """The whole expression, of whose value so much is asked."""
        parts = self.reading.parts
        holes = [part for part in parts if isinstance(part, Node)]
        if len(parts) == 1 and holes:
            self.spread(holes[0], want)
        elif len(holes) == 1:
            place = parts.index(holes[0])
            begin, end = "".join(map(str, parts[:place])), "".join(map(str, parts[place + 1 :]))
            self.spread(holes[0], cut_out(want, begin, end))
        elif want.asks:
            for hole in holes:
                self.spread(hole, BEYOND)

    def failures(self) -> None:
        """A text: its value matters to nobody, unless it cannot be worked out."""
        parts = self.reading.parts
        for part in parts:
            for node in nodes(part) if isinstance(part, Node) else ():
                if can_fail(node) or self.place(node) is not None:
                    self.spread(node, Want())
        kind = self.reading.kind or self.reading.expression.type
        if kind != ANY and len(parts) == 1 and isinstance(parts[0], Node):
            self.spread(parts[0], Want(kinds=[kind]))

    # -- what is true or false

    def condition(self, node: Node) -> None:
        """Something that is true or false, of which either is asked."""
        match node:
            case Junction():
                for operand in node.operands:
                    self.condition(operand)
            case Not():
                self.condition(node.operand)
            case Comparison():
                for left, sign, right in zip(node.operands, node.operators, node.operands[1:], strict=False):
                    self.compared(left, sign, right)
            case _:
                self.spread(node, Want(*EITHER))

    def compared(self, left: Node, sign: str, right: Node) -> None:
        if self.is_constant(left):
            left, sign, right = right, TURNED[sign], left
        if not self.is_constant(right):
            self.linked(left, sign, right)
            return
        value = self.constant(right)
        if sign in ("in", "not in"):
            found = value if isinstance(value, (list, tuple)) else [value, value[:1]] if isinstance(value, str) else []
            self.spread(left, equals(*found))
        elif sign == "holds":
            self.spread(left, Want([value], [], value, "") if isinstance(value, str) else Want([value], []))
        elif is_number(value):
            self.spread(left, Want(cuts=around(sign, value)))
        elif isinstance(value, str) and sign not in ("==", "!="):
            self.spread(left, Want(value, value + "a"))
        else:
            self.spread(left, equals(value))

    def linked(self, left: Node, sign: str, right: Node) -> None:
        """Two values that are only known in a call."""
        one, other = self.place(left), self.place(right)
        whole = one is not None and other is not None and not (one[1] or other[1])
        followed = (
            one is not None
            and other is not None
            and whole
            and sign in ("==", "!=")
            and self._asks.equal(one[0], other[0])
        )
        same = self._asks.examples(self.here.place(name) for node in (left, right) for name in names_in(node))
        for node, beside in ((left, other), (right, one)):
            asked = Want(compared=followed, beyond=not followed)
            asked.take(same)
            if beside is not None and not beside[1]:
                asked.take(self._asks.written(beside[0]))
            holds = node is (left if sign == "holds" else right if sign in ("in", "not in") else None)
            if holds:
                asked.take(Want(examples=[[one] for one in same.examples.values()]))
            for item in node.items if holds and isinstance(node, Items) else (node,):
                self.spread(item, asked)

    # -- values

    def spread(self, node: Node, want: Want) -> None:
        """A value of which something is asked: it is asked of what it is made of."""
        found = self.place(node)
        if found is not None:
            place, path = found
            if not self.is_constant(node):
                self._asks.ask(place, path, want, self.reading)
            return
        match node:
            case Items():
                for number, item in enumerate(node.items):
                    inner = Want(
                        *(
                            one[number]
                            for one in want.values.values()
                            if isinstance(one, (list, tuple)) and len(one) == len(node.items)
                        )
                    )
                    inner.take(want.inside.get(number, Want()))
                    inner.beyond = inner.beyond or want.beyond
                    self.spread(item, inner)
            case Field() | Index():
                self.part(node, want)
            case Call():
                self.call(node, want)
            case Negative():
                self.spread(node.operand, affine(want, -1, 0))
            case Arithmetic():
                self.arithmetic(node, want)
            case Junction() | Not() | Comparison():
                self.condition(node)

    def part(self, node: Field | Index, want: Want) -> None:
        """A field or an item of something that is no name, or one whose place is only known in a call."""
        self.spread(node.base, BEYOND)
        if isinstance(node, Index):
            self.spread(node.index, BEYOND)

    def call(self, node: Call, want: Want) -> None:
        turn = _FUNCTIONS.get(node.function)
        if turn is not None:
            turn(self, node, want)
            return
        for argument in node.arguments:
            self.spread(argument, BEYOND)

    def arithmetic(self, node: Arithmetic, want: Want) -> None:
        left, right, sign = node.left, node.right, node.operator
        if not (self.is_constant(left) or self.is_constant(right)):
            self.spread(left, BEYOND)
            self.spread(right, Want(cuts=around("==", 0), beyond=True) if sign in ("/", "//", "%") else BEYOND)
            return
        turned = self.is_constant(left)
        number, other = self.constant(left if turned else right), right if turned else left
        if isinstance(number, str):
            self.spread(other, cut_out(want, number if turned else "", "" if turned else number))
        elif not is_number(number):
            self.spread(other, BEYOND)
        elif sign == "+":
            self.spread(other, affine(want, 1, -number))
        elif sign == "-":
            self.spread(other, affine(want, -1, number) if turned else affine(want, 1, number))
        elif sign == "*" and number:
            self.spread(other, affine(want, 1 / number, 0))
        elif sign == "/" and number and not turned:
            self.spread(other, affine(want, number, 0))
        elif sign == "//" and number > 0 and not turned:
            self.spread(other, floored(want, number))
        elif turned:  # divided by it
            values = [number / one for one in want.mapped(lambda one: one or None)]
            cuts = [cut for one in (*values, *(value - 1 for value in values)) for cut in around("==", math.floor(one))]
            self.spread(other, Want(cuts=(*around("==", 0), *cuts), beyond=bool(want.asks)))
        else:
            self.spread(other, Want(*want.values.values(), cuts=around("==", 0), beyond=want.asks))

    # -- names and constants

    def place(self, node: Node) -> tuple[Place, Path] | None:
        """Where the value of a name stands, and which part of it is meant; None where that is only known in a call."""
        steps: list[str | int] = []
        while True:
            match node:
                case Field(base=Name()):
                    base: Any = node.base
                    return self.here.place(f"{base.name}.{node.name}"), tuple(reversed(steps))
                case Name():
                    return None if node.name in ROOTS else (self.here.place(node.name), tuple(reversed(steps)))
                case Field():
                    steps.append(node.name)
                    node = node.base
                case Index(index=Literal()):
                    index: Any = node.index
                    if not isinstance(index.value, (str, int)):
                        return None
                    steps.append(index.value)
                    node = node.base
                case Index() if self.is_constant(node.index):
                    value = self.constant(node.index)
                    if not isinstance(value, (str, int)):
                        return None
                    steps.append(value)
                    node = node.base
                case _:
                    return None

    def is_constant(self, node: Node) -> bool:
        """Whether it is the same in every call: what is written out, and variables that nothing sets."""
        match node:
            case Field(base=Name(name="vars")):
                return node.name in self._constants
            case Name():
                return False
        return all(self.is_constant(inner) for inner in inner_nodes(node))

    def constant(self, node: Node) -> Any:
        """Its value, None where there is none."""
        try:
            return compiled(node)(Context(vars=self._constants))
        except (Failed, *SURPRISES):
            return None


# -- functions, turned round


def _is_set(turn: Turning, node: Call, _: Want) -> None:
    turn.spread(node.arguments[0], Want())


def _default(turn: Turning, node: Call, want: Want) -> None:
    for argument in node.arguments:
        turn.spread(argument, want)


def _len(turn: Turning, node: Call, want: Want) -> None:
    cuts = {*want.cuts, *(cut for number in want.numbers for cut in around("==", number))} if want.values else want.cuts
    turn.spread(node.arguments[0], Want(lengths=cuts, beyond=want.beyond))


def _as_it_is(turn: Turning, node: Call, want: Want) -> None:
    turn.spread(node.arguments[0], want)


def _edge(make: Callable[[str], Iterable[str]]) -> Callable[[Turning, Call, Want], None]:
    """Of `starts_with` and `ends_with`: texts for which it holds."""

    def turn_round(turn: Turning, node: Call, want: Want) -> None:
        text, edge = node.arguments
        if turn.is_constant(edge):
            turn.spread(text, Want(*make(str(turn.constant(edge)))))
        elif turn.is_constant(text):
            turn.spread(edge, Want(turn.constant(text), ""))
        else:
            for argument in node.arguments:
                turn.spread(argument, BEYOND)

    return turn_round


def _cut_short(turn: Turning, node: Call, want: Want) -> None:
    """`first` and `last`: a longer text has the same, and a negative count fails."""
    value, count = node.arguments
    before = node.function == "last"
    longer = [f"0{one}" if before else f"{one}0" for one in want.values.values() if isinstance(one, str)]
    turn.spread(value, Want(*want.values.values(), *longer, lengths=want.lengths, beyond=want.beyond))
    if not turn.is_constant(count):
        turn.spread(count, Want(cuts=around("<", 0), beyond=want.asks))


def _spelled(write: Callable[[Any], str]) -> Callable[[Turning, Call, Want], None]:
    """`number` and `duration`: of a text, which may spell none."""

    def turn_round(turn: Turning, node: Call, want: Want) -> None:
        turn.spread(node.arguments[0], Want(*want.mapped(write), "no number", write(1), beyond=want.beyond))

    return turn_round


def _duration(seconds: Any) -> str:
    return format_duration(float(seconds))


def _written(turn: Turning, node: Call, want: Want) -> None:
    """`text`: of a value that may be a number."""
    numbers = [number for one in want.values.values() if (number := number_in(one)) is not None]
    turn.spread(
        node.arguments[0],
        Want(*want.values.values(), cuts=[cut for one in numbers for cut in around("==", one)], beyond=want.beyond),
    )


def _round(turn: Turning, node: Call, want: Want) -> None:
    halves = {cut for number in want.numbers for one in (number - 0.5, number + 0.5) for cut in around("==", one)}
    turn.spread(node.arguments[0], Want(cuts=halves, beyond=want.beyond or len(node.arguments) > 1))


def _extreme(turn: Turning, node: Call, want: Want) -> None:
    unknown = [argument for argument in node.arguments if not turn.is_constant(argument)]
    for argument in unknown:
        asked = Want(beyond=len(unknown) > 1 or len(node.arguments) == 1)
        asked.take(want)
        known = (turn.constant(one) for one in node.arguments if turn.is_constant(one))
        asked.take(
            Want(cuts=[cut for one in known if is_number(one) for cut in around("==", one)] if want.asks else ())
        )
        turn.spread(argument, asked)


_FUNCTIONS: Mapping[str, Callable[[Turning, Call, Want], None]] = {
    "is_set": _is_set,
    "default": _default,
    "len": _len,
    "lower": _as_it_is,
    "upper": _as_it_is,
    "trim": _as_it_is,
    "digits": _as_it_is,
    "starts_with": _edge(lambda edge: (edge, f"{edge}0", f"{edge}5550100100"[:15])),
    "ends_with": _edge(lambda edge: (edge, f"0{edge}", f"+15550100100{edge}"[:15])),
    "first": _cut_short,
    "last": _cut_short,
    "number": _spelled(lambda number: f"{number:g}" if abs(number) < 1e5 else str(number)),
    "duration": _spelled(_duration),
    "text": _written,
    "round": _round,
    "min": _extreme,
    "max": _extreme,
}


def can_fail(node: Node) -> bool:
    """Whether it cannot be worked out for some values of its types, beside those that are absent."""
    if isinstance(node, Call):
        return node.function in ("number", "duration", "first", "last", "in_hours", "min", "max")
    return isinstance(node, (Index, Arithmetic, Negative))
