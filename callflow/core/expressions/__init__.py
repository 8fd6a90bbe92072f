"""Guards and templates: the expression language of `when:` and `{{ }}`.

An expression is parsed, its names and types are checked, and it is compiled to closures when a flow is loaded; evaluating
it later reads a `Context` of plain mappings and nothing else. It calls no Python, reads no clock, and its cost is bounded.

- Values: `"text"` or `'text'`, `12`, `1.5`, `30s` (a duration), `true`, `false`, `[1, 2]`. There is no word for an
  absent value: ask with `is_set(…)`, or write `default(…, otherwise)`.
- Operators, as in Python: `or`, `and`, `not`; `==` `!=` `<` `<=` `>` `>=` `in` `not in`, which can be chained; `+` `-`;
  `*` `/` `//` `%`; `-x`; `a[i]` (a negative index counts from the end), `a["name"]`, `a.name`.
- Types are never mixed: text with text, numbers with numbers, durations with durations. `+` joins text with text, lists
  with lists; a duration times a number is a duration, the difference of two times is one.
- Absent in, absent out; every comparison with an absent value is false, `!=` and `not in` too (`not (a == b)` is true);
  where true or false is due, absent counts as false; in a template it is an EvaluationError.
"""

from __future__ import annotations

from callflow.core.expressions.address import compile_address
from callflow.core.expressions.expression import Expression, compile_expression, compile_guard
from callflow.core.expressions.functions import FUNCTIONS, Function
from callflow.core.expressions.names import Context, Names, Values
from callflow.core.expressions.paths import Rendered, compile_path
from callflow.core.expressions.problems import PROBLEM_CODES, EvaluationError, ExpressionError, Problem
from callflow.core.expressions.template import Template, compile_template
from callflow.core.expressions.types import (
    ANY,
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    PHONE,
    TEXT,
    TIME,
    TYPE_NAMES,
    ListOf,
    OneOf,
    Record,
    Type,
    accepts,
    coerce,
    describe,
    is_a,
    may_be,
    type_named,
)

__all__ = [
    "ANY", "BOOLEAN", "DURATION", "FUNCTIONS", "INTEGER", "NUMBER", "PHONE", "PROBLEM_CODES", "TEXT", "TIME", "TYPE_NAMES",
    "Context", "EvaluationError", "Expression", "ExpressionError", "Function", "ListOf", "Names", "OneOf", "Problem", "Record", "Rendered",
    "Template", "Type", "Values", "accepts", "coerce", "compile_address", "compile_expression", "compile_guard", "compile_path", "compile_template", "describe", "is_a",
    "may_be", "type_named",
]  # fmt: skip
