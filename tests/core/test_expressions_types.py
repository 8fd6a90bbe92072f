"""Types: which values they accept, what they make of them, and what they say when they refuse."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.expressions import (
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
    accepts,
    coerce,
    describe,
    is_a,
    may_be,
    type_named,
)

DIRECTION = OneOf("inbound", "outbound")
ANSWER = Record({"status": INTEGER, "body": ANY})
HEADERS = Record({}, open=True)


def test_types_are_printed_in_an_authors_words():
    kinds = [
        TEXT,
        INTEGER,
        NUMBER,
        BOOLEAN,
        PHONE,
        DURATION,
        TIME,
        ListOf(TEXT),
        ListOf(INTEGER),
        ListOf(ANY),
        ListOf(ListOf(TEXT)),
        DIRECTION,
        ANSWER,
    ]
    assert [str(kind) for kind in kinds] == [
        "text", "integer", "number", "boolean", "phone", "duration", "time",
        "list of text", "list of integers", "list", "list of list of text", "text", "record",
    ]  # fmt: skip


def test_the_words_of_a_flow_file():
    assert {name: type_named(name) for name in TYPE_NAMES} == {
        "string": TEXT, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN, "phone": PHONE, "duration": DURATION,
    }  # fmt: skip
    assert type_named("text") is None
    assert type_named("time") is None


def test_types_are_values():
    assert ListOf(TEXT) == ListOf(TEXT) != ListOf(PHONE)
    assert Record({"a": TEXT}) == Record({"a": TEXT}, kind="another name") != Record({"a": TEXT}, open=True)
    assert OneOf("a") != TEXT
    assert len({ListOf(TEXT), ListOf(TEXT), ANSWER, Record({"status": INTEGER, "body": ANY})}) == 2
    with pytest.raises(AttributeError):
        TEXT.name = "other"


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (TEXT, "", True), (TEXT, 1, False), (TEXT, None, False),
        (INTEGER, 1, True), (INTEGER, True, False), (INTEGER, 1.0, False), (INTEGER, 10**30, False),
        (NUMBER, 1, True), (NUMBER, 1.5, True), (NUMBER, False, False), (NUMBER, math.nan, False), (NUMBER, math.inf, False), (NUMBER, "1", False),
        (BOOLEAN, True, True), (BOOLEAN, 1, False), (BOOLEAN, "true", False),
        (PHONE, "+4930123456", True), (PHONE, "+0301", False), (PHONE, "004930", False), (PHONE, "+1", False), (PHONE, "+1234567890123456", False),
        (PHONE, "+4930\n", False), (PHONE, "+٤٩٣٠", False), (PHONE, 4930, False),
        (DURATION, 12.0, True), (DURATION, -1.0, False), (DURATION, "12s", False), (DURATION, 1e9, False),
        (TIME, 1.7e9, True), (TIME, "now", False),
        (ANY, [], True), (ANY, None, False),
        (ListOf(TEXT), ["a", "b"], True), (ListOf(TEXT), ("a",), True), (ListOf(TEXT), ["a", 1], False), (ListOf(TEXT), "a", False), (ListOf(TEXT), [None], False),
        (DIRECTION, "inbound", True), (DIRECTION, "sideways", False), (DIRECTION, 3, False),
        (ANSWER, {"status": 200}, True), (ANSWER, {"status": None}, True), (ANSWER, {"status": "200"}, False), (ANSWER, {"other": 1}, False), (ANSWER, [], False),
        (HEADERS, {"X-A": "b"}, True), (HEADERS, {1: "b"}, False),
    ],
)  # fmt: skip
def test_which_values_a_type_accepts(kind, value, fits):
    assert accepts(kind, value) is fits


@pytest.mark.parametrize(
    ("kind", "given_", "kept"),
    [
        (DURATION, "12s", 12.0),
        (DURATION, 12.0, 12.0),
        (INTEGER, 3.0, 3),
        (NUMBER, 3, 3),
        (ListOf(DURATION), ["1m", "850ms"], [60.0, 0.85]),
        (ListOf(TEXT), ("a",), ["a"]),
        (Record({"wait": DURATION}, open=True), {"wait": "1s", "x": [1]}, {"wait": 1.0, "x": [1]}),
        (ANSWER, {"status": None}, {"status": None}),
        (TEXT, "07", "07"),
    ],
)
def test_a_value_as_the_runtime_keeps_it(kind, given_, kept):
    value = coerce(kind, given_)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("kind", "given_", "says"),
    [
        (TEXT, 15551234567, "takes text, not an integer: put it in quotes"),
        (PHONE, 15551234567, "takes a phone number, not an integer: put it in quotes"),
        (PHONE, "0301234", "takes a phone number in E.164 form, a plus and 2 to 15 digits, such as +15551234567"),
        (TEXT, True, "takes text, not true or false"),
        (INTEGER, "3", "takes an integer, not text: leave the quotes out"),
        (INTEGER, 2.5, "takes an integer, not a number"),
        (NUMBER, float("inf"), "takes a number, not infinity"),
        (NUMBER, float("nan"), "takes a number, not NaN"),
        (INTEGER, True, "takes an integer, not true or false"),
        (BOOLEAN, "yes", "takes true or false, not text"),
        (DURATION, 12, "takes a duration; a duration needs its unit: write 12s"),
        (DURATION, -2.0, "takes a duration between 0s and 720h"),
        (TEXT, None, "takes text, and there is nothing"),
        (ListOf(TEXT), "a", "takes a list of text, not text"),
        (ListOf(TEXT), ["a", 7], "item 2 takes text, not an integer: put it in quotes"),
        (ANSWER, {"status": "ok"}, "status takes an integer, not text"),
        (ANSWER, {"state": 1}, "has no field state"),
        (ANSWER, 1, "takes a record, not an integer"),
        (DIRECTION, "sideways", "takes one of inbound, outbound"),
    ],
)
def test_a_refusal_says_what_is_taken_and_what_to_do(kind, given_, says):
    with pytest.raises(ValueError) as caught:
        coerce(kind, given_)
    assert str(caught.value) == says


@pytest.mark.parametrize("kind", [INTEGER, BOOLEAN, PHONE, DURATION, DIRECTION, ListOf(INTEGER), ANSWER])
def test_a_refusal_never_quotes_a_text(kind):
    with pytest.raises(ValueError) as caught:
        coerce(kind, "secret-4711")
    assert "4711" not in str(caught.value)


def test_a_value_is_described_by_what_it_is():
    values = [None, True, "a", 1, 1.5, [1], (1,), {"a": 1}, b"x"]
    assert [describe(value) for value in values] == [
        "nothing", "true or false", "text", "an integer", "a number", "a list", "a list", "a record", "a bytes",
    ]  # fmt: skip


ALL = [
    TEXT,
    INTEGER,
    NUMBER,
    BOOLEAN,
    PHONE,
    DURATION,
    TIME,
    ANY,
    ListOf(TEXT),
    ListOf(INTEGER),
    ListOf(NUMBER),
    ListOf(ANY),
    DIRECTION,
    OneOf("inbound"),
    ANSWER,
    HEADERS,
    Record({}),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["+4930123", "inbound", "12s"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["status", "body", "x"]) | st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(ALL), VALUES)
def test_what_is_coerced_is_accepted_and_stays(kind, value):
    try:
        kept = coerce(kind, value)
    except ValueError:
        assert not accepts(kind, value) or (kind == DURATION and isinstance(value, int))
    else:
        assert accepts(kind, kept)
        assert coerce(kind, kept) == kept


@given(st.sampled_from(ALL), st.sampled_from(ALL), VALUES)
def test_every_value_of_a_type_is_one_of_a_wider_type(narrow, wide, value):
    if is_a(narrow, wide):
        assert may_be(narrow, wide)
        if accepts(narrow, value):
            assert accepts(wide, value)


def test_what_only_the_value_can_tell():
    assert may_be(TEXT, PHONE)
    assert may_be(ANY, INTEGER)
    assert may_be(ListOf(ANY), ListOf(TEXT))
    assert not is_a(TEXT, PHONE)
    assert not may_be(TEXT, INTEGER)
    assert not may_be(NUMBER, INTEGER)
    assert not may_be(INTEGER, DURATION)
    assert not may_be(BOOLEAN, INTEGER)
