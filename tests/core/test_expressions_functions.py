# ruff: noqa: PT017 - some inputs raise, others do not
"""The functions: each example of the catalogue is true, and their edges."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.expressions import (
    FUNCTIONS,
    INTEGER,
    PHONE,
    TEXT,
    TIME,
    Context,
    EvaluationError,
    ListOf,
    Names,
    Record,
    compile_expression,
    compile_template,
)
from callflow.core.expressions.hours import parse_hours

NAMES = Names(
    event=Record({"digits": TEXT, "time": TIME, "numbers": ListOf(INTEGER)}),
    vars=Record({"nickname": TEXT, "mail": TEXT, "phone_number": PHONE, "tries": INTEGER}),
    call=Record({"number": TEXT}),
)
FRIDAY_NOON = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
CONTEXT = Context(
    event={"digits": "4711", "time": FRIDAY_NOON, "numbers": [3, 1, 2]},
    vars={"mail": "ann@example.org", "phone_number": "+15551234567", "tries": 2},
    call={"number": "+49301234"},
)


def value(source):
    return compile_expression(source, NAMES).evaluate(CONTEXT)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_the_reference_says_of_a_function_is_true(function):
    assert function.doc.endswith(".")
    assert function.usage.startswith(function.name + "(")
    assert function.example.startswith(function.name + "(") or function.name in function.example
    assert compile_template(f"{{{{ {function.example} }}}} ", NAMES).type is not None
    assert compile_template(f"= {{{{ {function.example} }}}}", NAMES).evaluate(CONTEXT) == f"= {function.gives}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("round(2.4)", 2), ("round(-2.5)", -3), ("round(1.005, 2)", 1.01), ("round(1234.5, 0)", 1235.0), ("round(7)", 7), ("round(0.1 + 0.2, 15)", 0.3),
        ("round(999999999999999999)", 999999999999999999),
        ("number(' -12 ')", -12), ("number('1.50')", 1.5), ("number('007')", 7),
        ("text(0.0000001)", "0.0000001"), ("text(3.0)", "3"), ("text(1.5)", "1.5"), ("text(-0.5)", "-0.5"), ("text(999999999999999.0)", "999999999999999"),
        ("text(true)", "true"), ("text(90s)", "90s"), ("text([60s, 1s])", "1m, 1s"), ("text(event.numbers)", "3, 1, 2"), ("text(event.time)", "2026-11-20T11:00:00Z"),
        ("text([])", ""), ("join([1.5, 2], '; ')", "1.5; 2"), ("join([true], '')", "true"),
        ("min(event.numbers)", 1), ("max(event.numbers)", 3), ("max(1, 2.5, 2)", 2.5), ("min(90s, 1m)", 60.0), ("min(event.time, event.time + 1s) == event.time", True),
        ("first('abc', 9)", "abc"), ("last('abc', 9)", "abc"), ("last('abc', 0)", ""), ("first(event.numbers, 2)", [3, 1]), ("last(event.numbers, 2)", [1, 2]),
        ("upper('straße')", "STRASSE"), ("len('größe')", 5), ("len(event.numbers)", 3), ("digits('٣ 4')", "4"), ("trim(' \\n a b ')", "a b"),
        ("default(vars.tries, 9)", 2), ("default(default(vars.nickname, vars.nickname), 'x')", "x"), ("is_set(vars.nickname)", False), ("not is_set(vars.nickname)", True),
        ("duration(' 1h ') + 1s", 3601.0),
    ],
)  # fmt: skip
def test_values(source, expected):
    result = value(source)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "text", ["", "x", "-", "1.", ".5", "1e9", "1_000", "٣", "0x1", "nan", "--1", "1 2", "9" * 19, "1.٣", "+1"]
)
def test_what_is_no_number(text):
    with pytest.raises(EvaluationError, match="the text is no number"):
        compile_expression("number(event.digits)", NAMES).evaluate(Context(event={"digits": text}))


def at(*moment, zone="Europe/Berlin"):
    return Context(event={"time": datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp()})


def open_at(hours, *moment, zone="Europe/Berlin"):
    return compile_expression(f"in_hours(event.time, '{hours}', '{zone}')", NAMES).evaluate(at(*moment, zone=zone))


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        # 2026-11-16 is a Monday
        ("Mon-Fri 09:00-17:00", (2026, 11, 16, 9, 0), True),
        ("Mon-Fri 09:00-17:00", (2026, 11, 16, 8, 59, 59), False),
        ("Mon-Fri 09:00-17:00", (2026, 11, 20, 16, 59, 59), True),
        ("Mon-Fri 09:00-17:00", (2026, 11, 20, 17, 0), False),
        ("Mon-Fri 09:00-17:00", (2026, 11, 21, 12, 0), False),
        ("mon, WED,Friday 9:00-12:00; Sat 10:00-11:00", (2026, 11, 18, 11, 0), True),
        ("mon, WED,Friday 9:00-12:00; Sat 10:00-11:00", (2026, 11, 17, 11, 0), False),
        ("mon, WED,Friday 9:00-12:00; Sat 10:00-11:00", (2026, 11, 21, 10, 30), True),
        ("mon, WED,Friday 9:00-12:00; Sat 10:00-11:00", (2026, 11, 20, 10, 30), True),
        ("Mon 09:00-12:00 13:00-17:00", (2026, 11, 16, 12, 30), False),
        ("Mon 09:00-12:00 13:00-17:00", (2026, 11, 16, 13, 0), True),
        ("Mon-Fri 09:00-12:00; Sat 14:00-15:00", (2026, 11, 16, 14, 30), False),
        ("Fri 22:00-04:00", (2026, 11, 21, 3, 59), True),
        ("Fri 22:00-04:00", (2026, 11, 20, 3, 59), False),
        ("Sun 22:00-04:00", (2026, 11, 16, 3, 0), True),  # past the end of the week
        ("Sun 22:00-04:00", (2026, 11, 16, 4, 0), False),
        ("Sat-Mon 10:00-11:00", (2026, 11, 22, 10, 0), True),
        ("Sat-Mon 10:00-11:00", (2026, 11, 17, 10, 0), False),
        ("daily 00:00-24:00", (2026, 11, 22, 23, 59), True),
        ("daily 12:00 - 13:00", (2026, 11, 22, 12, 0), True),
        ("Mon-Mon 00:00-24:00", (2026, 11, 17, 0, 0), False),
        # the day on which clocks go back: 02:30 comes twice, and is 02:30 both times
        ("Sun 02:00-03:00", (2026, 10, 25, 2, 30), True),
    ],
)
def test_hours(hours, moment, expected):
    assert open_at(hours, *moment) is expected


def test_hours_are_told_by_the_clocks_of_the_zone():
    source = "in_hours(event.time, 'Mon-Fri 09:00-17:00', '{}')"
    context = at(2026, 7, 6, 16, 0, zone="UTC")  # 18:00 in Berlin, 12:00 in New York
    assert compile_expression(source.format("Europe/Berlin"), NAMES).evaluate(context) is False
    assert compile_expression(source.format("America/New_York"), NAMES).evaluate(context) is True


@pytest.mark.parametrize(
    ("hours", "says"),
    [
        ("", "hours are days and times: write Mon-Fri 09:00-17:00"),
        ("Mon-Fri", "hours are days and times: write Mon-Fri 09:00-17:00"),
        ("Mon 09:00-10:00 Tue", "hours are days and times: write Mon-Fri 09:00-17:00"),
        ("09:00-17:00", "09:00-17:00 stands before any day: write Mon-Fri 09:00-17:00"),
        ("Mon-Fri 9-17", "9-17 is neither days nor hours: write Mon-Fri 09:00-17:00"),
        ("Mon-Fri 09:00-17:60", "17:60 is no time of day: write 00:00 to 24:00"),
        ("Mon-Fri 09:00-25:00", "25:00 is no time of day: write 00:00 to 24:00"),
        ("Mon-Fri 24:00-02:00", "24:00-02:00 is no time at all; the whole day is 00:00-24:00"),
        ("Mon-Fri 09:00-09:00", "09:00-09:00 is no time at all; the whole day is 00:00-24:00"),
        ("Mon-Fry 09:00-17:00", "Fry is no day: did you mean Fri?"),
        ("Tusday 09:00-17:00", "Tusday is no day: did you mean Tue?"),
        ("holidays 09:00-17:00", "holidays is no day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily"),
        ("Mon 09:00-10:00, " * 20, "hours are a text of at most 300 characters"),
        ("Mon 9:00am-5:00pm", "9:00am-5:00pm is neither days nor hours: write Mon-Fri 09:00-17:00"),
    ],
)
def test_hours_that_cannot_be_read(hours, says):
    with pytest.raises(ValueError) as caught:
        parse_hours(hours)
    assert str(caught.value) == says


@given(st.one_of(st.text(max_size=400), st.text("MonFriSat 0912:-,;daly", max_size=60)))
def test_any_text_is_hours_or_a_sentence(text):
    try:
        intervals = parse_hours(text)
    except ValueError as error:
        assert len(str(error)) < 500
    else:
        assert intervals
        assert all(0 <= start < 7 * 24 * 60 and 0 < end - start <= 24 * 60 for start, end in intervals)


@pytest.mark.parametrize(
    ("time", "hours", "zone", "says"),
    [
        (0.0, "nonsense", "UTC", "nonsense is no day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily"),
        (
            0.0,
            "daily 00:00-24:00",
            "Mars/Olympus",
            "Mars/Olympus is no time zone: write one such as Europe/Berlin or America/New_York",
        ),
        (
            0.0,
            "daily 00:00-24:00",
            "../../etc/passwd",
            "../../etc/passwd is no time zone: write one such as Europe/Berlin or America/New_York",
        ),
        (
            0.0,
            "daily 00:00-24:00",
            "Europe",
            "Europe is no time zone: write one such as Europe/Berlin or America/New_York",
        ),
        (0.0, "daily 00:00-24:00", "berlin", "berlin is no time zone: did you mean Europe/Berlin?"),
        (0.0, "daily 00:00-24:00", "", " is no time zone: write one such as Europe/Berlin or America/New_York"),
        (
            0.0,
            "daily 00:00-24:00",
            "\0",
            "the text is no time zone: write one such as Europe/Berlin or America/New_York",
        ),
        (1e17, "daily 00:00-24:00", "UTC", "the time is out of range"),
    ],
)
def test_hours_that_come_from_variables_fail_with_a_reason(time, hours, zone, says):
    names = Names(event=Record({"time": TIME}), vars=Record({"hours": TEXT, "zone": TEXT}))
    expression = compile_expression("in_hours(event.time, vars.hours, vars.zone)", names)
    with pytest.raises(EvaluationError) as caught:
        expression.evaluate(Context(event={"time": time}, vars={"hours": hours, "zone": zone}))
    assert caught.value.reason == says
