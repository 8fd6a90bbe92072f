"""Names and types: what an expression reads, what type it has, and everything in it that can never work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

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
from callflow.core.suggest import closest, did_you_mean

_NUMERIC = (INTEGER, NUMBER)
_ORDERED = (INTEGER, NUMBER, DURATION, TIME)
_FUNCTIONS_ELSEWHERE: Final = {
    "strip": "trim", "startswith": "starts_with", "endswith": "ends_with", "length": "len", "size": "len", "count": "len",
    "tolower": "lower", "lowercase": "lower", "toupper": "upper", "uppercase": "upper", "str": "text", "string": "text",
    "int": "number", "float": "number", "exists": "is_set", "defined": "is_set", "isset": "is_set", "get": "default", "coalesce": "default",
}  # fmt: skip


def check(node: Node, source: str, names: Names, problems: list[Problem]) -> frozenset[str]:
    """Fills in the types of the tree, adds what is wrong to `problems`, and returns the names that are read."""
    checker = _Checker(source, names, problems)
    checker.type_of(node)
    return frozenset(checker.reads)


def check_guard(node: Node, source: str, problems: list[Problem]) -> None:
    """A guard is true or false."""
    if node.type not in (BOOLEAN, ANY):
        problems.append(
            _problem(
                "wrong-type",
                f"a guard is true or false, and {_shown(node, source)} is {node.type.phrase}",
                node,
                _truth_hint(node, source),
            )
        )


def check_expected(node: Node, source: str, expected: Type, problems: list[Problem]) -> None:
    """What is expected here takes the value, or may take it once it is known."""
    shown = _shown(node, source)
    if not may_be(node.type, expected):
        problems.append(
            _problem(
                "wrong-type",
                f"{expected.phrase} is due here, and {shown} is {node.type.phrase}",
                node,
                conversion(node, expected, shown),
            )
        )
    elif isinstance(node, Literal) and not is_a(node.type, expected):
        try:
            coerce(expected, node.value)
        except ValueError as error:
            problems.append(_problem("bad-value", f"the field {error}", node, None))


def conversion(node: Node, expected: Type, shown: str) -> str | None:
    """How to make a value of the expected type out of this one."""
    found, literal = node.type, isinstance(node, Literal)
    if is_textual(expected) and found in (INTEGER, NUMBER, BOOLEAN, DURATION, TIME):
        return f'write "{shown}"' if literal else f"write text({shown})"
    if expected in _NUMERIC and is_textual(found):
        return _bare(node) or f"write number({shown})"
    if expected == INTEGER and found == NUMBER:
        return f"write round({shown})"
    if expected == DURATION and found in _NUMERIC:
        return (
            f"write {node.value}s"
            if isinstance(node, Literal) and found == INTEGER
            else f"write {shown} * 1s for seconds"
        )
    if expected == DURATION and is_textual(found):
        return _bare(node) or f"write duration({shown})"
    if expected in _NUMERIC and found == DURATION:
        return f"write {shown} / 1s for its seconds"
    if expected == BOOLEAN:
        return _bare(node) or "compare it with something, or write is_set(…)"
    if isinstance(expected, ListOf) and may_be(found, expected.item):
        return f"write [{shown}]"
    return None


class _Checker:
    def __init__(self, source: str, names: Names, problems: list[Problem]) -> None:
        self.source = source
        self.names = names
        self.problems = problems
        self.reads: set[str] = set()

    def type_of(self, node: Node) -> Type:
        node.type = getattr(self, f"_{type(node).__name__.lower()}")(node)
        return node.type

    def _literal(self, node: Literal) -> Type:
        return node.kind

    def _items(self, node: Items) -> Type:
        item: Type | None = None
        for element in node.items:
            kind = self.type_of(element)
            together = kind if item is None else common(item, kind)
            if together is None:
                self.problem(
                    "wrong-type",
                    f"the list holds {item} and {kind}; its items are of one type",
                    element,
                    conversion(element, item or ANY, self.shown(element)),
                )
                return ListOf(ANY)
            item = together
        return ListOf(item or ANY)

    # --- names ---

    def _name(self, node: Name) -> Type:
        kind = self.names.root(node.name)
        if kind is None and not (node.name == "event" and self.names.event is None):
            return self.unknown(node)
        if node.name in self.names.others:
            self.reads.add(node.name)
            return kind or ANY
        if kind is None:
            return self.no_event(node)
        example = next(iter(getattr(kind, "fields", ())), "<name>")
        return self.problem(
            "unknown-name",
            f"{node.name} alone is no value",
            node,
            f"write one of its fields, such as {node.name}.{example}",
        )

    def _field(self, node: Field) -> Type:
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
            return self.no_parts(node, record)
        return record.field_type(node.name) or self.unknown_field(node, record)

    def _index(self, node: Index) -> Type:
        base, index = self.type_of(node.base), self.type_of(node.index)
        by_name = base == ANY or (isinstance(base, Record) and base.open)
        if (by_name and is_textual(index)) or (index == ANY and base == ANY):
            return ANY
        if isinstance(base, Record):
            return self.problem(
                "wrong-type",
                f"{self.shown(node.base)} is a record: its fields are read by name",
                node.index,
                f"write {self.shown(node.base)}.<name>",
            )
        if not (isinstance(base, ListOf) or is_textual(base) or base == ANY):
            return self.problem("wrong-type", f"{self.shown(node.base)} is {base.phrase} and has no items", node, None)
        if index not in (INTEGER, ANY):
            return self.problem(
                "wrong-type",
                f"an index is an integer, and {self.shown(node.index)} is {index.phrase}",
                node.index,
                conversion(node.index, INTEGER, self.shown(node.index)),
            )
        return base.item if isinstance(base, ListOf) else TEXT if is_textual(base) else ANY

    def unknown(self, node: Name) -> Type:
        name = node.name
        if name.startswith("__"):
            return self.problem(
                "not-in-language",
                f"{name} is a name of Python's",
                node,
                "write event., vars., call., env. or state. and a field",
            )
        holders = [known for known in self.names.known() if known.partition(".")[2] == name]
        if holders:
            hint: str | None = f"write {' or '.join(holders[:3])}"
        elif name in FUNCTIONS:
            hint = f"{name} is a function: write {FUNCTIONS[name].usage}"
        else:
            near = closest(name, [*ROOTS, *self.names.others])
            fields = closest(name, [known.partition(".")[2] for known in self.names.known()])
            if self.source[node.end : node.end + 1] in (".", "["):
                hint = f"did you mean {near[0]}?" if near else "names begin with event, vars, call, env or state"
            elif fields:
                hint = next(
                    f"did you mean {known}?" for known in self.names.known() if known.partition(".")[2] == fields[0]
                )
            else:
                hint = f"did you mean {near[0]}?" if near else f'if it is text, put quotes around it: "{name}"'
        return self.problem("unknown-name", f"there is no name {name}", node, hint)

    def no_event(self, node: Node) -> Type:
        return self.problem(
            "no-event",
            "there is no event to read here",
            node,
            "`set` a variable on the transition that leads here, and read vars.<name>",
        )

    def unknown_field(self, node: Field, record: Record) -> Type:
        base = self.shown(node.base)
        whose = record.kind or base
        near = closest(node.name, record.fields)
        if node.name.startswith("__"):
            return self.problem("not-in-language", f"{node.name} is a name of Python's", node, None)
        if near:
            hint: str | None = f"did you mean {base}.{near[0]}?"
        elif base == "vars":
            hint = f"declare it: vars: {{{node.name}: {{type: string}}}}"
        elif base == "env":
            hint = f"list it: env: [{node.name}]"
        elif record.fields:
            more = ", …" if len(record.fields) > 8 else ""
            hint = f"there are {', '.join(list(record.fields)[:8])}{more}"
        else:
            hint = "it has no fields"
        return self.problem("unknown-name", f"{whose} has no {node.name}", node, hint)

    def no_parts(self, node: Field, kind: Type) -> Type:
        base = self.shown(node.base)
        function = _function_meant(node.name)
        hint = f"write {function}({base})" if function else None
        return self.problem("not-in-language", f"{base} is {kind.phrase} and has no field {node.name}", node, hint)

    # --- functions ---

    def _call(self, node: Call) -> Type:
        if node.method is not None:
            return self.method(node, node.method)
        kinds = [self.type_of(argument) for argument in node.arguments]
        function = FUNCTIONS.get(node.function)
        if function is None:
            return self.unknown_function(node)
        forms = [form for form in function.forms if form.parameters(len(kinds)) is not None]
        if not forms:
            return self.problem(
                "wrong-arguments",
                f"{node.function} is given {_count(len(kinds))}",
                node,
                f"write {function.usage}",
            )
        fitting = [form for form in forms if all(map(may_be, kinds, form.parameters(len(kinds)) or ()))]
        if not fitting:
            return self.wrong_arguments(node, function, forms)
        self.check_literals(node, function)
        # Of several that would do, the first is the closest, unless a value is only known when it is there.
        sure = next((form for form in fitting if all(map(is_a, kinds, form.parameters(len(kinds)) or ()))), None)
        node.overloads = fitting if sure is None else [sure]
        results = [self.result(node, form, kinds) for form in node.overloads]
        return results[0] if all(result == results[0] for result in results) else ANY

    def result(self, node: Call, form: Signature, kinds: Sequence[Type]) -> Type:
        if form.returns is not None:
            return form.returns
        parameters = form.parameters(len(kinds)) or ()
        together: Type = kinds[0]
        for kind, parameter, argument in zip(kinds, parameters, node.arguments, strict=True):
            if parameter != parameters[0]:
                continue
            both = common(together, kind)
            if both is None:
                return self.problem(
                    "wrong-arguments",
                    f"{node.function} is given {together} and {kind}; both are of one type",
                    argument,
                    conversion(argument, together, self.shown(argument)),
                )
            together = both
        return together

    def wrong_arguments(self, node: Call, function: Function, forms: Sequence[Signature]) -> Type:
        for position, argument in enumerate(node.arguments):
            takes = [(form.parameters(len(node.arguments)) or ())[position] for form in forms]
            if not any(may_be(argument.type, kind) for kind in takes):
                shown = self.shown(argument)
                words = " or ".join(dict.fromkeys(kind.phrase for kind in takes))
                return self.problem(
                    "wrong-arguments",
                    f"{function.name} takes {words}, and {shown} is {argument.type.phrase}",
                    argument,
                    conversion(argument, takes[0], shown) or f"write {function.usage}",
                )
        return self.problem(
            "wrong-arguments",
            f"{function.name} cannot take {' and '.join(argument.type.phrase for argument in node.arguments)} together",
            node,
            f"write {function.usage}",
        )

    def check_literals(self, node: Call, function: Function) -> None:
        for position, demand in function.checks.items():
            argument = node.arguments[position]
            if isinstance(argument, Literal) and isinstance(argument.value, str):
                try:
                    demand(argument.value)
                except ValueError as error:
                    self.problem("bad-value", str(error), argument, None)

    def method(self, node: Call, value: Node) -> Type:
        if not (isinstance(value, Name) and value.name in ROOTS):
            self.type_of(value)
        for argument in node.arguments:
            self.type_of(argument)
        inside = ", ".join(self.shown(part) for part in (value, *node.arguments))
        function = _function_meant(node.function)
        hint = (
            f"write {function}({inside})"
            if function
            else f"functions stand before their values: {', '.join(FUNCTIONS)}"
        )
        return self.problem("not-in-language", f"values have no methods such as .{node.function}()", node, hint)

    def unknown_function(self, node: Call) -> Type:
        meant = _FUNCTIONS_ELSEWHERE.get(node.function.lower())
        hint = f"write {FUNCTIONS[meant].usage}" if meant else did_you_mean(node.function, FUNCTIONS)
        if node.function in (*ROOTS, *self.names.others):
            hint = f"{node.function} is no function: write {node.function}.<name>"
        return self.problem(
            "unknown-function",
            f"there is no function {node.function}",
            node,
            hint or f"there are {', '.join(FUNCTIONS)}",
        )

    # --- operators ---

    def _not(self, node: Not) -> Type:
        self.truth(node.operand, "not")
        return BOOLEAN

    def _junction(self, node: Junction) -> Type:
        before: Node | None = None
        for operand in node.operands:
            self.truth(operand, node.operator, before)
            before = operand
        return BOOLEAN

    def truth(self, operand: Node, word: str, before: Node | None = None) -> None:
        kind = self.type_of(operand)
        if kind in (BOOLEAN, ANY):
            return
        shown, hint = self.shown(operand), _truth_hint(operand, self.source)
        if (
            word == "or"
            and isinstance(before, Comparison)
            and before.operators == ["=="]
            and isinstance(operand, Literal)
        ):
            left, right = (self.shown(part) for part in before.operands)
            hint = f"write {left} in [{right}, {shown}]"
        self.problem("wrong-type", f"`{word}` takes true or false, and {shown} is {kind.phrase}", operand, hint)

    def _negative(self, node: Negative) -> Type:
        kind = self.type_of(node.operand)
        if kind in (*_NUMERIC, DURATION, ANY):
            return kind
        return self.problem(
            "wrong-type", f"- takes a number, and {self.shown(node.operand)} is {kind.phrase}", node, None
        )

    def _arithmetic(self, node: Arithmetic) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        result = arithmetic_type(node.operator, left, right)
        if result is not None:
            return result
        return self.problem(
            "wrong-type",
            f"{node.operator} does not take {left.phrase} and {right.phrase}",
            node,
            self.arithmetic_hint(node),
        )

    def arithmetic_hint(self, node: Arithmetic) -> str | None:
        left, right = node.left, node.right
        if node.operator == "+":
            for one, other in ((left, right), (right, left)):
                if is_textual(one.type) or one.type == DURATION:
                    return conversion(other, TEXT if is_textual(one.type) else DURATION, self.shown(other))
        if node.operator == "*" and TEXT in (left.type, right.type):
            return "text cannot be repeated; for a number that a text spells, write number(…)"
        if is_textual(left.type) or is_textual(right.type):
            text = left if is_textual(left.type) else right
            return conversion(text, NUMBER, self.shown(text))
        if DURATION in (left.type, right.type):
            return "add durations to durations, and multiply or divide them by numbers"
        return None

    def _comparison(self, node: Comparison) -> Type:
        for operand in node.operands:
            self.type_of(operand)
        for left, operator, right in zip(node.operands, node.operators, node.operands[1:], strict=False):
            if operator in ("in", "not in"):
                self.membership(left, right)
            elif common(left.type, right.type) is None:
                self.problem(
                    "wrong-type",
                    f"{self.shown(left)} is {left.type.phrase} and {self.shown(right)} is {right.type.phrase}: they cannot be compared",
                    _span(left, right),
                    self.comparison_hint(left, right),
                )
            elif operator in ("==", "!="):
                self.word(left, right)
                self.word(right, left)
            else:
                self.order(left, operator, right)
        return BOOLEAN

    def membership(self, left: Node, right: Node) -> None:
        if right.type == ANY:
            return
        if isinstance(right.type, ListOf):
            if common(left.type, right.type.item) is None:
                self.problem(
                    "wrong-type",
                    f"{self.shown(left)} is {left.type.phrase}, never in {self.shown(right)}, which is {right.type.phrase}",
                    _span(left, right),
                    conversion(left, right.type.item, self.shown(left)),
                )
            elif isinstance(right, Items):
                for item in right.items:
                    self.word(left, item)
        elif is_textual(right.type):
            if not (is_textual(left.type) or left.type == ANY):
                self.problem(
                    "wrong-type",
                    f"only text is in text, and {self.shown(left)} is {left.type.phrase}",
                    left,
                    conversion(left, TEXT, self.shown(left)),
                )
        else:
            hint = (
                f"write is_set({self.shown(right)}.<name>)"
                if isinstance(right.type, Record)
                else f"write == {self.shown(right)}, or in [{self.shown(right)}]"
            )
            self.problem(
                "wrong-type",
                f"`in` asks about a list or a text, and {self.shown(right)} is {right.type.phrase}",
                right,
                hint,
            )

    def order(self, left: Node, operator: str, right: Node) -> None:
        for operand in (left, right):
            if not (operand.type in (*_ORDERED, ANY) or is_textual(operand.type)):
                self.problem(
                    "wrong-type",
                    f"{operator} takes numbers, durations, times or text, and {self.shown(operand)} is {operand.type.phrase}",
                    operand,
                    "write == or !=" if operand.type == BOOLEAN else None,
                )
                return

    def word(self, value: Node, literal: Node) -> None:
        """A field that holds one of a few words is compared with one of them."""
        if not isinstance(value.type, OneOf) or not isinstance(literal, Literal) or literal.value in value.type.words:
            return
        if isinstance(literal.value, str):
            hint = did_you_mean(literal.value, value.type.words) or f"it is one of {', '.join(value.type.words)}"
            self.problem("bad-value", f"{self.shown(value)} is never {self.shown(literal)}", literal, hint)

    def comparison_hint(self, left: Node, right: Node) -> str | None:
        # What is written out is the easier one to change.
        for literal, other in ((right, left), (left, right)):
            if isinstance(literal, Literal):
                return conversion(literal, other.type, self.shown(literal))
        for one, other in ((left, right), (right, left)):
            if is_textual(one.type) or (one.type in _NUMERIC and other.type == DURATION):
                return conversion(one, other.type, self.shown(one))
        return None

    # --- what is wrong ---

    def problem(self, code: str, message: str, node: Any, hint: str | None) -> Type:
        self.problems.append(_problem(code, message, node, hint))
        return ANY  # which fits everywhere, so that one mistake is told once

    def shown(self, node: Node) -> str:
        return _shown(node, self.source)


def arithmetic_type(operator: str, left: Type, right: Type) -> Type | None:
    """The type of a sum, product …; None where there is none."""
    if left in _NUMERIC and right in _NUMERIC:
        return NUMBER if operator == "/" else common(left, right)
    if ANY in (left, right):
        other = right if left == ANY else left
        joins = operator == "+" and (is_textual(other) or isinstance(other, ListOf))
        return ANY if joins or other in (*_ORDERED, ANY) else None
    if operator == "+" and (is_textual(left) or isinstance(left, ListOf)):
        return common(left, right)
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


def _function_meant(name: str) -> str | None:
    meant = _FUNCTIONS_ELSEWHERE.get(name.lower(), name)
    return meant if meant in FUNCTIONS else next(iter(closest(name, FUNCTIONS)), None)


def _count(count: int) -> str:
    return "one argument" if count == 1 else f"{count or 'no'} arguments"


def _bare(node: Node) -> str | None:
    """A literal text whose content, without its quotes, would be the other literal that is meant."""
    if (
        isinstance(node, Literal)
        and isinstance(node.value, str)
        and node.value.replace(".", "", 1).isalnum()
        and node.value[0].isdigit()
    ):
        return f"write {node.value} without the quotes"
    if isinstance(node, Literal) and node.value in ("true", "false"):
        return f"write {node.value} without the quotes"
    return None


def _truth_hint(node: Node, source: str) -> str | None:
    if isinstance(node, Literal):
        return _bare(node) or "compare it with something"
    shown = _shown(node, source)
    return f"compare it with something, or write is_set({shown})"


def _shown(node: Node, source: str) -> str:
    text = " ".join(source[node.start : node.end].split())
    return text if len(text) <= 40 else text[:39] + "…"


def _span(left: Node, right: Node) -> Node:
    return Node(left.start, right.end)


def _problem(code: str, message: str, node: Node, hint: str | None) -> Problem:
    return Problem(code, message, node.start, node.end - node.start, hint)
