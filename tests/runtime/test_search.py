"""Known values are found in every spelling; how many there are costs neither who learns one more nor who looks."""

from __future__ import annotations

import re
import sys
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.runtime.search import DEEPEST, Index, is_number_like

LINE = "From customer-0007 to customer-0500 and back, by +1 555 000 0007, on a Monday: customer-99999."


def an_index(*values: str) -> Index:
    index = Index()
    for value in values:
        index.learn(value, f"<{value}>")
    return index


@pytest.mark.parametrize(
    ("value", "text", "hidden"),
    [
        ("Ann", "Ann, Anna, ANN and_ann", "<Ann>, Anna, <Ann> and_<Ann>"),
        ("@ann", "to @ann: x@ann y@anna", "to <@ann>: x<@ann> y@anna"),
        ("***", "a***b ** ****", "a<***>b ** <***>*"),
        ("Ann/Lee", "/Ann%2FLee /Ann/Lee ann%2flee", "/<Ann/Lee> /<Ann/Lee> <Ann/Lee>"),
        ("gr\u00fc\u00df", "GR\u00dcSS gr%C3%BC%C3%9F", "<gr\u00fc\u00df> <gr\u00fc\u00df>"),
        (
            "4711",
            "4711 4-7-1-1 (47)11 14711 4711.5 47  11 47   11",
            "<4711> <4711> (<4711> 14711 <4711>.5 <4711> 47   11",
        ),
        ("4711", "pii:4711471147114711 pii:a4711b4711c4711", "pii:4711471147114711 pii:a<4711>b<4711>c<4711>"),
    ],
)
def test_a_value_in_every_spelling(value: str, text: str, hidden: str) -> None:
    index = Index()
    index.learn(value, f"<{value}>")
    assert index.replace(text) == hidden


def test_the_first_and_the_longest_wins() -> None:
    assert an_index("Ann", "Ann Lee", "Lee Ray").replace("Ann Lee Ray, Lee Ray") == "<Ann Lee> Ray, <Lee Ray>"
    assert an_index("4711", "47110815").replace("4711 0815 4711") == "<47110815> <4711>"


def test_a_value_of_many_words_is_found_whole() -> None:
    words = [f"word{number}" for number in range(3 * DEEPEST)]
    index = an_index(" ".join(words), " ".join(words[:-1]))
    assert index.replace(f"so: {' '.join(words)}.") == f"so: <{' '.join(words)}>."
    assert index.replace(f"so: {' '.join(words)}s") == f"so: <{' '.join(words[:-1])}> {words[-1]}s"


def by_one_pattern(values: list[str], text: str) -> str:
    """The same, as a single regular expression finds it."""

    def occurrence(value: str) -> str:
        digits = re.sub(r"[^0-9]", "", value)
        if len(digits) >= 4 and is_number_like(value):
            return r"\+?(?<![0-9])" + r"[\s().\-]{0,2}".join(digits) + r"(?![0-9])"
        forms = {value, quote(value), quote(value, safe=""), quote_plus(value)}
        written = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        before = r"(?<![^\W_])" if value[0].isalnum() else ""
        after = r"(?![^\W_])" if value[-1].isalnum() else ""
        return f"{before}(?:{written}){after}"

    found = sorted(values, key=lambda value: -len(value))
    pattern = re.compile("|".join(f"({occurrence(value)})" for value in found), re.IGNORECASE)
    return pattern.sub(lambda match: f"<{found[(match.lastindex or 1) - 1]}>", text)


TEXTS = st.text("ab1_ -+4711.@%é", min_size=2, max_size=8)


@given(st.lists(TEXTS.map(str.strip).filter(lambda value: len(value) > 1), min_size=1, unique=True), st.lists(TEXTS))
def test_it_finds_what_one_pattern_of_all_finds(values: list[str], around: list[str]) -> None:
    text = "".join(part + value for part, value in zip([*around, *values], [*values, *around], strict=True))
    spellings: dict[str, str] = {}
    for value in values:  # of two spellings of one number the first counts
        digits = re.sub(r"[^0-9]", "", value)
        spellings.setdefault(digits if is_number_like(value) and len(digits) >= 4 else value.casefold(), value)
    values = list(spellings.values())
    assert an_index(*values).replace(text) == by_one_pattern(values, text)


def calls(function) -> int:
    """How many functions it calls, its own and the interpreter's."""
    made = 0

    def count(frame, event, argument) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return made


def test_a_thousand_values_cost_no_more_than_ten() -> None:
    few, many = Index(), Index()
    for index, known in ((few, 10), (many, 1_000)):
        for number in range(known):
            index.learn(f"customer-{number:04d}", "pii:x")
            index.learn(f"+1555{number:07d}", "pii:y")
    assert calls(lambda: many.learn("customer-5000", "z")) == calls(lambda: few.learn("customer-5000", "z"))
    assert calls(lambda: many.learn("Ann Lee", "z")) == calls(lambda: few.learn("Ann Lee", "z"))
    assert calls(lambda: many.replace(LINE)) <= 1.2 * calls(lambda: few.replace(LINE))
    few.looked = many.looked = 0
    assert few.replace(LINE).count("pii:") == 2
    assert many.replace(LINE).count("pii:") == 3
    assert many.looked <= few.looked + 2
