from __future__ import annotations

import pytest

from callflow.diagram import words
from tests.diagram.flows import flow


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\n lines\tand a tab ", "two lines and a tab"),
        ("bell \x07 and null \x00", "bell � and null �"),
        ("half a pair \ud800", "half a pair �"),
        ("turned \u202egnp.exe", "turned gnp.exe"),
        ("👩‍👩‍👧 שלום 预约", "👩‍👩‍👧 שלום 预约"),
    ],
)
def test_whatever_an_author_writes_becomes_one_printable_line(text, shown):
    assert words.clean(text) == shown


def test_a_text_is_cut_between_words_and_says_so():
    assert words.shorten("a text that fits", 16) == "a text that fits"
    assert words.shorten("generate_reply that goes on and on", 20) == "generate_reply that…"
    assert words.shorten("预约提醒打电话给客户", 9) == "预约提醒…"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("a_name_without_any_blank", 10, ["a_name_", "without_", "any_blank"]),
        ("xxxxxxxxxxxxxxxxxxxx", 8, ["xxxxxxxx", "xxxxxxxx", "xxxx"]),
        ("say 预约提醒打电话", 10, ["say 预约提", "醒打电话"]),
        ("", 8, [""]),
    ],
)
def test_lines_are_as_wide_as_the_box(text, width, lines):
    assert words.wrap(text, width) == lines


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("say: Goodbye.", "say “Goodbye.”"),
        ("delete_room", "delete_room"),
        ("remove_participant", "remove_participant"),
        ("remove_participant: human", "remove_participant human"),
        ("hang_up: Goodbye.", "hang_up “Goodbye.”"),
        ("set: {number: 3}", "set number = 3"),
        ("set: {number: null}", "set number = null"),
        ('set: {word: ""}', 'set word = ""'),
        (
            "http: {url: 'https://example.com/{{ vars.number }}', method: POST, as: answer}",
            "http POST https://example.com/{number} as answer",
        ),
        (
            "python: {name: verify, arguments: {pin: '{{ vars.number }}'}, optional: true}",
            "python verify(pin = {number}) (optional)",
        ),
        ("emit: app.ready", "emit app.ready"),
        ("tag: [vip, '2026']", "tag vip, 2026"),
        ("collect_digits: {prompt: Your PIN?, count: 4}", "collect_digits “Your PIN?”"),
    ],
)
def test_an_action_is_shown_in_its_authors_words(written, shown):
    drawn = flow(
        f"first: {{entry: [{written if ':' not in written else '{' + written + '}'}], on: {{dtmf.*: second, done: second}}}}\n"
        "second: {entry: [{dial: {to: '+15551234567', trunk: x, leg: human}}], on: {dial.*: ending, done: ending, leg.human.hangup: ending}}",
        "vars: {number: {type: integer, default: 1}, word: {type: string, default: x}}\nevents: {app.ready: {}}\npython: {verify: {parameters: {pin: {type: integer}}}}",
    )
    assert words.action(drawn.states["first"].entry[0]) == shown
