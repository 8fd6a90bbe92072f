"""Whoever changes a line changes what is said of it."""

from __future__ import annotations

import pytest

from tests.mutation.survivors import reason, reasons, source
from tests.mutation.trying import ROOT, Change, files, suite_of


@pytest.mark.parametrize(("function", "was", "now"), sorted(reasons()))
def test_a_reason_is_given_for_a_line_that_is_there(function, was, now):
    assert was in source(function), f"survivors.yaml: {function} has no such line any more"
    assert was != now
    assert len(reasons()[function, was, now]) > 10


def test_only_what_has_a_reason_may_go_unnoticed():
    assert reason(Change("callflow.core.clocks.arm", ("x = 1",), ("x = 2",))) == ""


def test_every_file_has_tests_that_are_there():
    of = {file: suite_of(file) for file in files()}
    assert {file.split("/")[1] for file in of} == {"core", "runtime", "verify"}
    assert all((ROOT / test.removeprefix("--ignore=")).exists() for tests in of.values() for test in tests)
    with pytest.raises(ValueError, match="is no file of"):
        suite_of("callflow/proof/prove.py")
