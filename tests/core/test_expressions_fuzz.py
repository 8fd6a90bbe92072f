# ruff: noqa: PT017 - a property: some inputs raise, others do not
"""Any text at all: an expression, or a list of problems; any values: a result, or an EvaluationError. Never anything else."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    DURATION,
    FUNCTIONS,
    INTEGER,
    NUMBER,
    PHONE,
    PROBLEM_CODES,
    TEXT,
    TIME,
    Context,
    EvaluationError,
    ExpressionError,
    ListOf,
    Names,
    OneOf,
    Record,
    accepts,
    compile_expression,
    compile_guard,
    compile_template,
)
from tests.support.cost import within

KINDS = {
    "text": TEXT, "integer": INTEGER, "number": NUMBER, "flag": BOOLEAN, "phone": PHONE, "wait": DURATION, "at": TIME, "any": ANY,
    "words": ListOf(TEXT), "numbers": ListOf(NUMBER), "word": OneOf("a", "b"), "record": Record({"text": TEXT}, open=True),
}  # fmt: skip
NAMES = Names(event=Record({"any": ANY}), vars=Record(KINDS))

PLAIN = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FITTING = {
    "text": st.text(max_size=8), "integer": st.integers(-(10**18), 10**18), "number": st.floats(-1e18, 1e18), "flag": st.booleans(), "phone": st.just("+4930123"),
    "wait": st.floats(0, 1e6), "at": st.floats(0, 4e9), "any": ANYTHING, "words": st.lists(st.text(max_size=3), max_size=3), "numbers": st.lists(st.floats(-1e9, 1e9), max_size=3),
    "word": st.sampled_from(["a", "b"]), "record": st.dictionaries(st.just("text"), st.text(max_size=3)),
}  # fmt: skip
DECLARED = st.fixed_dictionaries({}, optional=FITTING)

TOKENS = [
    *(f"vars.{name}" for name in KINDS), "event.any", "state.visits", "vars", "event", "nothing", *FUNCTIONS, "and", "or", "not", "in", "true", "false", "none", "is", "if", "for",
    "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "**", "(", ")", "[", "]", ",", ".", ":", "&&", "||", "!", "=", "{{", "}}", "0", "1", "12s", "1.5", "007", '"a"', "'b'", '"', "'",
    "\\", "\n", "é", "\0", "#", "999999999999999999",
]  # fmt: skip
SOURCES = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
)


def _expressions(inner):
    binary = st.tuples(
        inner,
        st.sampled_from(["+", "-", "*", "/", "//", "%", "==", "!=", "<", ">=", "in", "not in", "and", "or"]),
        inner,
    )
    call = st.tuples(st.sampled_from(list(FUNCTIONS)), st.lists(inner, min_size=1, max_size=3))
    return st.one_of(
        binary.map(lambda parts: f"({' '.join(parts)})"),
        call.map(lambda parts: f"{parts[0]}({', '.join(parts[1])})"),
        st.tuples(inner, inner).map(lambda parts: f"{parts[0]}[{parts[1]}]"),
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        inner.map(lambda part: f"not {part}"),
        inner.map(lambda part: f"-{part}"),
    )


LEAVES = st.sampled_from(
    [
        *(f"vars.{name}" for name in KINDS),
        "event.any",
        "state.visits",
        "1",
        "0",
        "2.5",
        "30s",
        '"a"',
        '"12"',
        "true",
        "[]",
    ]
)
GRAMMATICAL = st.recursive(LEAVES, _expressions, max_leaves=6)

few = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def compiled(compiler, source, *rest):
    """What compiles, or None; problems are whole and lie in the text."""
    try:
        return compiler(source, NAMES, *rest)
    except ExpressionError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.code in PROBLEM_CODES
            assert problem.message
            assert problem.offset >= 0
            assert problem.length >= 0
            assert problem.offset + problem.length <= len(source)
        return None


@few
@given(SOURCES)
def test_any_text_compiles_or_has_problems(source):
    compiled(compile_guard, source)
    compiled(compile_expression, source)
    compiled(compile_template, source)
    compiled(compile_template, "{{" + source + "}}", TEXT)


@few
@given(GRAMMATICAL, DECLARED)
def test_what_compiles_gives_a_value_of_its_type(source, values):
    expression = compiled(compile_expression, source)
    if expression is None:
        return
    try:
        result = expression.evaluate(Context(event={"any": values.get("any")}, vars=values, state={"visits": 1}))
    except EvaluationError as error:
        assert error.source == source
        assert error.reason
        return
    if expression.type in (DURATION, TIME):
        assert result is None or isinstance(result, (int, float))
    elif not isinstance(expression.type, (ListOf, Record)):
        assert result is None or accepts(expression.type, result)


@few
@given(GRAMMATICAL, st.dictionaries(st.sampled_from(list(KINDS)), ANYTHING))
def test_values_that_break_every_promise_give_a_value_or_an_evaluation_error(source, values):
    context = Context(event=values, vars=values, state={"visits": None})
    for expression in (compiled(compile_guard, source), compiled(compile_template, f"x{{{{ {source} }}}}")):
        if expression is not None:
            try:
                result = expression.evaluate(context)
            except EvaluationError:
                continue
            assert isinstance(result, (bool, str))


@few
@given(GRAMMATICAL, DECLARED)
def test_a_guard_and_its_negation_are_opposites(source, values):
    guard = compiled(compile_guard, source)
    if guard is None:
        return
    context = Context(event={"any": 1}, vars=values, state={"visits": 1})
    try:
        truth = guard.evaluate(context)
    except EvaluationError:
        return
    assert isinstance(truth, bool)
    assert compile_guard(f"not ({source})", NAMES).evaluate(context) is not truth


@pytest.mark.parametrize(
    "source",
    [
        "(" * 2000, "[" * 2000, "-" * 2000, "not " * 500, "'" * 2000, '"\\' * 900, "a." * 1000, "a[" * 1000, "1+" * 1000, "1==" * 600, "a(" * 1000, "!" * 2000, "&&" * 1000,
        "9" * 2000, "12s" * 600, "\\" * 2000, "x" * 2000, "f'" * 1000, "'a' * 99999999", "'a' * 9 * 9 * 9", "[0] * 9", "9**9**9**9", "{{" * 1000, "}}" * 1000, "\n" * 2000,
        "in_hours(event.any, '" + "Mon " * 400 + "', 'UTC')", "is_set(" * 280, "vars.text in " * 150 + "vars.text", "x" * 1_000_000, "{{ 1 }}" * 100_000, "{{ '" * 100_000, "{{" + '"\\' * 200_000,
    ],
    ids=lambda source: source[:10],
)  # fmt: skip
def test_hostile_texts_take_no_time(source):
    compilers = (compile_guard, compile_expression, compile_template)
    within(2, lambda: [compiled(compiler, source) for compiler in compilers])
