"""Known values are found in every spelling; how many there are costs neither who learns one more nor who looks."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.runtime.search import DEEPEST, Index, is_number_like
from callflow.runtime.spelling import normal

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
        ("***", "a***b ** ****", "a<***>b ** <***>"),
        ("C++", "C++ and C+ and c++x", "<C++> and C+ and <C++>x"),
        ("Ann/Lee", "/Ann%2FLee /Ann/Lee ann%2flee", "/<Ann/Lee> /<Ann/Lee> <Ann/Lee>"),
        ("gr\u00fc\u00df", "GR\u00dcSS gr%C3%BC%C3%9F", "<gr\u00fc\u00df> <gr\u00fc\u00df>"),
        (
            "4711",
            "4711 4-7-1-1 (47)11 14711 4711.5 47 - 11 47    11",
            "<4711> <4711> (<4711> 14711 <4711>.5 <4711> 47    11",
        ),
        ("4711", "pii:4711471147114711 pii:a4711b4711c4711", "pii:4711471147114711 pii:a<4711>b<4711>c<4711>"),
    ],
)
def test_a_value_in_every_spelling(value: str, text: str, hidden: str) -> None:
    index = Index()
    index.learn(value, f"<{value}>")
    assert index.replace(text) == hidden


def test_the_first_and_the_longest_wins() -> None:
    assert an_index("Ann", "Ann Lee", "Lee Ray").replace("Ann Lee Ray, Lee Ray") == "<Ann Lee><Lee Ray>, <Lee Ray>"
    assert an_index("4711", "47110815").replace("4711 0815 4711") == "<47110815> <4711>"


def test_a_value_of_many_words_is_found_whole() -> None:
    words = [f"word{number}" for number in range(3 * DEEPEST)]
    index = an_index(" ".join(words), "Ann")
    assert index.replace(f"so: {' '.join(words)}.") == f"so: <{' '.join(words)}>."
    assert index.replace(f"so: {'  '.join(words)} Ann") == f"so: <{' '.join(words)}> <Ann>"
    part = index.replace(f"so: {' '.join(words[: 2 * DEEPEST])} and more")
    assert re.sub("<[^>]*>", "", part) == "so: and more"
    assert index.replace("word1 word2 word3") == "word1 word2 word3"
    alike = an_index(" ".join(words), " ".join(words[:-1]))
    assert "word" not in re.sub("<[^>]*>", "", alike.replace(f"so: {' '.join(words[:-1])}"))


NAMES = {
    "Mar\u00eda-Jos\u00e9 M\u00fcller": [
        "Mari\u0301a-Jose\u0301 Mu\u0308ller", "MAR\u00cdA JOS\u00c9 M\u00dcLLER", "Mar\u00eda\u2011Jos\u00e9\u00a0M\u00fcller",
        "maria_jose_muller", "Mar\u00eda\u2013Jos\u00e9  M\u00fcller", "maria.jose.mueller".replace("mue", "mu"), "Mar\u00eda-\nJos\u00e9\tM\u00fcller",
        "Mar\u00ad\u00eda-Jos\u00e9\u200b M\u00fcller", "\uff2d\uff41\uff52\uff49\uff41 \uff2a\uff4f\uff53\uff45 \uff2d\uff55\uff4c\uff4c\uff45\uff52",
        r"Mar\u00eda-Jos\u00e9 M\u00fcller", r"Mar\\u00eda-Jos\\u00e9 M\\u00fcller", r"Mar\xeda-Jos\xe9 M\xfcller", r"Mar\xc3\xada-Jos\xc3\xa9 M\xc3\xbcller",
        "Mar%C3%ADa-Jos%C3%A9%20M%C3%BCller", "Mar%25C3%25ADa-Jos%25C3%25A9%2520M%25C3%25BCller", "Mar%C3%ADa-Jos%C3%A9+M%C3%BCller", "Mar%EDa-Jos%E9%20M%FCller",
    ],
    "O'Brien/4": [r"O\'Brien\/4", "O%27Brien%2F4", r"O\u0027Brien\u002f4", "o'BRIEN/4"],
    "4711 \u0666\u0667": ["4711-67", "\uff14\uff17\uff11\uff11\uff0d\uff16\uff17"],
    "\U0001f600 \U00020bb7\u91ce": [r"\ud83d\ude00 \ud842\udfb7\u91ce", r"\U0001f600_\U00020bb7\u91ce", "%F0%9F%98%80%20%F0%A0%AE%B7%E9%87%8E"],
    "+15551234567": [
        "+1 (555) 123-4567", "(555) 123-4567", "555.123.4567", "1-555-123-4567", "001 555 123 4567", "00 1 555 1234567", "011 1 555 1234567", "0555 1234567",
        "%2B15551234567", "%252B1%20555%201234567", r"\u002b15551234567", "+1\u2011555\u2011123\u20114567", "+1\u00a0555\u00a01234567", "\uff0b\uff11\uff15\uff15\uff15\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "+1_555_1234567", "+1/555/1234567", "\u0661\u0665\u0665\u0665\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "+1 555\u200b123\u00ad4567", "sip_+15551234567",
    ],
    "+1555123": ["+1 555-123", "(555) 123", "001555123", "1 555 123", "%2B1555123"],
    "030 1234567": ["+49 30 1234567", "0049301234567", "+49 (30) 123-4567", "0301234567", "30/1234567"],
    "(555) 123-4567": ["+15551234567", "001 555 123 4567", "15551234567", "5551234567"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "spelt"), [(value, spelt) for value, all_of_it in NAMES.items() for spelt in all_of_it]
)
def test_a_value_that_is_spelt_otherwise(value: str, spelt: str) -> None:
    """Width, accents, dashes, blanks, what is not seen, escapes within escapes, a country or none."""
    index = an_index("else", value)
    hidden = index.replace(f"It is \u201e{spelt}\u201c, says {spelt}.")
    prefix = "sip_" if spelt.startswith("sip_") else "(" if spelt.startswith("(") else ""
    assert hidden == f"It is \u201e{prefix}<{value}>\u201c, says {prefix}<{value}>."
    if spelt != "(555) 123" and not spelt.startswith("sip"):  # of few digits it takes the plus to be a telephone's
        back = an_index(spelt).replace(f"so: {value}!")
        assert back in (f"so: <{spelt}>!", f"so: (<{spelt}>!")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["Ann", "to", "Jos\u00e9"], "Anna, tomorrow, Joseph, annto, an n"),
        (["new", "able"], r"\u00e9new ablest renew\nable2"),
        (["+15551234567"], "5551234568, 15551234, 234567, 99915551234567, 1700000000.555"),
        (["471108"], "14711080, 47.1, 4711 a 08, 00:47:11"),
        (["\u738b\u660e"], "\u738b\u5927\u660e"),
    ],
)
def test_what_only_looks_like_a_value_stays(values: list[str], text: str) -> None:
    assert an_index(*values).replace(text) == text


def test_what_was_escaped_is_found_and_so_is_what_only_looks_escaped() -> None:
    assert an_index("new").replace(r"C:\new C:\\new") == r"C:\<new> C:\\<new>"
    assert an_index("100%41").replace("100%41 100%2541") == "<100%41> <100%41>"
    assert (
        an_index("\u5c71\u7530\u592a\u90ce").replace("\u5c71\u7530\u592a\u90ce\u69d8\u3001")
        == "<\u5c71\u7530\u592a\u90ce>\u69d8\u3001"
    )
    assert (
        an_index("\uae40\ubbfc\uc218").replace("\uae40\ubbfc\uc218\uc528\ub294") == "<\uae40\ubbfc\uc218>\uc528\ub294"
    )


def by_patterns(values: list[str], text: str) -> str:
    """The same, as one regular expression for each value finds it, tried at each place."""
    spans = []
    for value in values:
        form = normal(value)
        digits = re.sub(r"[^0-9]", "", value)
        inner = re.sub(r"^[\s_.+\-]+|[\s_.+\-]+$", "", form)
        if len(digits) >= 4 and is_number_like(value):
            written = r"\+?(?<![0-9])" + r"[\s().\-/_]{0,3}".join(digits) + r"(?![0-9])"
        elif len(inner) > 1:
            pieces = re.findall(r"[^\W_]+|[\s_.+\-]+|.", inner)
            written = "".join(r"[\s_.+\-]+" if re.match(r"[\s_.+\-]", one) else re.escape(one) for one in pieces)
        else:
            inner = form
            written = re.escape(form)
        if not is_number_like(value) or len(digits) < 4:
            written = (
                (r"(?<![^\W_])" if inner[0].isalnum() else "")
                + written
                + (r"(?![^\W_])" if inner[-1].isalnum() else "")
            )
        pattern = re.compile(written)
        folded = normal(text)  # as long as the text
        found = (pattern.match(folded, at) for at in range(len(folded)))
        spans += [(*match.span(), f"<{value}>") for match in found if match is not None]
    hidden, done, last = "", 0, ""
    for start, end, token in sorted(spans, key=lambda one: (one[0], -one[1])):
        if end > done:
            hidden += "" if start < done and token == last else text[done:start] + token
            done, last = end, token
    return hidden + text[done:]


TEXTS = st.text("ab1_ -+4711.@\u00e9", min_size=2, max_size=8)


def key(value: str) -> str:
    digits = re.sub(r"[^0-9]", "", value)
    if is_number_like(value) and len(digits) >= 4:
        return digits
    form = normal(value)
    inner = re.sub(r"^[\s_.+\-]+|[\s_.+\-]+$", "", form)
    return re.sub(r"[\s_.+\-]+", " ", inner) if len(inner) > 1 else form


@given(st.lists(TEXTS.map(str.strip).filter(lambda value: len(value) > 1), min_size=1, unique=True), st.lists(TEXTS))
def test_it_finds_what_patterns_find(values: list[str], around: list[str]) -> None:
    text = "".join(part + value for part, value in zip([*around, *values], [*values, *around], strict=True))
    first: dict[str, str] = {}
    for value in values:  # of two spellings of one value the first counts
        if len(re.sub(r"[^0-9]", "", value)) < 6:  # more may be a telephone number
            first.setdefault(key(value), value)
    assert an_index(*first.values()).replace(text) == by_patterns(list(first.values()), text)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([" ".join(["a"] * 40 + [str(number)]) for number in range(1_000)], " ".join(["a"] * 1_000)),
        (["-" * 90 + str(number % 10) + "+" * (number // 10) for number in range(1_000)], "-" * 1_000),
        (["@" + "#" * (number % 180) + str(number) for number in range(1_000)], "@" + "#" * 1_000),
        ([f"{number:06d}" for number in range(1_000)], " ".join(["1"] * 1_000)),
        ([f"+1555{number:07d}" for number in range(1_000)], "+1 555 " * 300),
    ],
)
def test_what_is_made_to_be_alike_costs_no_more_for_being_many(values: list[str], text: str) -> None:
    index = an_index(*values)
    index.replace(text)
    assert index.looked <= 2 * DEEPEST * len(text)


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
    before = few.looked, many.looked
    assert few.replace(LINE).count("pii:") == 2
    assert many.replace(LINE).count("pii:") == 3
    assert many.looked - before[1] <= few.looked - before[0] + 2
