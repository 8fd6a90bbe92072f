"""An expression's tokens, made into a tree.

A parser of our own, by precedence climbing, instead of Python's: it reads durations (`30s`) and fields that are Python's
keywords (`event.from`), places its errors to the character, has no recursion that a text could exhaust, and does not
change with the version of Python. The grammar is the subset of Python's that the language allows, with its precedences.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

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
from callflow.core.expressions.scan import Stop, Token, scan
from callflow.core.expressions.types import ANY, BOOLEAN

N = TypeVar("N", bound=Node)

MAX_DEPTH: Final = 50
"""Levels of brackets and operators inside each other."""

_NOT = 3
_COMPARE = 4
_TIGHTEST = 7
_LEVELS = {
    "or": 1, "and": 2,
    "==": _COMPARE, "!=": _COMPARE, "<": _COMPARE, "<=": _COMPARE, ">": _COMPARE, ">=": _COMPARE, "in": _COMPARE, "not in": _COMPARE,
    "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6,
}  # fmt: skip
_WORDS = ("and", "or", "not", "in")

_NO_CHOICE = "there is no choice inside an expression: write two rows, each with its `when:`"
_NO_LOOP = "there are no loops: ask about a list with `in`, or compute it in Python"
_ABSENT = "write is_set(…), or not is_set(…), to ask whether a value is there; if it is a word, put quotes around it"
_FOREIGN = {
    "is": "write ==, or is_set(…) to ask whether a value is there",
    "if": _NO_CHOICE, "else": _NO_CHOICE, "then": _NO_CHOICE, "unless": _NO_CHOICE, "case": _NO_CHOICE,
    "for": _NO_LOOP, "while": _NO_LOOP,
    "lambda": "there are no functions of your own", "def": "there are no functions of your own",
    "await": "an expression waits for nothing", "async": "an expression waits for nothing", "yield": "an expression waits for nothing",
    "contains": "write the part first: \"part\" in text", "matches": "there are no patterns: use starts_with, ends_with, or \"part\" in text",
    "like": "there are no patterns: use starts_with, ends_with, or \"part\" in text",
    "equals": "write ==", "eq": "write ==", "ne": "write !=", "lt": "write <", "le": "write <=", "gt": "write >", "ge": "write >=",
    "div": "write /", "mod": "write %", "xor": "write != between the two",
}  # fmt: skip
_ABSENT_WORDS = ("None", "none", "null", "Null", "NULL", "nil", "undefined")
_BOOLEANS = {"true": True, "false": False}
_PLAIN = re.compile(r"\s*(event|vars|call|env|state)\.([A-Za-z_][A-Za-z0-9_]*)\s*", re.ASCII)


def parse(source: str, problems: list[Problem]) -> Node | None:
    """The tree of an expression, or None when it cannot be understood. Adds all that is wrong to `problems`."""
    plain = _PLAIN.fullmatch(source)
    if plain is not None:  # most expressions of a flow: `vars.name` needs no tokens
        base = Name(*plain.span(1), plain[1])
        field = Field(base.start, plain.end(2), base, plain[2])
        field.depth = 2
        return field
    try:
        return _Parser(source, scan(source, problems), problems).whole()
    except Stop:
        return None


class _Parser:
    def __init__(self, source: str, tokens: list[Token], problems: list[Problem]) -> None:
        self.length = len(source)
        self.tokens = [token for token in tokens if token.text or token.kind == "end"]
        self.problems = problems
        self.position = 0
        self.depth = 0

    def whole(self) -> Node:
        if len(self.tokens) == 1:
            raise self.stop(
                "the expression is empty", Token("end", "", 0, self.length), "write a value, such as vars.<name>"
            )
        node = self.expression(0)
        token = self.tokens[self.position]
        if token.kind != "end":
            raise self.leftover(token)
        return node

    # --- operators ---

    def expression(self, floor: int) -> Node:
        """Reads operators that bind tighter than `floor`."""
        left = self.operand(floor)
        while True:
            operator, width = self.operator()
            level = _LEVELS.get(operator, 0)
            if level <= floor:
                return left
            if level == _COMPARE:
                left = self.comparison(left)
                continue
            self.position += width
            right = self.expression(level)
            if level < _NOT:
                left = self.junction(operator, left, right)
            else:
                left = self.made(Arithmetic(left.start, right.end, operator, left, right), left, right)

    def operator(self) -> tuple[str, int]:
        """The operator that comes next, or "", and of how many tokens it is made."""
        token = self.tokens[self.position]
        if token.kind == "sign":
            return token.text, 1
        if token.kind != "name":
            return "", 0
        word = self.word(token)
        if word == "not" and self.word(self.tokens[self.position + 1]) == "in":
            return "not in", 2
        return word, 1

    def word(self, token: Token) -> str:
        """The word `and`, `or`, `not`, `in`; in capitals it is a problem and understood all the same."""
        if token.kind != "name":
            return ""
        lower = token.text.lower()
        if lower not in _WORDS:
            return ""
        if token.text != lower:
            problem = Problem(
                "bad-expression", f"{token.text} is not an operator", token.start, len(token.text), f"write {lower}"
            )
            if problem not in self.problems:
                self.problems.append(problem)
        return lower

    def comparison(self, first: Node) -> Node:
        operands: list[Node] = [first]
        operators: list[str] = []
        while True:
            operator, width = self.operator()
            if _LEVELS.get(operator) != _COMPARE:
                return self.made(Comparison(first.start, operands[-1].end, operands, operators), *operands)
            self.position += width
            operators.append(operator)
            operands.append(self.expression(_COMPARE))

    def junction(self, operator: str, left: Node, right: Node) -> Node:
        # One level for `a or b or c …`, however many: they are the one list that grows long in practice.
        if isinstance(left, Junction) and left.operator == operator:
            left.operands.append(right)
            left.end = right.end
            left.depth = max(left.depth, right.depth + 1)
            return left
        return self.made(Junction(left.start, right.end, operator, [left, right]), left, right)

    # --- operands ---

    def operand(self, floor: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.too_deep(self.tokens[self.position])
        token = self.tokens[self.position]
        self.position += 1
        if self.word(token) == "not":
            node = self.negation(token, floor)
        elif token.text == "-" and token.kind == "sign":
            inner = self.operand(_TIGHTEST)
            node = self.made(Negative(token.start, inner.end, inner), inner)
        else:
            node = self.postfix(self.primary(token))
        self.depth -= 1
        return node

    def negation(self, token: Token, floor: int) -> Node:
        if floor > _NOT:
            hint = "put brackets around the part with `not`"
            raise self.stop("`not` stands inside a comparison or sum", token, hint)
        inner = self.expression(_NOT)
        return self.made(Not(token.start, inner.end, inner), inner)

    def primary(self, token: Token) -> Node:
        if token.kind == "literal":
            return Literal(token.start, token.end, token.value, token.type)
        if token.kind == "name":
            return self.named(token)
        if token.text == "(":
            inner = self.expression(0)
            end = self.closing(token, ")")
            inner.start, inner.end = token.start, end
            return inner
        if token.text == "[":
            items, end = self.items(token, "]")
            return self.made(Items(token.start, end, items), *items)
        if token.text == "+":
            number = self.tokens[self.position]
            phone = number.kind == "literal" and len(number.text) > 6
            hint = "a phone number is text: put quotes around it" if phone else "leave the + out"
            self.problem("bad-expression", "+ joins two values, and there is none before it", token, hint)
            node = self.operand(_TIGHTEST)
            return Literal(node.start, node.end, None, ANY) if phone else node
        raise self.missing(token)

    def named(self, token: Token) -> Node:
        text = token.text
        lower = text.lower()
        if lower in _BOOLEANS and text in (lower, lower.capitalize(), lower.upper()):
            if text != lower:
                self.problem("bad-expression", f"{text} is no value", token, f"write {lower}")
            return Literal(token.start, token.end, _BOOLEANS[lower], BOOLEAN)
        # A word of another language stands before a value; by itself, or before a dot, it is a name like any other.
        following = self.tokens[self.position]
        if text in _ABSENT_WORDS and following.text not in (".", "("):
            self.problem("not-in-language", f"{text} is no value", token, _ABSENT)
            return Literal(token.start, token.end, None, ANY)
        if self.word(token):
            raise self.missing(token)
        if text in _FOREIGN and (following.kind in ("name", "literal") or following.text == ":"):
            raise self.foreign(token)
        return Name(token.start, token.end, text)

    def postfix(self, node: Node) -> Node:
        while True:
            token = self.tokens[self.position]
            if token.kind != "sign" or token.text not in (".", "[", "("):
                return node
            self.position += 1
            if token.text == ".":
                node = self.field(node, token)
            elif token.text == "[":
                node = self.index(node, token)
            else:
                node = self.call(node, token)

    def field(self, base: Node, dot: Token) -> Node:
        token = self.tokens[self.position]
        if token.kind != "name":
            raise self.stop("a name is missing after the dot", dot, "write a field, such as vars.<name>")
        self.position += 1
        return self.made(Field(base.start, token.end, base, token.text), base)

    def index(self, base: Node, bracket: Token) -> Node:
        if self.tokens[self.position].text == "]":
            raise self.stop(
                "an index is missing between the brackets", bracket, "write a number that counts from 0; -1 is the last"
            )
        if self.tokens[self.position].text == ":":
            raise self.slice(self.tokens[self.position])
        index = self.expression(0)
        if self.tokens[self.position].text == ":":
            raise self.slice(self.tokens[self.position])
        end = self.closing(bracket, "]")
        if isinstance(index, Literal) and isinstance(index.value, str):
            return self.made(Field(base.start, end, base, index.value), base)  # a["b"] is a.b
        return self.made(Index(base.start, end, base, index), base, index)

    def call(self, called: Node, bracket: Token) -> Node:
        arguments, end = self.items(bracket, ")")
        if isinstance(called, Name):
            return self.made(Call(called.start, end, called.name, arguments), *arguments)
        if isinstance(called, Field):
            return self.made(Call(called.start, end, called.name, arguments, called.base), called.base, *arguments)
        raise self.stop("only a function can be called", bracket, "write function(value), such as len(vars.<name>)")

    def items(self, bracket: Token, close: str) -> tuple[list[Node], int]:
        items: list[Node] = []
        while self.tokens[self.position].text != close:
            items.append(self.expression(0))
            if self.tokens[self.position].text != ",":
                break
            self.position += 1
        return items, self.closing(bracket, close)

    def closing(self, bracket: Token, close: str) -> int:
        token = self.tokens[self.position]
        if token.kind == "end":
            raise self.stop(f"the {bracket.text} is never closed", bracket, f"close it with {close}")
        if token.kind != "sign" or token.text != close:
            raise self.leftover(token, close)
        self.position += 1
        return token.end

    # --- what is wrong ---

    def made(self, node: N, *children: Node) -> N:
        for child in children:
            if child.depth >= node.depth:
                node.depth = child.depth + 1
        if node.depth > MAX_DEPTH:
            raise self.too_deep(node)
        return node

    def too_deep(self, place: Token | Node) -> Stop:
        self.problem(
            "too-large",
            f"the expression is nested more than {MAX_DEPTH} levels deep",
            place,
            "compute it in steps, with `set`",
        )
        return Stop()

    def leftover(self, token: Token, close: str = "") -> Stop:
        """A token that cannot continue what stands before it."""
        if token.kind == "name" and token.text in _FOREIGN:
            return self.foreign(token)
        if token.text in (")", "]"):
            return self.stop(
                f"the {token.text} closes nothing",
                token,
                f"write {close} here" if close else "leave it out, or open it before",
            )
        if token.text == ":":
            return self.stop(
                "a colon has no meaning in an expression",
                token,
                "times, hours and other words with a colon are text: put quotes around them",
            )
        if token.text == ",":
            return self.stop(
                "the comma stands outside of a list",
                token,
                "write lists as [1, 2]" if not close else f"close the {close} first",
            )
        return self.stop(
            f"an operator is missing before {_short(token.text)}",
            token,
            "write ==, and, +, … between two values; put text into one pair of quotes",
        )

    def missing(self, token: Token) -> Stop:
        """No value begins with this token."""
        before = self.tokens[self.position - 2] if self.position > 1 else None
        if token.kind == "end" and before is not None:
            return self.stop(f"a value is missing after {_short(before.text)}", before, None)
        return self.stop(f"a value is missing before {_short(token.text)}", token, None)

    def slice(self, colon: Token) -> Stop:
        self.problem("not-in-language", "there are no slices", colon, "write first(value, 3) or last(value, 4)")
        return Stop()

    def foreign(self, token: Token) -> Stop:
        self.problem("not-in-language", f"`{token.text}` is not part of the language", token, _FOREIGN[token.text])
        return Stop()

    def stop(self, message: str, place: Token, hint: str | None) -> Stop:
        self.problem("bad-expression", message, place, hint)
        return Stop()

    def problem(self, code: str, message: str, place: Token | Node, hint: str | None) -> None:
        self.problems.append(Problem(code, message, place.start, place.end - place.start, hint))


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"
