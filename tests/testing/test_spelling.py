"""What was heard is read to the letter, however the playout stuttered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.speaking import LETTER
from callflow.testing.spelling import read, spell

RATE = 24_000
SIZE = round(RATE * LETTER)
SENTENCE = "I would like to tell you that your appointment with doctor Byron has moved to Friday, since we expect much rain on Thursday. OK?"
texts = st.text("abcdefghijkl ÄÖ12#.", min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(RATE * seconds), np.int16)


def test_a_sentence_of_128_letters_that_stutters_anywhere():
    assert len(SENTENCE) == 128
    sound = spell(SENTENCE, RATE)
    for at in range(0, len(sound), SIZE // 3):
        for gap in (0.003, 0.011, 0.02, 0.028):
            assert read(np.concatenate([sound[:at], quiet(gap), sound[at:]]), RATE) == SENTENCE


@given(texts, st.data())
def test_a_letter_that_is_held_up_is_none_the_less_itself(text, data):
    sound = spell(text, RATE)
    at = data.draw(st.integers(1, len(sound) - 1))
    gap = quiet(data.draw(st.floats(0.03, 2.0)))
    heard = read(np.concatenate([sound[:at], gap, sound[at:]]), RATE)
    assert heard.replace(" ", "") == text.replace(" ", "")


def test_a_playout_that_is_held_up_between_the_bytes_of_a_character_says_it_all_the_same():
    sound = spell("1ÄÄ", RATE)
    assert read(np.concatenate([sound[: 2 * SIZE], quiet(1.0), sound[2 * SIZE :]]), RATE) == "1ÄÄ"
    assert read(np.concatenate([sound[: 2 * SIZE], quiet(1.0), spell("Two.", RATE)]), RATE) == "1 Two."


def test_a_letter_that_is_cut_by_a_hair_shifts_no_other():
    assert read(spell("Ä1111111", RATE)[:-2], RATE) == "Ä111111"


@given(texts, st.data())
def test_a_letter_that_is_cut_is_left_out_at_either_end(text, data):
    sound = spell(text, RATE)
    at = data.draw(st.integers(0, len(sound)))
    assert read(sound[:at], RATE) == text.encode()[: at // SIZE].decode(errors="ignore").strip()


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_pause_is_a_space_and_none_is_there_before_or_behind(rate):
    pause = np.zeros(round(rate * LETTER), np.int16)
    sound = np.concatenate([pause, spell("One.", rate), pause, spell("Two.", rate), pause])
    assert read(sound, rate) == "One. Two."
