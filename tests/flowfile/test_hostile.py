"""Whatever a text says, reading it raises nothing, ends soon, and names places that are in the text."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.table import table_of
from callflow.errors import Defect
from callflow.flowfile.codes import CODES, whole
from callflow.flowfile.loader import read_loads
from callflow.verify import check

FLOWS = Path(__file__).parents[2] / "flows"
TEXTS = [path.read_text() for path in sorted(FLOWS.glob("*.yaml"))]
TEXTS += [whole(example) for code in CODES.values() for example in (code.wrong, code.right) if example]
WORDS = sorted({word for text in TEXTS for word in re.findall(r"[\w.*-]+|[^\w\s]", text)})
SCRAPS = ["null", "~", "[]", "{}", "12", "1e999", '"', "'", "\t", "\n  ", "- ", ": ", "{{ x }}", '"{{ vars.x }}"', "&a ", "*a", "!x ", "<<: ", "\0", "\u2028", "? ", "|\n", "%", "\r"]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        line = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                text = text[:place] + text[place + chance.randint(0, 30) :]
            case 1:
                text = text[:place] + chance.choice(WORDS) + text[place:]
            case 2:
                text = text[:place] + chance.choice(SCRAPS) + text[place + chance.randint(0, 5) :]
            case 3:
                text = "\n".join([*lines[:line], *lines[line + 1 :]])
            case 4:
                text = "\n".join([*lines, lines[line]])
            case _:
                found = list(re.finditer(r"[\w.*-]+", text))
                if found:
                    word = chance.choice(found)
                    text = text[: word.start()] + chance.choice(WORDS) + text[word.end() :]
    return text


def judge(text: str) -> None:
    flow, defects = read_loads(text)
    assert (flow is None) == bool(defects)
    lines = len(re.split("\r\n|\r|\n", text))
    for defect in defects:
        assert isinstance(defect, Defect)
        assert defect.code in CODES
        assert 1 <= defect.line <= lines or defect.file != "<text>"
        assert (defect.end_line, defect.end_column) >= (defect.line, defect.column)
        assert "\n" not in defect.message + defect.hint
    if flow is not None:
        check(flow)
        assert table_of(flow) is table_of(flow)


@pytest.mark.parametrize("seed", range(8))
def test_flows_with_slips(seed):
    chance = random.Random(seed)
    for _ in range(60):
        judge(mutated(chance.choice(TEXTS), chance))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}\"'|>&*!%@`#,? \n\t0.~"), max_size=60))
def test_texts_of_signs(text):
    judge(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_texts_of_anything(text):
    judge(f"callflow: 1\nname: x\ninitial: a\nstates: {{a: {{entry: [{{say: {text}}}]}}}}\n")
