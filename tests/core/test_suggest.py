"""Did you mean …: near names are found, far ones are not, and it costs nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.suggest import closest, did_you_mean
from tests.support.cost import within

VERBS = [
    "say",
    "generate_reply",
    "play",
    "drain",
    "aclose",
    "delete_room",
    "shutdown",
    "hang_up",
    "dial",
    "cancel_dial",
    "set",
    "outcome",
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hangup", "hang_up"),
        ("Hang-Up", "hang_up"),
        ("deleteRoom", "delete_room"),
        ("delete_rom", "delete_room"),
        ("dail", "dial"),
        ("sya", "say"),
        ("outcom", "outcome"),
        ("generate_replay", "generate_reply"),
        ("shut_down", "shutdown"),
        ("close", "aclose"),
        ("st", "set"),
        ("shtudown", "shutdown"),
    ],
)
def test_a_slip_finds_the_name(written, meant):
    assert closest(written, VERBS) == [meant]


@pytest.mark.parametrize("written", ["transfer", "x", "", "zzz", "o", "speak", "a" * 5000, "___"])
def test_what_is_near_to_nothing_gets_no_suggestion(written):
    assert closest(written, VERBS) == []
    assert did_you_mean(written, VERBS) is None


def test_the_nearest_comes_first_and_a_right_first_letter_wins_a_tie():
    assert closest("talkin", ["walking", "talking", "taking"], limit=3) == ["talking", "taking", "walking"]
    assert closest("bold", ["fold", "bolt"], limit=2) == ["bolt", "fold"]


def test_the_word_itself_is_no_suggestion():
    assert closest("dial", ["dial"]) == []


def test_the_hint_is_a_question():
    assert did_you_mean("hangup", VERBS) == 'did you mean "hang_up"?'


@given(st.text(), st.lists(st.text(), max_size=5))
def test_only_candidates_are_suggested(word, candidates):
    found = closest(word, candidates, limit=3)
    assert len(found) <= 3
    assert set(found) <= set(candidates) - {word}


def test_ten_thousand_names_take_no_time_to_speak_of():
    names = [f"state_number_{number}" for number in range(10_000)]
    assert within(5, lambda: closest("state_numbr_77", names)) == ["state_number_77"]
