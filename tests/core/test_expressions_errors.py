"""What is wrong with an expression: every problem at once, each with its place and what to do."""

from __future__ import annotations

import pytest

from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    PHONE,
    PROBLEM_CODES,
    TEXT,
    TIME,
    ExpressionError,
    ListOf,
    Names,
    OneOf,
    Record,
    compile_expression,
    compile_guard,
    compile_template,
)

NAMES = Names(
    event=Record(
        {
            "result": OneOf("busy", "answered"),
            "digits": TEXT,
            "time": TIME,
            "count": INTEGER,
            "body": ANY,
            "keys": ListOf(TEXT),
        },
        kind="dial.busy",
    ),
    vars=Record(
        {
            "account": TEXT,
            "name": TEXT,
            "result": TEXT,
            "phone": PHONE,
            "tries": INTEGER,
            "share": NUMBER,
            "flag": BOOLEAN,
            "wait": DURATION,
            "lookup": Record({"status": INTEGER}),
        }
    ),
    call=Record({"elapsed": DURATION, "outcome": TEXT}),
    env=Record({"MODE": TEXT}),
)


def problems(source, names=NAMES):
    with pytest.raises(ExpressionError) as caught:
        compile_guard(source, names)
    assert caught.value.problems
    for problem in caught.value.problems:
        assert problem.code in PROBLEM_CODES
        assert 0 <= problem.offset <= problem.offset + problem.length <= max(len(source), 1)
    return caught.value.problems


def only(source, names=NAMES):
    found = problems(source, names)
    assert len(found) == 1, found
    problem = found[0]
    return problem.code, source[problem.offset : problem.offset + problem.length], problem.message, problem.hint


ABSENT = "write is_set(…), or not is_set(…), to ask whether a value is there; if it is a word, put quotes around it"
CHOICE = "there is no choice inside an expression: write two rows, each with its `when:`"
LOOP = "there are no loops: ask about a list with `in`, or compute it in Python"
BRACES = "inside `when:` and inside {{ }} stands the expression alone, without braces"
PATTERNS = 'there are no patterns: use starts_with, ends_with, or "part" in text'


@pytest.mark.parametrize(
    ("source", "code", "place", "message", "hint"),
    [
        # names
        ("vars.acount == '1'", "unknown-name", "vars.acount", "vars has no acount", "did you mean vars.account?"),
        ("vars.birthday == '1'", "unknown-name", "vars.birthday", "vars has no birthday", "declare it: vars: {birthday: {type: string}}"),
        ("env.TRUNK == '1'", "unknown-name", "env.TRUNK", "env has no TRUNK", "list it: env: [TRUNK]"),
        ("event.rsult == 'busy'", "unknown-name", "event.rsult", "dial.busy has no rsult", "did you mean event.result?"),
        ("state.visit == 1", "unknown-name", "state.visit", "state has no visit", "did you mean state.visits?"),
        ("state.entered == 1", "unknown-name", "state.entered", "state has no entered", "there are visits"),
        ("vars.lookup.stat == 1", "unknown-name", "vars.lookup.stat", "vars.lookup has no stat", "did you mean vars.lookup.status?"),
        ("vars.lookup.answer == 1", "unknown-name", "vars.lookup.answer", "vars.lookup has no answer", "there are status"),
        ("account == '7'", "unknown-name", "account", "there is no name account", "write vars.account"),
        ("result == '7'", "unknown-name", "result", "there is no name result", "write event.result or vars.result"),
        ("acount == '7'", "unknown-name", "acount", "there is no name acount", "did you mean vars.account?"),
        ("evnt.count == 7", "unknown-name", "evnt", "there is no name evnt", "did you mean event?"),
        ("session.state == 'x'", "unknown-name", "session", "there is no name session", "names begin with event, vars, call, env or state"),
        ("event.result == busy", "unknown-name", "busy", "there is no name busy", 'if it is text, put quotes around it: "busy"'),
        ("vars == '7'", "unknown-name", "vars", "vars alone is no value", "write one of its fields, such as vars.account"),
        ("len == 2", "unknown-name", "len", "there is no name len", "len is a function: write len(text) or len(list)"),
        ("vars.__class__ == 'x'", "not-in-language", "vars.__class__", "__class__ is a name of Python's", None),
        ("__builtins__ == 'x'", "not-in-language", "__builtins__", "__builtins__ is a name of Python's", "write event., vars., call., env. or state. and a field"),
        # types
        ("event.digits == 1", "wrong-type", "event.digits == 1", "event.digits is text and 1 is an integer: they cannot be compared", 'write "1"'),
        ("vars.tries == '3'", "wrong-type", "vars.tries == '3'", "vars.tries is an integer and '3' is text: they cannot be compared", "write 3 without the quotes"),
        ("vars.tries == vars.account", "wrong-type", "vars.tries == vars.account", "vars.tries is an integer and vars.account is text: they cannot be compared", "write number(vars.account)"),
        ("call.elapsed > 30", "wrong-type", "call.elapsed > 30", "call.elapsed is a duration and 30 is an integer: they cannot be compared", "write 30s"),
        ("call.elapsed > vars.tries", "wrong-type", "call.elapsed > vars.tries", "call.elapsed is a duration and vars.tries is an integer: they cannot be compared", "write vars.tries * 1s for seconds"),
        ("call.elapsed > '30s'", "wrong-type", "call.elapsed > '30s'", "call.elapsed is a duration and '30s' is text: they cannot be compared", "write 30s without the quotes"),
        ("vars.flag == 'true'", "wrong-type", "vars.flag == 'true'", "vars.flag is true or false and 'true' is text: they cannot be compared", "write true without the quotes"),
        ("vars.flag == 1", "wrong-type", "vars.flag == 1", "vars.flag is true or false and 1 is an integer: they cannot be compared", "write vars.flag, or not vars.flag"),
        ("vars.flag < true", "wrong-type", "vars.flag", "< takes numbers, durations, times or text, and vars.flag is true or false", "write == or !="),
        ("event.keys > ['1']", "wrong-type", "event.keys", "> takes numbers, durations, times or text, and event.keys is a list of text", None),
        ("vars.tries in ['1', '2']", "wrong-type", "vars.tries in ['1', '2']", "vars.tries is an integer, never in ['1', '2'], which is a list of text", "write text(vars.tries)"),
        ("vars.account in 3", "wrong-type", "3", "`in` asks about a list or a text, and 3 is an integer", "write == 3, or in [3]"),
        ("'x' in vars.lookup", "wrong-type", "vars.lookup", "`in` asks about a list or a text, and vars.lookup is a record", "write is_set(vars.lookup.<name>)"),
        ("3 in vars.account", "wrong-type", "3", "only text is in text, and 3 is an integer", 'write "3"'),
        ("[1, 'a'] == []", "wrong-type", "'a'", "the list holds integer and text; its items are of one type", "write number('a')"),
        ("vars.account + 1 == '8'", "wrong-type", "vars.account + 1", "+ does not take text and an integer", 'write "1"'),
        ("vars.account + vars.tries == '8'", "wrong-type", "vars.account + vars.tries", "+ does not take text and an integer", "write text(vars.tries)"),
        ("call.elapsed + 5 > 1s", "wrong-type", "call.elapsed + 5", "+ does not take a duration and an integer", "write 5s"),
        ("vars.wait * vars.wait > 1s", "wrong-type", "vars.wait * vars.wait", "* does not take a duration and a duration", "add durations to durations, and multiply or divide them by numbers"),
        ("vars.name * 100000000 == ''", "wrong-type", "vars.name * 100000000", "* does not take text and an integer", "text cannot be repeated; for a number that a text spells, write number(…)"),
        ("[0] * 100000000 == []", "wrong-type", "[0] * 100000000", "* does not take a list of integers and an integer", None),
        ("-vars.name == 'x'", "wrong-type", "-vars.name", "- takes a number, and vars.name is text", None),
        ("vars.name", "wrong-type", "vars.name", "a guard is true or false, and vars.name is text", "compare it with something, or write is_set(vars.name)"),
        ("'yes'", "wrong-type", "'yes'", "a guard is true or false, and 'yes' is text", "compare it with something"),
        ("vars.name and vars.flag", "wrong-type", "vars.name", "`and` takes true or false, and vars.name is text", "compare it with something, or write is_set(vars.name)"),
        ("not vars.tries", "wrong-type", "vars.tries", "`not` takes true or false, and vars.tries is an integer", "compare it with something, or write is_set(vars.tries)"),
        ("event.result == 'busy' or 'answered'", "wrong-type", "'answered'", "`or` takes true or false, and 'answered' is text", "write event.result in ['busy', 'answered']"),
        ("event.keys['x'] == '1'", "not-in-language", "event.keys['x']", "event.keys is a list of text and has no field x", None),
        ("event.keys[1.5] == '1'", "wrong-type", "1.5", "an index is an integer, and 1.5 is a number", "write round(1.5)"),
        ("vars.tries[0] == 1", "wrong-type", "vars.tries[0]", "vars.tries is an integer and has no items", None),
        ("vars.lookup[vars.name] == 1", "wrong-type", "vars.name", "vars.lookup is a record: its fields are read by name", "write vars.lookup.<name>"),
        # values that can never do
        ("event.result == 'bsuy'", "bad-value", "'bsuy'", "event.result is never 'bsuy'", 'did you mean "busy"?'),
        ("event.result in ['busy', 'gone']", "bad-value", "'gone'", "event.result is never 'gone'", "it is one of busy, answered"),
        ("in_hours(event.time, 'Mon-Fri 9-17', 'UTC')", "bad-value", "'Mon-Fri 9-17'", "9-17 is neither days nor hours: write Mon-Fri 09:00-17:00", None),
        ("in_hours(event.time, 'daily 00:00-24:00', 'Europe/Berln')", "bad-value", "'Europe/Berln'", "Europe/Berln is no time zone: did you mean Europe/Berlin?", None),
        ("duration('1m30s') > 1s", "bad-value", "'1m30s'", "a duration is a whole number with one unit: write 90s", None),
        # functions
        ("strip(vars.name) == 'x'", "unknown-function", "strip(vars.name)", "there is no function strip", "write trim(text)"),
        ("lowr(vars.name) == 'x'", "unknown-function", "lowr(vars.name)", "there is no function lowr", 'did you mean "lower"?'),
        ("vars('x') == 'x'", "unknown-function", "vars('x')", "there is no function vars", "vars is no function: write vars.<name>"),
        ("vars.name.lower() == 'x'", "not-in-language", "vars.name.lower()", "values have no methods such as .lower()", "write lower(vars.name)"),
        ("vars.name.startswith('x')", "not-in-language", "vars.name.startswith('x')", "values have no methods such as .startswith()", "write starts_with(vars.name, 'x')"),
        ("vars.name.length > 1", "not-in-language", "vars.name.length", "vars.name is text and has no field length", "write len(vars.name)"),
        ("len() == 1", "wrong-arguments", "len()", "len is given no arguments", "write len(text) or len(list)"),
        ("len('a', 'b') == 1", "wrong-arguments", "len('a', 'b')", "len is given 2 arguments", "write len(text) or len(list)"),
        ("len(3) == 1", "wrong-arguments", "3", "len takes text or a list, and 3 is an integer", 'write "3"'),
        ("in_hours(call.elapsed, 'daily 00:00-24:00', 'UTC')", "wrong-arguments", "call.elapsed", "in_hours takes a time, and call.elapsed is a duration", "write in_hours(time, hours, zone)"),
        ("default(vars.name, 1) == 'x'", "wrong-arguments", "1", "default is given text and integer; both are of one type", 'write "1"'),
        ("min(1, 2s) == 1", "wrong-arguments", "min(1, 2s)", "min cannot take an integer and a duration together", "write min(a, b, …) or min(list)"),
        # other languages
        ("vars.flag && vars.flag", "bad-expression", "&&", "&& is not an operator", "write and"),
        ("vars.flag || vars.flag", "bad-expression", "||", "|| is not an operator", "write or"),
        ("!vars.flag", "bad-expression", "!", "! is not an operator", "write not"),
        ("vars.tries = 1", "bad-expression", "=", "= is not an operator", "write =="),
        ("vars.tries === 1", "bad-expression", "===", "=== is not an operator", "write =="),
        ("vars.tries <> 1", "bad-expression", "<>", "<> is not an operator", "write !="),
        ("vars.tries ≥ 1", "bad-expression", "≥", "≥ is not an operator", "write >="),
        ("vars.flag AND vars.flag", "bad-expression", "AND", "AND is not an operator", "write and"),
        ("vars.flag == True", "bad-expression", "True", "True is no value", "write true"),
        ("vars.name == None", "not-in-language", "None", "None is no value", ABSENT),
        ("call.outcome == none", "not-in-language", "none", "none is no value", ABSENT),
        ("vars.name is None", "not-in-language", "is", "`is` is not part of the language", "write ==, or is_set(…) to ask whether a value is there"),
        ("vars.tries ** 2 == 4", "not-in-language", "**", "there are no powers", "write the product, as in x * x"),
        ("vars.tries ** 2", "not-in-language", "**", "there are no powers", "write the product, as in x * x"),
        ("1 if vars.flag else 2", "not-in-language", "if", "`if` is not part of the language", CHOICE),
        ("vars.flag ? 1 : 2", "bad-expression", "?", "? has no meaning in an expression", CHOICE),
        ("[x for x in event.keys]", "not-in-language", "for", "`for` is not part of the language", LOOP),
        ("lambda: 1", "not-in-language", "lambda", "`lambda` is not part of the language", "there are no functions of your own"),
        ("lambda x: x", "not-in-language", "lambda", "`lambda` is not part of the language", "there are no functions of your own"),
        ("await vars.name", "not-in-language", "await", "`await` is not part of the language", "an expression waits for nothing"),
        ("(x := 1) == 1", "bad-expression", ":=", ":= has no meaning in an expression", "nothing is assigned in an expression: use `set`"),
        ("event.keys[1:2] == []", "not-in-language", ":", "there are no slices", "write first(value, 3) or last(value, 4)"),
        ("event.keys[:2] == []", "not-in-language", ":", "there are no slices", "write first(value, 3) or last(value, 4)"),
        ("vars.name matches 'x'", "not-in-language", "matches", "`matches` is not part of the language", PATTERNS),
        ("vars.name contains 'x'", "not-in-language", "contains", "`contains` is not part of the language", 'write the part first: "part" in text'),
        ("{'a': 1} == 1", "bad-expression", "{", "{ has no meaning in an expression", BRACES),
        ("{{ vars.flag }}", "bad-expression", "{", "{ has no meaning in an expression", BRACES),
        ("$name == 'x'", "bad-expression", "$", "$ has no meaning in an expression", "write vars.<name>, or env.<NAME> for an environment variable"),
        ("vars.flag # why", "bad-expression", "#", "# has no meaning in an expression", "an expression holds no comment: put it behind the YAML value"),
        ("vars.flag; vars.flag", "bad-expression", ";", "; has no meaning in an expression", "an expression is one value"),
        ("f'x' == 'x'", "not-in-language", "f", "there are no f-texts", "join text with +, or write a text with {{ }} in it"),
        ("r'x' == 'x'", "not-in-language", "r", "there are no r-texts", "leave the r out"),
        ("vars.name == “x”", "bad-expression", "“", "“ does not open a text", 'write text in straight quotes, "like this"'),
        ("vars.name == '\\d'", "bad-expression", "\\d", "\\d means nothing inside a text", 'write the letter itself; a backslash is \\\\, and there are \\n, \\t, \\" and \\\''),
        # grammar
        ("", "bad-expression", "", "the expression is empty", "write a value, such as vars.<name>"),
        ("vars.name ==", "bad-expression", "==", "a value is missing after ==", None),
        ("== vars.name", "bad-expression", "==", "a value is missing before ==", None),
        ("vars.tries += 1", "bad-expression", "+=", "+= has no meaning in an expression", "nothing is assigned in an expression: use `set`"),
        ("(vars.flag", "bad-expression", "(", "the ( is never closed", "close it with )"),
        ("len(vars.name == 1", "bad-expression", "(", "the ( is never closed", "close it with )"),
        ("vars.flag)", "bad-expression", ")", "the ) closes nothing", "leave it out, or open it before"),
        ("(vars.flag]", "bad-expression", "]", "the ] closes nothing", "write ) here"),
        ("vars.name 'x'", "bad-expression", "'x'", "an operator is missing before 'x'", "write ==, and, +, … between two values; put text into one pair of quotes"),
        ("vars.name == 'it''s'", "bad-expression", "'s'", "an operator is missing before 's'", "write ==, and, +, … between two values; put text into one pair of quotes"),
        ("vars.flag, vars.flag", "bad-expression", ",", "the comma stands outside of a list", "write lists as [1, 2]"),
        ("vars. == 'x'", "bad-expression", ".", "a name is missing after the dot", "write a field, such as vars.<name>"),
        ("event.keys[] == 'x'", "bad-expression", "[", "an index is missing between the brackets", "write a number that counts from 0; -1 is the last"),
        ("'x'('y')", "bad-expression", "(", "only a function can be called", "write function(value), such as len(vars.<name>)"),
        ("'x == 1", "bad-expression", "'", "the text is never closed", "close it with ' on the same line, and write a ' inside it as \\'"),
        ("vars.tries == 1 + not vars.flag", "bad-expression", "not", "`not` stands inside a comparison or sum", "put brackets around the part with `not`"),
        ("vars.tries == 007", "bad-expression", "007", "007 is no number", "a number has at most 18 digits and no zero before it; digits that are no number are text: put quotes around them"),
        ("vars.tries == 1e9", "bad-expression", "1e9", "1e9 is no number", "write numbers as 12 or 1.5, durations as 12s"),
        ("vars.tries == 0x1F", "bad-expression", "0x1F", "0x1F is no number", "write numbers as 12 or 1.5, durations as 12s"),
        ("vars.tries == 1_000", "bad-expression", "1_000", "1_000 is no number", "write 1000"),
        ("vars.tries == .5", "bad-expression", ".", "a value is missing before .", None),
        ("call.elapsed > 2min", "bad-expression", "2min", "2min is no number", "a duration is a whole number with one unit: write 2m"),
        ("vars.phone == +15551234567", "bad-expression", "+", "+ joins two values, and there is none before it", "a phone number is text: put quotes around it"),
        ("vars.tries == +1", "bad-expression", "+", "+ joins two values, and there is none before it", "leave the + out"),
        ("vars.name == 'a\nb'", "bad-expression", "'", "the text is never closed", "close it with ' on the same line, and write a ' inside it as \\'"),
        ("vars.name == 'a\0b'", "bad-expression", "\0", "the text holds the character U+0000, which cannot be spoken or sent", "leave it out"),
        ("\0 == 'a'", "bad-expression", "\0", "the character U+0000 has no meaning in an expression", None),
        ("vars.ﬁne == 'a'", "unknown-name", "vars.ﬁne", "vars has no ﬁne", "declare it: vars: {ﬁne: {type: string}}"),
    ],
)  # fmt: skip
def test_one_problem(source, code, place, message, hint):
    found = problems(source)
    assert (
        found[0].code,
        source[found[0].offset : found[0].offset + found[0].length],
        found[0].message,
        found[0].hint,
    ) == (code, place, message, hint)
    assert len(found) == 1, found


def test_every_problem_at_once_in_the_order_of_the_text():
    source = "vars.acount = 1 && event.digits == 1 || !strip(vars.name)"
    assert [
        (problem.code, source[problem.offset : problem.offset + problem.length]) for problem in problems(source)
    ] == [
        ("unknown-name", "vars.acount"),
        ("bad-expression", "="),
        ("bad-expression", "&&"),
        ("wrong-type", "event.digits == 1"),
        ("bad-expression", "||"),
        ("bad-expression", "!"),
        ("unknown-function", "strip(vars.name)"),
    ]


def test_a_time_without_quotes():
    assert [problem.hint for problem in problems("09:30")] == [
        "a number has at most 18 digits and no zero before it; digits that are no number are text: put quotes around them",
        "times, hours and other words with a colon are text: put quotes around them",
    ]


def test_where_there_is_no_event():
    names = Names(event=None, vars=Record({"result": TEXT}))
    for source in ("event.result == 'busy'", "event == 'busy'", "event['result'] == 'busy'"):
        code, place, message, hint = only(source, names)
        assert (code, place, message) == ("no-event", "event", "there is no event to read here")
        assert hint == "`set` a variable on the transition that leads here, and read vars.<name>"


def test_an_event_without_fields():
    assert only("event.result == 'x'", Names(event=Record({}, kind="done"))) == (
        "unknown-name",
        "event.result",
        "done has no result",
        "it has no fields",
    )


@pytest.mark.parametrize(
    ("expect", "source", "code", "message", "hint"),
    [
        (TEXT, "vars.tries", "wrong-type", "text is due here, and vars.tries is an integer", "write text(vars.tries)"),
        (TEXT, "3", "wrong-type", "text is due here, and 3 is an integer", 'write "3"'),
        (INTEGER, "vars.share", "wrong-type", "an integer is due here, and vars.share is a number", "write round(vars.share)"),
        (INTEGER, "vars.name", "wrong-type", "an integer is due here, and vars.name is text", "write number(vars.name)"),
        (INTEGER, "'12'", "wrong-type", "an integer is due here, and '12' is text", "write 12 without the quotes"),
        (DURATION, "vars.tries", "wrong-type", "a duration is due here, and vars.tries is an integer", "write vars.tries * 1s for seconds"),
        (DURATION, "12", "wrong-type", "a duration is due here, and 12 is an integer", "write 12s"),
        (DURATION, "env.MODE", "wrong-type", "a duration is due here, and env.MODE is text", "write duration(env.MODE)"),
        (NUMBER, "call.elapsed", "wrong-type", "a number is due here, and call.elapsed is a duration", "write call.elapsed / 1s for its seconds"),
        (ListOf(TEXT), "vars.name", "wrong-type", "a list of text is due here, and vars.name is text", "write [vars.name]"),
        (BOOLEAN, "vars.name", "wrong-type", "true or false is due here, and vars.name is text", "compare it with something, or write is_set(vars.name)"),
        (PHONE, "'030 123'", "bad-value", "the field takes a phone number in E.164 form, a plus and 2 to 15 digits, such as +15551234567", None),
        (OneOf("a", "b"), "'c'", "bad-value", "the field takes one of a, b", None),
    ],
)  # fmt: skip
def test_an_expected_type(expect, source, code, message, hint):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source, NAMES, expect)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message, problem.hint) == (code, message, hint)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 == " + " " * 2000 + "1", "the expression has 2006 characters; 2000 are allowed"),
        ("(" * 900 + "1" + ")" * 900, "the expression is nested more than 50 levels deep"),
        ("[" * 1900, "the expression is nested more than 50 levels deep"),
        ("not " * 400 + "true", "the expression is nested more than 50 levels deep"),
        ("-" * 1900 + "1", "the expression is nested more than 50 levels deep"),
        ("1" + " + 1" * 400, "the expression is nested more than 50 levels deep"),
        ("event.body" + "[0]" * 400, "the expression is nested more than 50 levels deep"),
        ("event.body" + ".a" * 400, "the expression is nested more than 50 levels deep"),
        ("len(" * 300 + "1" + ")" * 300, "the expression is nested more than 50 levels deep"),
        ("event.body" + "()" * 100, "the expression is nested more than 50 levels deep"),
    ],
)
def test_what_is_too_large_is_said_and_nothing_breaks(source, says):
    if source.endswith("()"):
        assert problems(source)[0].message == "only a function can be called"
        return
    assert problems(source)[0].message == says
    assert problems(source)[0].code == "too-large"


def test_growth_is_refused_when_it_happens():
    from callflow.core.expressions import Context, EvaluationError

    names = Names(vars=Record({"text": TEXT, "list": ListOf(TEXT)}))
    context = Context(vars={"text": "a" * 60_000, "list": ["a"] * 6000})
    for source, reason in (
        ("vars.text + vars.text", "the text grows beyond 100000 characters"),
        ("vars.list + vars.list", "the list grows beyond 10000 items"),
        ("join(vars.list, vars.text)", "the text grows beyond 100000 characters"),
    ):
        with pytest.raises(EvaluationError) as caught:
            compile_expression(source, names).evaluate(context)
        assert caught.value.reason == reason


@pytest.mark.parametrize("code", PROBLEM_CODES)
def test_the_examples_of_a_code_are_true(code):
    meaning, wrong, right = PROBLEM_CODES[code]
    assert meaning.endswith(".")
    names = Names(event=None, vars=NAMES.vars) if code == "no-event" else NAMES
    compiler = compile_template if code == "unclosed-template" else compile_guard
    with pytest.raises(ExpressionError) as caught:
        compiler(wrong, names)
    assert [problem.code for problem in caught.value.problems] == [code]
    compiler(right, names)
