"""What `check` demands beside well-formedness."""

from __future__ import annotations

import pytest

from callflow.flowfile import loads
from callflow.flowfile.codes import CODES as FILE_CODES
from callflow.flowfile.codes import whole
from callflow.verify import check
from callflow.verify.codes import CODES


def found(text: str):
    return [(defect.code, defect.line) for defect in check(loads(whole(text)))]


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_shows_the_defect_alone(code):
    assert {name for name, _ in found(CODES[code].wrong)} == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_has_no_defect(code):
    assert found(CODES[code].right) == []


def test_codes_are_not_used_twice():
    assert not CODES.keys() & FILE_CODES.keys()
