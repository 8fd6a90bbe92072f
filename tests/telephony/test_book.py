"""Telephone books, as `callflow phone` reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callflow.errors import FlowFileError, StartError
from callflow.telephony.network import FAR_ENDS, FarEnd, HangUp, Hear, Press, Refer, Say, Wait
from callflow.telephony.stand_in import book

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "phone.md"


def test_the_book_of_the_documentation():
    [text] = re.findall(r"```yaml\n(# book\.yaml.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    read = book.read(text, "book.yaml")
    assert read.otherwise == FAR_ENDS["no_answer"]
    assert read.numbers["+15550100"] == FAR_ENDS["busy"]
    assert read.numbers["+15550101"].acts == (Hear(within=15), Say("Yes, this is me."), Wait(1), Press("1"), HangUp())
    assert read.numbers["+15550102"] == FarEnd(rings=1, code=480)


def test_every_preset_is_a_telephone():
    for name in FAR_ENDS:
        assert book.preset(name) == FAR_ENDS[name]


def test_a_number_needs_no_quotes_and_a_transfer_may_meet_silence():
    read = book.read("+15550100: {refer: silence}\n", "book.yaml")
    assert read.numbers["+15550100"] == FarEnd(refer=Refer(None))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"555": busy', "is no telephone number"),
        ('"+15550100": buzy', "did you mean"),
        ('"+15550100": {ring: 2s}', "did you mean"),
        ('"+15550100": {rings: 2}', "rings: a duration needs its unit"),
        ('"+15550100": {code: busy}', "such as 486"),
        ('"+15550100": {acts: [dance]}', "what a telephone does is one of"),
        ('"+15550100": {rtp: maybe}', "true or false"),
        ('"+15550100": [busy]', "not a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, said):
    with pytest.raises(StartError) as wrong:
        book.read(f"# mine\n{text}\n", "book.yaml")
    assert said in str(wrong.value)
    assert str(wrong.value).startswith("book.yaml:2: ")


def test_what_is_no_yaml_is_said_as_of_any_file():
    with pytest.raises(FlowFileError):
        book.read("a: [", "book.yaml")
