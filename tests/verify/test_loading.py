"""`callflow.load` refuses what the checker refuses."""

from __future__ import annotations

import pytest

import callflow

HIDDEN = "callflow: 1\nname: deaf\ninitial: a\nstates: {a: {ignore: [call.hangup]}}\n"
WARNED = (
    "callflow: 1\nname: late\ninitial: a\nstates: {a: {entry: [{dial: {to: '+15551234567', trunk: t}}],"
    " on: {dial.answered: ending, dial.*: b}}, b: {after: {30s: a}}}\n"
)


def test_a_flow_that_hides_a_hang_up_does_not_load(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(HIDDEN)
    for load in (lambda **more: callflow.load(path, **more), lambda **more: callflow.loads(HIDDEN, **more)):
        with pytest.raises(callflow.FlowFileError, match="hidden-end") as refused:
            load()
        assert [one.code for one in refused.value.defects] == ["hidden-end"]
        assert load(check=False).name == "deaf"


def test_a_warning_keeps_nothing_from_running():
    assert callflow.loads(WARNED).name == "late"


def test_a_file_that_cannot_be_read_as_a_flow_is_refused_in_any_case():
    with pytest.raises(callflow.FlowFileError, match="missing-key"):
        callflow.loads("callflow: 1\n", check=False)
