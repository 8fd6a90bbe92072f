"""The catalogue of defects: each has an example that shows it and one that does not, and no code is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import callflow.flowfile
from callflow.core.expressions import PROBLEM_CODES
from callflow.flowfile.codes import CODES, whole
from callflow.flowfile.loader import read_loads
from callflow.verify import check as verify

WITH_EXAMPLE = [name for name, code in CODES.items() if code.wrong]
RIGHT = [name for name, code in CODES.items() if code.right]
WITHOUT_INITIAL_OR_STATES = {"empty-file", "not-a-mapping"}


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_the_wrong_example_shows_the_defect_alone(name):
    text = CODES[name].wrong
    _, defects = read_loads(text if name in WITHOUT_INITIAL_OR_STATES else whole(text))
    assert {defect.code for defect in defects} == {name}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_example_has_no_defect(name):
    flow, defects = read_loads(whole(CODES[name].right))
    assert defects == []
    assert flow is not None
    assert verify(flow) == []  # nor any of another kind, nor a warning


def test_every_code_that_is_raised_is_explained():
    raised = set(PROBLEM_CODES)
    for file in Path(callflow.flowfile.__file__).parent.glob("*.py"):
        if file.name == "codes.py":
            continue
        text = file.read_text()
        raised.update(re.findall(r'(?:defect|Finding|_stop|_Unreadable|Defect)\(\s*"([a-z][a-z0-9-]+)"', text))
        raised.update(re.findall(r'code = "([a-z][a-z0-9-]+)"', text))
    assert len(raised) > 70
    assert raised - CODES.keys() == set()


@pytest.mark.parametrize("name", CODES)
def test_explanations_are_sentences(name):
    code = CODES[name]
    assert code.title[0].isupper() or code.title[0] == "`"
    assert code.meaning.endswith(".")
