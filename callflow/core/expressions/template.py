"""Templates: texts with {{ expressions }} in them.

A text that is one `{{ }}` and nothing else (blank space around it does not count) keeps the value's type; in any other
each value is written into the text. A value is never read as a template again. Braces inside a quoted text do not end an
expression, so that a literal `{{` is written `{{ "{{" }}`; a single brace, and `}}` outside, are text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from attrs import field, frozen

from callflow.core.expressions.compile import Run, compiled
from callflow.core.expressions.expression import SURPRISES, expected_type, fitted, reason, tree
from callflow.core.expressions.names import Names, Values
from callflow.core.expressions.nodes import Node
from callflow.core.expressions.problems import EvaluationError, ExpressionError, Failed, Problem
from callflow.core.expressions.render import has_text, limited, renderer
from callflow.core.expressions.types import DURATION, TEXT, Record, Type, coerce, is_textual, may_be

MAX_EXPRESSIONS: Final = 200
"""Expressions in one text."""

_INSIDE = re.compile(r""" [^"'}]+ | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | \}(?!\}) """, re.VERBOSE | re.DOTALL)


@frozen
class Template:
    """A compiled text. `constant` says that there is no expression in it; then `value` is its value."""

    source: str
    type: Type
    reads: frozenset[str]
    constant: bool
    value: Any
    _run: Run = field(eq=False, repr=False)

    def evaluate(self, context: Values) -> Any:
        """The value or text. Raises EvaluationError, also where a value is absent."""
        if self.constant:
            return self.value
        try:
            return self._run(context)
        except Failed as failed:
            raise EvaluationError(self.source, str(failed)) from None
        except SURPRISES as error:
            raise EvaluationError(self.source, reason(error)) from error


def compile_template(source: str, names: Names, expect: Type | None = None) -> Template:
    """A text, checked against the type that is expected where it stands. Raises ExpressionError with every problem."""
    if "{{" not in source:
        return _constant(source, expect)
    problems: list[Problem] = []
    parts = [Hole(*part, names) if isinstance(part, tuple) else part for part in split(source, problems)]
    holes = [part for part in parts if isinstance(part, Hole)]
    alone = len(holes) == 1 and all(part is holes[0] or (isinstance(part, str) and part.isspace()) for part in parts)
    for hole in holes:
        hole.check(alone, expect)
        problems += (problem._replace(offset=problem.offset + hole.offset) for problem in hole.problems)
    if not alone and expect is not None and not may_be(TEXT, expect):
        hint = "leave out all but one {{ }}, which keeps the type of its value"
        message = f"{expect.phrase} is due here, and a value written into a text is text"
        problems.append(Problem("wrong-type", message, 0, len(source), hint))
    if problems:
        raise ExpressionError(source, problems)
    reads = frozenset[str]().union(*(hole.checker.reads for hole in holes))
    kind, run = holes[0].value() if alone else (TEXT, _text(parts))
    if expect is not None:
        kind, run = expected_type(kind, expect), fitted(run, kind, expect)
    return Template(source, kind, reads, False, None, run)


class Hole:
    """An expression in a text, `offset` characters behind its beginning."""

    def __init__(self, source: str, offset: int, names: Names) -> None:
        self.source = source.strip()
        self.offset = offset
        self.problems: list[Problem] = []
        self.node, self.checker = tree(source, names, self.problems)

    def check(self, alone: bool, expect: Type | None) -> None:
        """An expression that is the whole text is what is expected; in any other its value has to be written."""
        if self.node is None:
            return
        kind = self.node.type
        if alone:
            if expect is not None:
                self.checker.expected(self.node, expect)
        elif not has_text(kind):
            record = isinstance(kind, Record)
            hint = f"write one of its fields, such as {self.source}.<name>" if record else "write one of its items"
            message = f"{self.source} is {kind.phrase} and cannot be written into a text"
            self.checker.wrong_type(self.node, message, hint)

    def value(self) -> tuple[Type, Run]:
        """Its type, and its value, which is never absent."""
        return self._node.type, self._present("there is no value")

    def text(self) -> Run:
        """Its value as text."""
        write, run = renderer(self._node.type), self._present(f"{self.source} has no value")
        return lambda context: write(run(context))

    @property
    def _node(self) -> Node:
        if self.node is None:
            raise ExpressionError(self.source, self.problems)
        return self.node

    def _present(self, otherwise: str) -> Run:
        run = compiled(self._node)

        def present(context: Values) -> Any:
            value = run(context)
            if value is None:
                raise Failed(otherwise)
            return value

        return present


def _text(parts: Sequence[str | Hole]) -> Run:
    pieces = [part.text() if isinstance(part, Hole) else part for part in parts]

    def render(context: Values) -> str:
        return limited("".join([piece if isinstance(piece, str) else piece(context) for piece in pieces]))

    return render


def _constant(source: str, expect: Type | None) -> Template:
    value: Any = source
    if expect is not None and expect != TEXT:
        try:
            value = coerce(expect, source)
        except ValueError as error:
            code = "bad-value" if is_textual(expect) or expect == DURATION else "wrong-type"
            raise ExpressionError(source, [Problem(code, f"the field {error}", 0, len(source))]) from None
    return Template(source, expect or TEXT, frozenset(), True, value, lambda context: value)


def split(source: str, problems: list[Problem]) -> list[str | tuple[str, int]]:
    """The texts, and the sources of the expressions between them with their offsets."""
    parts: list[str | tuple[str, int]] = []
    position = expressions = 0
    while (opening := source.find("{{", position)) >= 0:
        if opening > position:
            parts.append(source[position:opening])
        closing = _closing(source, opening + 2)
        if closing < 0:
            hint = 'close it with }}; to write the two braces themselves, write {{ "{{" }}'
            problems.append(Problem("unclosed-template", "the {{ is never closed", opening, 2, hint))
            return parts
        expressions += 1
        if expressions > MAX_EXPRESSIONS:
            message = f"the text has more than {MAX_EXPRESSIONS} expressions"
            hint = "split it into several texts"
            problems.append(Problem("too-large", message, opening, closing + 2 - opening, hint))
            return parts
        parts.append((source[opening + 2 : closing], opening + 2))
        position = closing + 2
    if position < len(source):
        parts.append(source[position:])
    return parts


def _closing(source: str, start: int) -> int:
    """Where the }} stands that closes an expression: the first that is in no quoted text."""
    position = start
    while match := _INSIDE.match(source, position):
        position = match.end()
    if source.startswith("}}", position):
        return position
    # A quote that is never closed swallows the braces: take the first, and let the scanner say what is wrong.
    return source.find("}}", start)
