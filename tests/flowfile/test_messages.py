"""What an author reads: one slip, one defect, and the cure that fits the place. `|` stands for the end of a line."""

from __future__ import annotations

import pytest

from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read_loads

DIAL = 'dial: {{to: "+15551234567", trunk: ST_1, {}: {}}}'
NO_EVENT = "no-event: there is no event to read here"
BEGINS = "the call begins here, so that no transition leads here on which a variable could be set: write a row that has an event, "
LATER = "`set` a variable on the transition that leads here, and read vars.<name>"
OPEN = "in_hours(event.time, 'Mon-Fri 09:00-17:00', 'Europe/Berlin')"
NAME = "a name has letters, digits, `_` and `-`, does not begin with a digit, and is at most 64 characters long"


def read(text: str) -> list[str]:
    _, defects = read_loads(whole(text.replace("|", "\n") + "\n"))
    return [f"{one.code}: {one.message} -> {one.hint}" for one in defects]


def listed(action: str) -> list[str]:
    return read(f"states:|  talking:|    entry: [{{{action}}}]|    on: {{dial.*: ending, transfer.*: ending}}")


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("-5s", "`after`: a duration is never negative", "write 5s"),
        ("-5", "`after`: a duration is never negative", "write 5s"),
        ("+5s", "`after`: a duration has no sign", "write 5s"),
        ("0s", "`after` counts longer than 0s", "for at once there is `always`"),
        ("800h", "`after`: a duration is at most 30 days (720h)", ""),
        ("45 days", "`after`: a duration is at most 30 days (720h)", ""),
        ("99999999999999s", "`after`: a duration is at most 30 days (720h)", ""),
        ("3600000", "`after`: a duration needs its unit", "write 1h"),
        ("1m30s", "`after`: a duration is a whole number with one unit", "write 90s"),
        ("PT30S", "`after`: a duration is a whole number with one unit", "write 30s"),
        ("soon", "`after`: a duration is a whole number with its unit, ms, s, m or h", "write 12s"),
    ],
)
def test_durations(written, message, hint):
    assert read(f"states: {{talking: {{after: {{{written}: ending}}}}}}") == [f"bad-duration: {message} -> {hint}"]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("limits: {call: -1s}", "`call`: a duration is never negative -> write 1s"),
        ("limits: {silence: 0s}", "`silence` is longer than 0s -> write 12s"),
        ("limits: {quiet: 1m30s}", "`quiet`: a duration is a whole number with one unit -> write 90s"),
        ("states: {talking: {limits: {quiet: 0s}}}", "`quiet` is longer than 0s -> write 12s"),
        ("reconnect_grace: -2s", "`reconnect_grace`: a duration is never negative -> write 2s"),
        ("states: {talking: {entry: [{say: {text: Hi., timeout: -3s}}]}}", "`timeout`: a duration is never negative -> write 3s"),
        ("states: {talking: {entry: [{drain: {tail: -1ms}}]}}", "`tail` of `drain`: a duration is never negative -> write 1ms"),
        ("session: {user_away_timeout: 31 days}", "`user_away_timeout`: a duration is at most 30 days (720h) -> "),
        ("vars: {wait: {type: duration, default: -4s}}", "the default of `wait`: a duration is never negative -> write 4s"),
    ],
)  # fmt: skip
def test_durations_elsewhere(written, says):
    assert read(written) == [f"bad-duration: {says}"]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("states:|  talking:|    after: 10m: dialing", "after: {10m: dialing}"),
        ("states:|  talking:|    silence: 10s: {do: [{say: Hi.}]}", "silence: {10s: {do: [{say: Hi.}]}}"),
        ("states:|  talking:|    on: call.hangup: target: ending", "on: {call.hangup: {target: ending}}"),
        ("states:|  talking:|    on:|      dtmf.1: target: ending", "dtmf.1: {target: ending}"),
        ("states:|  talking:|    entry:|      - say: text: Hello there.", "say: {text: Hello there.}"),
        ("states: {talking: {after: 10m: dialing}}", "after: {10m: dialing}"),
        ("states: {talking: {on: {dtmf.1: target: ending}}}", "dtmf.1: {target: ending}"),
        ("limits: call: 10m", "limits: {call: 10m}"),
        ("vars: name: string", "vars: {name: string}"),
    ],
)
def test_two_keys_on_one_line_want_braces(written, instead):
    [one] = read(written)
    assert one.startswith(
        f"colon-in-text: a key with its value stands where a value is due -> put it into braces: `{instead}`"
    )


@pytest.mark.parametrize(
    "written", ["states:|  talking:|    entry:|      - say: Note: we close.", "description: Hours: nine to five."]
)
def test_a_text_with_a_colon_wants_quotes(written):
    [one] = read(written)
    assert "put quotes around the whole text" in one


@pytest.mark.parametrize(
    ("action", "hint"),
    [
        (DIAL.format("amd", "true"), 'did you mean "detect_machine"?'),
        (DIAL.format("voicemail_detection", "{}"), 'did you mean "detect_machine"?'),
        (DIAL.format("ring_timeout", "30s"), 'did you mean "ringing_timeout"?'),
        ('transfer: {to: "+15551234567", warm: true}', "a warm transfer, with a word to the human first, is `consult`"),
        (
            'transfer: {to: "+15551234567", briefing: Hi.}',
            "a warm transfer, with a word to the human first, is `consult`",
        ),
        ("say: {text: Hi., allow_interruptions: false}", 'did you mean "interruptible"?'),
        ("collect_digits: {prompt: PIN?, finish_on_key: '#'}", 'did you mean "terminator"?'),
        ("play: {url: a.mp3, file: a.mp3}", 'did you mean "file"?'),
    ],
)
def test_arguments_of_other_languages(action, hint):
    assert [one.rpartition(" -> ")[2] for one in listed(action)] == [hint]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (f'states:|  talking: {{always: {{target: ending, when: "{OPEN}"}}}}', BEGINS + "`on: {done: [{target: …, when: …}]}`"),
        ("states:|  talking: {entry: [{say: '{{ event.name }}'}]}", BEGINS + "`on: {done: {do: […]}}`"),
        (f'states:|  talking: {{initial: a, states: {{a: {{always: {{target: ending, when: "{OPEN}"}}}}}}}}', BEGINS + "`on: {done: [{target: …, when: …}]}`"),
        (f'states:|  talking: {{on: {{dtmf.1: b}}}}|  b: {{always: {{target: ending, when: "{OPEN}"}}}}', LATER),
        ("states:|  talking: {on: {dtmf.1: b}}|  b: {entry: [{say: '{{ event.name }}'}]}", LATER),
        ("states:|  talking: {exit: [{log: '{{ event.name }}'}]}", "`exit` runs before the row's own `do`: write it into the `do` of the rows that leave, which know their event"),
        ("wrap_up: [{log: '{{ event.name }}'}]", "`set` a variable in the row that hears of it, and read vars.<name>"),
    ],
)  # fmt: skip
def test_no_event_and_what_to_do_there(text, hint):
    assert read(text) == [f"{NO_EVENT} -> {hint}"]


def test_another_region_is_told_and_no_timer_of_it_begins_anew():
    text = "states:|  talking:|    parallel: true|    states:|      a: {initial: x, states: {x: {on: {dtmf.1: y}}, y: {}}}|      b: {on: {dtmf.2: a.x}}"
    [one] = read(text)
    message, hint = one.split(" -> ")
    assert message == "crosses-regions: `a.x` stands in another region of the parallel state `talking`"
    assert hint == "`emit: app.…` here, and let a row in `a` wait for it and lead to `a.x`"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("initial: takling|states: {talking: {on: {dtmf.1: b}}, b: {}}", 'unknown-target: there is no state `takling` at the top level -> did you mean "talking"?'),
        ("initiall: talking|states: {talking: {on: {dtmf.1: b}}, b: {}}", 'unknown-key: a flow has no key `initiall` -> did you mean "initial"?'),
        ("initial:|states: {talking: {}}", "missing-initial: a flow says in which state it begins -> write `initial: talking`"),
        ("initial: 1|states: {1: {entry: [{say: Hi.}]}}", f"bad-name: `1` is no name for a state -> {NAME}"),
        ("states: {talking: {on: {dtmf.1: 2}}, 2: {}}", f"bad-name: `2` is no name for a state -> {NAME}"),
        ("states: {talking: {on: {dtmf.1: the.end}}, the.end: {}}", "bad-name: the name of a state holds no dot: `the.end` -> a dot leads inward, from a state to its inner ones"),
        ("ending: 3|states: {talking: {}, 3: {}}", f"bad-name: `3` is no name for a state -> {NAME}"),
        ("states: [talking, closing]|on: {dtmf.1: closing}|ending: closing", "wrong-kind: `states` takes keys with values, not a list -> each is a key with its value: `talking: …`"),
        ("states:|  - name: talking|    entry: [{say: Hi.}]", "wrong-kind: `states` takes keys with values, not a list -> the name is the key: `talking: {…}`"),
        ("states:|  - talking: {entry: [{say: Hi.}]}", "wrong-kind: `states` takes keys with values, not a list -> take the list away: `talking: …` stands there by itself"),
        ("states: {talking: {initial: a, states: [a, b], on: {dtmf.1: talking.b}}}", "wrong-kind: `states` takes keys with values, not a list -> each is a key with its value: `a: …`"),
        ("states: {talking: {on: {dtmf.1: b}}, b: Hello.}", 'wrong-kind: the state `b` takes keys with values, not the text "Hello." -> '),
        ("states: {talking: {after: [{10m: ending}]}}", "wrong-kind: `after` takes rows: a duration and what happens then -> write `after: {10m: {target: …}}`"),
    ],
)  # fmt: skip
def test_one_slip_is_one_defect_and_that_is_the_cause(text, says):
    assert read(text) == [says]
