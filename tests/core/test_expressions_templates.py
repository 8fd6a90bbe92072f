"""Templates: what is an expression in a text, which type comes out, and how values are written."""

from __future__ import annotations

import pytest

from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    PHONE,
    TEXT,
    TIME,
    Context,
    EvaluationError,
    ExpressionError,
    ListOf,
    Names,
    Record,
    compile_template,
)

NAMES = Names(
    event=None,
    vars=Record(
        {
            "name": TEXT, "count": INTEGER, "share": NUMBER, "flag": BOOLEAN, "wait": DURATION, "at": TIME, "list": ListOf(TEXT), "lists": ListOf(ListOf(TEXT)),
            "phone": PHONE, "any": ANY, "record": Record({"status": INTEGER}), "missing": TEXT,
        }
    ),
)  # fmt: skip
CONTEXT = Context(
    vars={
        "name": "Ann {{ vars.count }}", "count": 3, "share": 2.0, "flag": True, "wait": 90.0, "at": 0.0, "list": ["a", "b"], "phone": "+4930123", "any": {"x": [1, 2.5]},
        "record": {"status": 200},
    }
)  # fmt: skip


def rendered(source, expect=None):
    return compile_template(source, NAMES, expect).evaluate(CONTEXT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello {{ vars.name }}!", "Hello Ann {{ vars.count }}!"),  # a value is not read again
        ("{{vars.count}}{{vars.count}}", "33"),
        (
            "n={{ vars.count + 1 }}, {{ vars.share }}, {{ vars.flag }}, {{ vars.wait }}, {{ vars.at }}",
            "n=4, 2, true, 90s, 1970-01-01T00:00:00Z",
        ),
        ("[{{ vars.list }}] {{ vars.any.x }} {{ vars.any.x[1] }}", "[a, b] 1, 2.5 2.5"),
        ("{{ vars.list[0] == 'a' and vars.count > 2 }}.", "true."),
        ('Write {{ "{{" }} and {{ "}}" }} so.', "Write {{ and }} so."),
        ("{{ 'it\\'s }} {{ fine' }}.", "it's }} {{ fine."),
        ("{{ vars.name + '}' }}}", "Ann {{ vars.count }}}}"),
        ('{"a": {"b": 1}} {x} }} { {', '{"a": {"b": 1}} {x} }} { {'),
        ('{"a": {"b": {{ vars.count }}}}', '{"a": {"b": 3}}'),
        ('{{ vars.count }}\'s "{{ vars.count }}"', '3\'s "3"'),
        ("Zeile 1\nZeile {{\n  vars.count\n}}\n", "Zeile 1\nZeile 3\n"),
        ("", ""),
    ],
)
def test_texts(source, expected):
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("{{ vars.count }}", INTEGER, 3),
        ("  {{ vars.wait }}\n", DURATION, 90.0),
        ("{{ vars.list }}", ListOf(TEXT), ["a", "b"]),
        ("{{ vars.any }}", ANY, {"x": [1, 2.5]}),
        ("{{ vars.record }}", Record({"status": INTEGER}), {"status": 200}),
        ("{{ vars.flag }}", BOOLEAN, True),
        ("{{ vars.count }} ", INTEGER, 3),
        ("{{ vars.count }}.", TEXT, "3."),
        ("{{ vars.count }}{{ vars.count }}", TEXT, "33"),
        ("{{ vars.name }}", TEXT, "Ann {{ vars.count }}"),
    ],
)
def test_a_text_that_is_one_expression_keeps_its_type(source, kind, expected):
    template = compile_template(source, NAMES)
    assert (template.type, template.constant) == (kind, False)
    assert template.evaluate(CONTEXT) == expected


@pytest.mark.parametrize(
    ("source", "expect", "kind", "expected"),
    [
        ("plain", None, TEXT, "plain"),
        ("12s", DURATION, DURATION, 12.0),
        ("+4930123", PHONE, PHONE, "+4930123"),
        ("a } b {", TEXT, TEXT, "a } b {"),
        ("x", ANY, ANY, "x"),
    ],
)
def test_a_text_without_expressions_is_constant(source, expect, kind, expected):
    template = compile_template(source, NAMES, expect)
    assert (template.constant, template.value, template.type, template.reads) == (True, expected, kind, frozenset())
    assert template.evaluate(Context()) == expected


def test_a_template_knows_what_it_reads():
    assert compile_template("{{ vars.name }} {{ len(vars.list) }} {{ state.visits }}", NAMES).reads == {
        "vars.name",
        "vars.list",
        "state.visits",
    }


@pytest.mark.parametrize(
    ("source", "expect", "expected"),
    [
        ("{{ vars.phone }}", PHONE, "+4930123"),
        ("+49{{ vars.count }}0", PHONE, "+4930"),
        ("{{ vars.count }}", NUMBER, 3),
        ("{{ vars.any.x }}", ListOf(NUMBER), [1, 2.5]),
        ("{{ vars.wait - 30s }}", DURATION, 60.0),
    ],
)
def test_the_expected_type_is_given(source, expect, expected):
    assert rendered(source, expect) == expected


@pytest.mark.parametrize(
    ("source", "expect", "reason"),
    [
        ("{{ vars.missing }}", None, "there is no value"),
        ("Hello {{ vars.missing }}", None, "vars.missing has no value"),
        ("Hello {{ vars.list[7] }}", None, "the index 7 is out of range: there are 2"),
        ("Hello {{ vars.any }}", None, "a record cannot be written into a text"),
        ("Hello {{ [vars.missing] }}", None, "there is no value"),
        (
            "{{ vars.name }}",
            PHONE,
            "the field takes a phone number in E.164 form, a plus and 2 to 15 digits, such as +15551234567",
        ),
        (
            "+{{ vars.count }}",
            PHONE,
            "the field takes a phone number in E.164 form, a plus and 2 to 15 digits, such as +15551234567",
        ),
        ("{{ vars.any.x[0] }}", TEXT, "the field takes text, not an integer: put it in quotes"),
        ("{{ vars.wait - 100s }}", DURATION, "the field takes a duration between 0s and 720h"),
    ],
)
def test_a_template_that_cannot_be_filled_in_fails(source, expect, reason):
    with pytest.raises(EvaluationError) as caught:
        rendered(source, expect)
    assert (caught.value.reason, caught.value.source) == (reason, source)


@pytest.mark.parametrize(
    ("source", "expect", "code", "place", "message", "hint"),
    [
        ("Hello {{ vars.name", None, "unclosed-template", "{{", "the {{ is never closed", 'close it with }}; to write the two braces themselves, write {{ "{{" }}'),
        ("{{ vars.name }} {{", None, "unclosed-template", "{{", "the {{ is never closed", 'close it with }}; to write the two braces themselves, write {{ "{{" }}'),
        ("Hello {{ }}", None, "bad-expression", " ", "the expression is empty", "write a value, such as vars.<name>"),
        ("Hello {{ vars.nmae }}", None, "unknown-name", "vars.nmae", "vars has no nmae", "did you mean vars.name?"),
        ("Hello {{ name }}", None, "unknown-name", "name", "there is no name name", "write vars.name"),
        ("Hello {{ event.digits }}", None, "no-event", "event", "there is no event to read here", "`set` a variable on the transition that leads here, and read vars.<name>"),
        ("Hello {{ 'Ann }} and", None, "bad-expression", "'", "the text is never closed", "close it with ' on the same line, and write a ' inside it as \\'"),
        ("Hello {{ vars.record }}", None, "wrong-type", "vars.record", "vars.record is a record and cannot be written into a text", "write one of its fields, such as vars.record.<name>"),
        ("Hello {{ vars.lists }}", None, "wrong-type", "vars.lists", "vars.lists is a list of list of text and cannot be written into a text", "write one of its items"),
        ("{{{ vars.name }}}", None, "bad-expression", "{", "{ has no meaning in an expression", "inside `when:` and inside {{ }} stands the expression alone, without braces"),
        ("{{ vars.count }}", TEXT, "wrong-type", "vars.count", "text is due here, and vars.count is an integer", "write text(vars.count)"),
        ("{{ vars.name | upper }}", None, "not-in-language", "| upper", "there are no filters", "write upper(…) around the value"),
        ("{{ vars.count }} s", INTEGER, "wrong-type", "{{ vars.count }} s", "an integer is due here, and a value written into a text is text", "leave out all but one {{ }}, which keeps the type of its value"),
        ("12", INTEGER, "wrong-type", "12", "the field takes an integer, not text: leave the quotes out", None),
        ("12", DURATION, "bad-value", "12", "the field takes a duration; a duration needs its unit: write 12s", None),
        ("0301234", PHONE, "bad-value", "0301234", "the field takes a phone number in E.164 form, a plus and 2 to 15 digits, such as +15551234567", None),
    ],
)  # fmt: skip
def test_one_problem_and_its_place(source, expect, code, place, message, hint):
    with pytest.raises(ExpressionError) as caught:
        compile_template(source, NAMES, expect)
    problem = next(problem for problem in caught.value.problems if problem.code == code)
    assert (source[problem.offset : problem.offset + problem.length], problem.message, problem.hint) == (
        place,
        message,
        hint,
    )


def test_what_is_not_understood_may_be_of_any_type():
    with pytest.raises(ExpressionError) as caught:
        compile_template("{{ vars.count ** 2 }}", NAMES, TEXT)
    assert [problem.code for problem in caught.value.problems] == ["not-in-language"]


def test_every_problem_of_every_expression_in_the_order_of_the_text():
    source = "{{ vars.nmae }} é {{ vars.count + 'x' }} {{ vars.name && 1 }} {{"
    with pytest.raises(ExpressionError) as caught:
        compile_template(source, NAMES)
    assert [
        (problem.code, source[problem.offset : problem.offset + problem.length]) for problem in caught.value.problems
    ] == [
        ("unknown-name", "vars.nmae"),
        ("wrong-type", "vars.count + 'x'"),
        ("wrong-type", "vars.name"),
        ("bad-expression", "&&"),
        ("wrong-type", "1"),
        ("unclosed-template", "{{"),
    ]


def test_limits():
    with pytest.raises(ExpressionError) as caught:
        compile_template("{{ vars.count }} " * 5000, NAMES)
    assert [problem.code for problem in caught.value.problems] == ["too-large"]
    assert len(rendered("a" * 90_000 + "{{ vars.count }}")) == 90_001
    with pytest.raises(EvaluationError, match="grows beyond 100000 characters"):
        compile_template("{{ vars.name }}{{ vars.name }}", NAMES).evaluate(Context(vars={"name": "a" * 60_000}))
