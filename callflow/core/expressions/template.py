"""Templates: texts with {{ expressions }} in them.

A text that is one `{{ }}` and nothing else (blank space around it does not count) keeps the value's type; in any other
each value is written into the text. A value is never read as a template again. Braces inside a quoted text do not end an
expression, so that a literal `{{` is written `{{ "{{" }}`; a single brace, and `}}` outside, are text like any other.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from attrs import field, frozen

from callflow.core.expressions.check import check_expected
from callflow.core.expressions.compile import Run, compiled
from callflow.core.expressions.expression import _SURPRISES, expected_type, fitted, reason, tree
from callflow.core.expressions.names import Context, Names
from callflow.core.expressions.nodes import Node
from callflow.core.expressions.problems import EvaluationError, ExpressionError, Failed, Problem
from callflow.core.expressions.render import has_text, limited, renderer
from callflow.core.expressions.types import DURATION, TEXT, Type, coerce, is_textual, may_be

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

    def evaluate(self, context: Context) -> Any:
        """The value or text. Raises EvaluationError, also where a value is absent."""
        if self.constant:
            return self.value
        try:
            return self._run(context)
        except Failed as failed:
            raise EvaluationError(self.source, str(failed)) from None
        except _SURPRISES as error:
            raise EvaluationError(self.source, reason(error)) from error


def compile_template(source: str, names: Names, expect: Type | None = None) -> Template:
    """A text, checked against the type that is expected where it stands. Raises ExpressionError with every problem."""
    if "{{" not in source:
        return _constant(source, expect)
    problems: list[Problem] = []
    parts = _split(source, problems)
    nodes = [(part, *_part_tree(part, names, problems)) if isinstance(part, _Hole) else part for part in parts]
    reads: frozenset[str] = frozenset().union(*(entry[2] for entry in nodes if isinstance(entry, tuple)))
    single = _single(nodes)
    if single is not None:
        return _keeping_type(source, *single, reads, expect, problems)
    return _text(source, nodes, reads, expect, problems)


class _Hole(NamedTuple):
    """An expression in a text, and where its source begins."""

    source: str
    offset: int


_Entry = str | tuple[_Hole, Node | None, frozenset[str]]


def _constant(source: str, expect: Type | None) -> Template:
    value: Any = source
    if expect is not None and expect != TEXT:
        try:
            value = coerce(expect, source)
        except ValueError as error:
            code = "bad-value" if is_textual(expect) or expect == DURATION else "wrong-type"
            raise ExpressionError(source, [Problem(code, f"the field {error}", 0, len(source))]) from None
    return Template(source, expect or TEXT, frozenset(), True, value, lambda context: value)


def _split(source: str, problems: list[Problem]) -> list[str | _Hole]:
    parts: list[str | _Hole] = []
    position = 0
    while (opening := source.find("{{", position)) >= 0:
        if opening > position:
            parts.append(source[position:opening])
        closing = _closing(source, opening + 2)
        if closing < 0:
            hint = 'close it with }}; to write the two braces themselves, write {{ "{{" }}'
            problems.append(Problem("unclosed-template", "the {{ is never closed", opening, 2, hint))
            return parts
        parts.append(_Hole(source[opening + 2 : closing], opening + 2))
        position = closing + 2
        if len(parts) > 2 * MAX_EXPRESSIONS:
            problems.append(
                Problem(
                    "too-large",
                    f"the text has more than {MAX_EXPRESSIONS} expressions",
                    position,
                    len(source) - position,
                    "split it",
                )
            )
            return parts
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


def _part_tree(hole: _Hole, names: Names, problems: list[Problem]) -> tuple[Node | None, frozenset[str]]:
    found: list[Problem] = []
    node, reads = tree(hole.source, names, found)
    problems += (problem._replace(offset=problem.offset + hole.offset) for problem in found)
    return (None if found else node), reads


def _single(entries: list[_Entry]) -> tuple[_Hole, Node | None] | None:
    holes = [entry for entry in entries if isinstance(entry, tuple)]
    if len(holes) == 1 and all(isinstance(entry, tuple) or entry.isspace() for entry in entries):
        return holes[0][0], holes[0][1]
    return None


def _keeping_type(
    source: str, hole: _Hole, node: Node | None, reads: frozenset[str], expect: Type | None, problems: list[Problem]
) -> Template:
    found: list[Problem] = []
    if node is not None and expect is not None:
        check_expected(node, hole.source, expect, found)
        problems += (problem._replace(offset=problem.offset + hole.offset) for problem in found)
    if node is None or problems:
        raise ExpressionError(source, problems)
    run = compiled(node)
    kind = node.type
    if expect is not None:
        run, kind = fitted(run, kind, expect), expected_type(kind, expect)

    def present(context: Context) -> Any:
        value = run(context)
        if value is None:
            raise Failed("there is no value")
        return value

    return Template(source, kind, reads, False, None, present)


def _text(
    source: str, entries: list[_Entry], reads: frozenset[str], expect: Type | None, problems: list[Problem]
) -> Template:
    pieces: list[str | Run] = []
    for entry in entries:
        if isinstance(entry, str):
            pieces.append(entry)
            continue
        hole, node, _ = entry
        if node is not None and not has_text(node.type):
            shown = hole.source.strip()
            hint = (
                f"write one of its fields, such as {shown}.<name>"
                if node.type.name == "record"
                else "write join(…), or one of its items"
            )
            problems.append(
                Problem(
                    "wrong-type",
                    f"{shown} is {node.type.phrase} and cannot be written into a text",
                    hole.offset + node.start,
                    node.end - node.start,
                    hint,
                )
            )
        elif node is not None:
            pieces.append(_written(hole.source.strip(), compiled(node), node.type))
    if expect is not None and not may_be(TEXT, expect):
        hint = "leave out all but one {{ }}, which keeps the type of its value"
        problems.append(
            Problem(
                "wrong-type",
                f"{expect.phrase} is due here, and a value written into a text is text",
                0,
                len(source),
                hint,
            )
        )
    if problems:
        raise ExpressionError(source, problems)

    def render(context: Context) -> str:
        return limited("".join([piece if isinstance(piece, str) else piece(context) for piece in pieces]))

    kind = expect or TEXT
    return Template(source, expected_type(TEXT, kind), reads, False, None, fitted(render, TEXT, kind))


def _written(source: str, run: Run, kind: Type) -> Run:
    write = renderer(kind)

    def written(context: Context) -> str:
        value = run(context)
        if value is None:
            raise Failed(f"{source} has no value")
        return write(value)

    return written
