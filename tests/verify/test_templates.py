"""What reads like an expression and is none is told, once; a word that is meant as it stands is not."""

from __future__ import annotations

import pytest

from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read_loads
from callflow.verify import check

HEAD = """
env: [TRUNK]
vars: {day: {type: string, default: Monday}}
initial: talking
states:
  talking:
    after: {5m: ending}
    entry: [{ACTION}]
    on: {dial.*: ending, transfer.*: ending}
"""


def told(action: str) -> list[str]:
    flow, defects = read_loads(whole(HEAD.replace("ACTION", action)))
    assert flow is not None, defects
    return [
        f"{one.code}: {one.message} -> {one.hint}"
        for one in check(flow)
        if one.code in ("not-a-template", "never-used")
    ]


USES = "}, {log: '{{ vars.day }} {{ env.TRUNK }}'"


@pytest.mark.parametrize(
    ("action", "found", "meant"),
    [
        ("say: 'On {vars.day}.'", "{vars.day}", "vars.day"),
        ("say: 'On ${vars.day}.'", "${vars.day}", "vars.day"),
        ("say: 'On {{ vars.day }}, {vars.day}.'", "{vars.day}", "vars.day"),
        ("say: vars.day", "vars.day", "vars.day"),
        ("set: {day: vars.day}", "vars.day", "vars.day"),
        ("set: {day: event.final}", "event.final", "event.final"),
        ("set: {day: call.number}", "call.number", "call.number"),
        ("log: '#{call.number}'", "#{call.number}", "call.number"),
        ('dial: {to: "+1555", trunk: $TRUNK}', "$TRUNK", "env.TRUNK"),
        ('dial: {to: "+1555", trunk: "${TRUNK}"}', "${TRUNK}", "env.TRUNK"),
        ('dial: {to: "+1555", trunk: "%TRUNK%"}', "%TRUNK%", "env.TRUNK"),
        ('dial: {to: "+1555", trunk: env.TRUNK}', "env.TRUNK", "env.TRUNK"),
        ("http: {url: 'https://a.example/', json: {day: 'vars.day'}}", "vars.day", "vars.day"),
    ],
)  # fmt: skip
def test_what_is_meant_to_be_filled_in(action, found, meant):
    message = f"`{found}` is no expression, and stands in the text as it is written"
    assert told(action + USES) == [f'not-a-template: {message} -> write "{{{{ {meant} }}}}"']


def test_a_choice_inside_a_text():
    assert told("say: 'It is {% if vars.day %}set{% endif %}.'" + USES) == [
        "not-a-template: `{% if vars.day %}` is no expression, and stands in the text as it is written -> write two rows, each with its `when`"
    ]


def test_what_is_read_by_a_slip_is_not_told_of_as_unused():
    for action in ("say: 'On {vars.day} by $TRUNK.'", "say: 'On {vars.day}.'}, {log: $TRUNK"):
        assert [one.partition(":")[0] for one in told(action)] == ["not-a-template"] * 2


@pytest.mark.parametrize(
    "action",
    [
        "http: {url: 'https://a.example/', json: {type: call.ended, of: event.created}}",
        "send_data: call.ended",
        "say: 'See vars.day or {this}, $5 and 100%.'",
        "say: 'I said {{ \"{vars.day}\" }}'",
        "tag: [call.ended]",
    ],
)
def test_words_that_stand_as_they_are(action):
    assert told(action + USES) == []


@pytest.mark.parametrize(
    ("rows", "never"),
    [
        ("after: {30s: ending, 45s: b}", "after: 45s"),
        ("after: {45s: b, 30s: ending}", "after: 45s"),
        ("after: {30s: a, 45s: b}", "after: 45s"),
        ("silence: {45s: b, 30s: ending}", "silence: 45s"),
        ("after: {30s: {target: ending, when: state.visits > 1}, 45s: b}", None),
        ("after: {30s: {do: [{say: Still there?}]}, 45s: b}", None),
        ("after: {30s: ending}, silence: {45s: b}", None),
        ("after: {30s: x, 45s: b}, initial: x, states: {x: {}}", None),
    ],
)
def test_a_timer_behind_one_that_leads_out(rows, never):
    text = f"initial: a\nstates:\n  a: {{on: {{dtmf.1: b}}, {rows}}}\n  b: {{on: {{dtmf.1: a}}}}\n"
    flow, defects = read_loads(whole(text))
    assert flow is not None, defects
    assert [one.message.split("`")[1] for one in check(flow) if one.code == "never-due"] == ([never] if never else [])
