"""Guards and expressions: source text in, something that can be evaluated out."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from callflow.core.expressions.check import Checker
from callflow.core.expressions.compile import Run, compiled, truth
from callflow.core.expressions.names import Names, Values
from callflow.core.expressions.nodes import Node
from callflow.core.expressions.parse import parse
from callflow.core.expressions.problems import EvaluationError, ExpressionError, Failed, Problem
from callflow.core.expressions.types import ANY, BOOLEAN, DURATION, Type, coerce, is_a

SURPRISES = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What Python raises when a value is not of the type that was promised."""


@frozen
class Expression:
    """A compiled expression. `reads` are the names it reads, such as `vars.account`; `type` is what it gives."""

    source: str
    type: Type
    reads: frozenset[str]
    _run: Run = field(eq=False, repr=False)

    def evaluate(self, context: Values) -> Any:
        """The value; None when it is absent, but false for a guard. Raises EvaluationError."""
        try:
            return self._run(context)
        except Failed as failed:
            raise EvaluationError(self.source, str(failed)) from None
        except SURPRISES as error:
            raise EvaluationError(self.source, reason(error)) from error


def compile_guard(source: str, names: Names) -> Expression:
    """A guard, which is true or false; absent counts as false. Raises ExpressionError with every problem."""
    problems: list[Problem] = []
    node, checker = tree(source, names, problems)
    if node is not None:
        checker.guard(node)
    if node is None or problems:
        raise ExpressionError(source, problems)
    return Expression(source, BOOLEAN, frozenset(checker.reads), truth(node))


def compile_expression(source: str, names: Names, expect: Type | None = None) -> Expression:
    """An expression of any type, or of the one that is expected. Raises ExpressionError with every problem."""
    problems: list[Problem] = []
    node, checker = tree(source, names, problems)
    if node is not None and expect is not None:
        checker.expected(node, expect)
    if node is None or problems:
        raise ExpressionError(source, problems)
    run, reads = compiled(node), frozenset(checker.reads)
    if expect is None:
        return Expression(source, node.type, reads, run)
    return Expression(source, expected_type(node.type, expect), reads, fitted(run, node.type, expect))


def tree(source: str, names: Names, problems: list[Problem]) -> tuple[Node | None, Checker]:
    """A parsed tree, None where it cannot be understood, and the checker that has filled in its types."""
    checker = Checker(source, names, problems)
    before = len(problems)
    node = parse(source, problems)
    understood = len(problems) == before
    if node is not None:
        checker.type_of(node)
        if not understood:  # what its author meant may be of any type
            node.type = ANY
    return node, checker


def expected_type(found: Type, expect: Type) -> Type:
    """The closer of the two types that are known of a value."""
    return found if is_a(found, expect) else expect


def fitted(run: Run, found: Type, expect: Type) -> Run:
    """Checks at run time what could not be known before: a phone in a text, a duration that a difference makes negative."""
    if is_a(found, expect) and expect != DURATION:
        return run

    def fit(context: Values) -> Any:
        value = run(context)
        if value is None:
            return None
        try:
            return coerce(expect, value)
        except ValueError as error:
            raise Failed(f"the field {error}") from None

    return fit


def reason(error: Exception) -> str:
    """Why, in an author's words. Never the exception's own, which may quote the value."""
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, OverflowError):
        return "the number is too large"
    if isinstance(error, RecursionError):
        return "the value is nested too deeply"
    return "a value is not of the type that was declared for it"
