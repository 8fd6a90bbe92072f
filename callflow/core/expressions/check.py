"""Names and types: what an expression reads, what type it has, and everything in it that can never work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from callflow.core.expressions.advice import Advice
from callflow.core.expressions.functions import FUNCTIONS, Function, Signature
from callflow.core.expressions.names import ROOTS, Names
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
from callflow.core.expressions.problems import Problem
from callflow.core.expressions.types import (
    ANY,
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    TEXT,
    TIME,
    ListOf,
    OneOf,
    Record,
    Type,
    coerce,
    common,
    is_a,
    is_textual,
    may_be,
)
from callflow.core.suggest import did_you_mean

_NUMERIC = (INTEGER, NUMBER)
_ORDERED = (INTEGER, NUMBER, DURATION, TIME)


class Checker:
    """Fills in the types of a tree; `problems` grows by what is wrong, `reads` holds the names that are read."""

    def __init__(self, source: str, names: Names, problems: list[Problem]) -> None:
        self.source = source
        self.names = names
        self.problems = problems
        self.reads: set[str] = set()

    @property
    def advice(self) -> Advice:
        """The hints, for who has made a mistake."""
        return Advice(self.source, self.names)

    def type_of(self, node: Node) -> Type:
        node.type = _CHECKS[type(node)](self, node)
        return node.type

    def guard(self, node: Node) -> None:
        """A guard is true or false."""
        if node.type not in (BOOLEAN, ANY):
            message = f"a guard is true or false, and {self.shown(node)} is {node.type.phrase}"
            self.wrong_type(node, message, self.advice.truth(node))

    def expected(self, node: Node, expected: Type) -> None:
        """What is expected here takes the value, or may take it once it is known."""
        if not may_be(node.type, expected):
            message = f"{expected.phrase} is due here, and {self.shown(node)} is {node.type.phrase}"
            self.wrong_type(node, message, self.advice.conversion(node, expected))
        elif isinstance(node, Literal) and not is_a(node.type, expected):
            try:
                coerce(expected, node.value)
            except ValueError as error:
                self.problem("bad-value", node, f"the field {error}", None)

    # --- literals and names ---

    def literal(self, node: Literal) -> Type:
        return node.kind

    def items(self, node: Items) -> Type:
        item: Type | None = None
        for element in node.items:
            kind = self.type_of(element)
            together = kind if item is None else common(item, kind)
            if together is None:
                message = f"the list holds {item} and {kind}; its items are of one type"
                self.wrong_type(element, message, self.advice.conversion(element, item or ANY))
                return ListOf(ANY)
            item = together
        return ListOf(item or ANY)

    def name(self, node: Name) -> Type:
        """A name without a field: what only one place has (`result`), or a mistake."""
        if node.name in self.names.others:
            self.reads.add(node.name)
            return self.names.others[node.name]
        if node.name not in ROOTS:
            return self.unknown_name(node)
        record = self.names.root(node.name)
        if record is None:
            return self.no_event(node)
        example = next(iter(getattr(record, "fields", ())), "<name>")
        hint = f"write one of its fields, such as {node.name}.{example}"
        return self.problem("unknown-name", node, f"{node.name} alone is no value", hint)

    def field(self, node: Field) -> Type:
        base = node.base
        if isinstance(base, Name) and base.name in ROOTS:
            self.reads.add(f"{base.name}.{node.name}")
            record = self.names.root(base.name)
            if record is None:
                return self.no_event(base)
            base.type = record
        else:
            record = self.type_of(base)
        if record == ANY:
            return ANY
        if not isinstance(record, Record):
            message = f"{self.shown(base)} is {record.phrase} and has no field {node.name}"
            return self.problem("not-in-language", node, message, self.advice.part(node))
        return record.field_type(node.name) or self.unknown_field(node, record)

    def index(self, node: Index) -> Type:
        base, index = self.type_of(node.base), self.type_of(node.index)
        by_name = base == ANY or (isinstance(base, Record) and base.open)
        if (by_name and is_textual(index)) or (index == ANY and base == ANY):
            return ANY
        shown = self.shown(node.base)
        if isinstance(base, Record):
            message = f"{shown} is a record: its fields are read by name"
            return self.wrong_type(node.index, message, f"write {shown}.<name>")
        if not (isinstance(base, ListOf) or is_textual(base) or base == ANY):
            return self.wrong_type(node, f"{shown} is {base.phrase} and has no items", None)
        if index not in (INTEGER, ANY):
            message = f"an index is an integer, and {self.shown(node.index)} is {index.phrase}"
            return self.wrong_type(node.index, message, self.advice.conversion(node.index, INTEGER))
        return base.item if isinstance(base, ListOf) else TEXT if is_textual(base) else ANY

    def unknown_name(self, node: Name) -> Type:
        if node.name.startswith("__"):
            hint = "write event., vars., call., env. or state. and a field"
            return self.problem("not-in-language", node, f"{node.name} is a name of Python's", hint)
        return self.problem("unknown-name", node, f"there is no name {node.name}", self.advice.name(node))

    def unknown_field(self, node: Field, record: Record) -> Type:
        if node.name.startswith("__"):
            return self.problem("not-in-language", node, f"{node.name} is a name of Python's", None)
        whose = record.kind or self.shown(node.base)
        return self.problem("unknown-name", node, f"{whose} has no {node.name}", self.advice.field(node, record))

    def no_event(self, node: Node) -> Type:
        hint = "`set` a variable on the transition that leads here, and read vars.<name>"
        return self.problem("no-event", node, "there is no event to read here", hint)

    # --- functions ---

    def call(self, node: Call) -> Type:
        if node.method is not None:
            return self.method(node, node.method)
        kinds = [self.type_of(argument) for argument in node.arguments]
        function = FUNCTIONS.get(node.function)
        if function is None:
            hint = self.advice.function(node.function)
            return self.problem("unknown-function", node, f"there is no function {node.function}", hint)
        forms = [(form, takes) for form in function.forms if (takes := form.parameters(len(kinds))) is not None]
        if not forms:
            count = "one argument" if len(kinds) == 1 else f"{len(kinds) or 'no'} arguments"
            return self.problem("wrong-arguments", node, f"{node.function} is given {count}", f"write {function.usage}")
        fitting = [(form, takes) for form, takes in forms if all(map(may_be, kinds, takes))]
        if not fitting:
            return self.wrong_arguments(node, function, [takes for _, takes in forms])
        self.check_literals(node, function)
        # Of several that would do, the first is the closest, unless a value is only known when it is there.
        sure = [(form, takes) for form, takes in fitting if all(map(is_a, kinds, takes))]
        chosen = sure[:1] or fitting
        node.overloads = [form for form, _ in chosen]
        results = [self.result(node, form, takes) for form, takes in chosen]
        return results[0] if all(result == results[0] for result in results) else ANY

    def result(self, node: Call, form: Signature, takes: Sequence[Type]) -> Type:
        if form.returns is not None:
            return form.returns
        together: Type = node.arguments[0].type
        for argument, parameter in zip(node.arguments, takes, strict=True):
            if parameter != takes[0]:
                continue
            both = common(together, argument.type)
            if both is None:
                message = f"{node.function} is given {together} and {argument.type}; both are of one type"
                return self.problem("wrong-arguments", argument, message, self.advice.conversion(argument, together))
            together = both
        return together

    def wrong_arguments(self, node: Call, function: Function, forms: Sequence[Sequence[Type]]) -> Type:
        for position, argument in enumerate(node.arguments):
            takes = [form[position] for form in forms]
            if not any(may_be(argument.type, kind) for kind in takes):
                words = " or ".join(dict.fromkeys(kind.phrase for kind in takes))
                message = f"{function.name} takes {words}, and {self.shown(argument)} is {argument.type.phrase}"
                hint = self.advice.conversion(argument, takes[0]) or f"write {function.usage}"
                return self.problem("wrong-arguments", argument, message, hint)
        kinds = " and ".join(argument.type.phrase for argument in node.arguments)
        message = f"{function.name} cannot take {kinds} together"
        return self.problem("wrong-arguments", node, message, f"write {function.usage}")

    def check_literals(self, node: Call, function: Function) -> None:
        for position, demand in function.checks.items():
            argument = node.arguments[position]
            if isinstance(argument, Literal) and isinstance(argument.value, str):
                try:
                    demand(argument.value)
                except ValueError as error:
                    self.problem("bad-value", argument, str(error), None)

    def method(self, node: Call, value: Node) -> Type:
        if not (isinstance(value, Name) and value.name in ROOTS):
            self.type_of(value)
        for argument in node.arguments:
            self.type_of(argument)
        hint = self.advice.method(node.function, value, *node.arguments)
        return self.problem("not-in-language", node, f"values have no methods such as .{node.function}()", hint)

    # --- operators ---

    def negation(self, node: Not) -> Type:
        self.truth(node.operand, "not", None)
        return BOOLEAN

    def junction(self, node: Junction) -> Type:
        before: Node | None = None
        for operand in node.operands:
            self.truth(operand, node.operator, before)
            before = operand
        return BOOLEAN

    def truth(self, operand: Node, word: str, before: Node | None) -> None:
        if self.type_of(operand) in (BOOLEAN, ANY):
            return
        message = f"`{word}` takes true or false, and {self.shown(operand)} is {operand.type.phrase}"
        hint = self.advice.alternative(before, operand) if word == "or" else self.advice.truth(operand)
        self.wrong_type(operand, message, hint)

    def negative(self, node: Negative) -> Type:
        kind = self.type_of(node.operand)
        if kind in (*_NUMERIC, DURATION, ANY):
            return kind
        return self.wrong_type(node, f"- takes a number, and {self.shown(node.operand)} is {kind.phrase}", None)

    def arithmetic(self, node: Arithmetic) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        result = arithmetic_type(node.operator, left, right)
        if result is not None:
            return result
        message = f"{node.operator} does not take {left.phrase} and {right.phrase}"
        return self.wrong_type(node, message, self.advice.arithmetic(node))

    def comparison(self, node: Comparison) -> Type:
        for operand in node.operands:
            self.type_of(operand)
        for left, operator, right in zip(node.operands, node.operators, node.operands[1:], strict=False):
            if operator in ("in", "not in"):
                self.membership(left, right)
            elif common(left.type, right.type) is None:
                one, other = f"{self.shown(left)} is {left.type.phrase}", f"{self.shown(right)} is {right.type.phrase}"
                hint = self.advice.comparison(left, right)
                self.wrong_type(Node(left.start, right.end), f"{one} and {other}: they cannot be compared", hint)
            elif operator in ("==", "!="):
                self.word(left, right)
                self.word(right, left)
            else:
                self.order(left, operator, right)
        return BOOLEAN

    def membership(self, left: Node, right: Node) -> None:
        holder, one, other = right.type, self.shown(left), self.shown(right)
        if isinstance(holder, ListOf):
            if common(left.type, holder.item) is None:
                message = f"{one} is {left.type.phrase}, never in {other}, which is {holder.phrase}"
                self.wrong_type(Node(left.start, right.end), message, self.advice.conversion(left, holder.item))
            elif isinstance(right, Items):
                for item in right.items:
                    self.word(left, item)
        elif is_textual(holder):
            if not (is_textual(left.type) or left.type == ANY):
                message = f"only text is in text, and {one} is {left.type.phrase}"
                self.wrong_type(left, message, self.advice.conversion(left, TEXT))
        elif holder != ANY:
            message = f"`in` asks about a list or a text, and {other} is {holder.phrase}"
            self.wrong_type(right, message, self.advice.holder(right))

    def order(self, left: Node, operator: str, right: Node) -> None:
        for operand in (left, right):
            kind = operand.type
            if not (kind in (*_ORDERED, ANY) or is_textual(kind)):
                message = (
                    f"{operator} takes numbers, durations, times or text, and {self.shown(operand)} is {kind.phrase}"
                )
                self.wrong_type(operand, message, "write == or !=" if kind == BOOLEAN else None)
                return

    def word(self, value: Node, literal: Node) -> None:
        """A field that holds one of a few words is compared with one of them."""
        if not isinstance(value.type, OneOf) or not isinstance(literal, Literal):
            return
        words = value.type.words
        if isinstance(literal.value, str) and literal.value not in words:
            hint = did_you_mean(literal.value, words) or f"it is one of {', '.join(words)}"
            self.problem("bad-value", literal, f"{self.shown(value)} is never {self.shown(literal)}", hint)

    # --- what is wrong ---

    def wrong_type(self, node: Node, message: str, hint: str | None) -> Type:
        return self.problem("wrong-type", node, message, hint)

    def problem(self, code: str, node: Node, message: str, hint: str | None) -> Type:
        self.problems.append(Problem(code, message, node.start, node.end - node.start, hint))
        return ANY  # which fits everywhere, so that one mistake is told once

    def shown(self, node: Node) -> str:
        return self.advice.shown(node)


def arithmetic_type(operator: str, left: Type, right: Type) -> Type | None:
    """The type of a sum, product …; None where there is none."""
    if left in _NUMERIC and right in _NUMERIC:
        return NUMBER if operator == "/" else common(left, right)
    if ANY in (left, right):
        other = right if left == ANY else left
        joins = operator == "+" and (is_textual(other) or isinstance(other, ListOf))
        return ANY if joins or other in (*_ORDERED, ANY) else None
    if operator == "+" and (is_textual(left) or isinstance(left, ListOf)):
        joined = common(left, right)
        return TEXT if joined is not None and is_textual(joined) else joined  # two phones joined are no phone
    if (operator, left, right) == ("-", TIME, TIME):
        return DURATION
    if operator in ("+", "-") and left in (DURATION, TIME) and right == DURATION:
        return left
    if (operator, left, right) == ("+", DURATION, TIME):
        return TIME
    if operator == "*" and DURATION in (left, right) and (left in _NUMERIC or right in _NUMERIC):
        return DURATION
    if operator == "/" and left == DURATION:
        return DURATION if right in _NUMERIC else NUMBER if right == DURATION else None
    return None


_CHECKS: dict[type[Node], Callable[[Checker, Any], Type]] = {
    Literal: Checker.literal,
    Items: Checker.items,
    Name: Checker.name,
    Field: Checker.field,
    Index: Checker.index,
    Call: Checker.call,
    Not: Checker.negation,
    Negative: Checker.negative,
    Arithmetic: Checker.arithmetic,
    Comparison: Checker.comparison,
    Junction: Checker.junction,
}
