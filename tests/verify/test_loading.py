"""`callflow.load` refuses what the checker refuses."""

from __future__ import annotations

import pytest

import callflow
from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read_loads
from callflow.verify import RULES, WARNING, check
from callflow.verify.codes import CODES

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


@pytest.mark.parametrize("name", CODES)
def test_what_load_refuses_are_the_errors_that_check_tells(name):
    """`load` leaves out the rules that only warn: of each code's example it finds every error, in the same order."""
    flow, _ = read_loads(whole(CODES[name].wrong))
    assert flow is not None
    assert check(flow, warnings=False) == [one for one in check(flow) if one.level == "error"]


def test_a_rule_that_only_warns_refuses_nothing():
    told = {}
    for code in CODES.values():
        flow, _ = read_loads(whole(code.wrong))
        assert flow is not None
        for rule in RULES:
            for one in rule(flow):
                told.setdefault(rule, set()).add(one.level)
    assert {rule for rule, levels in told.items() if levels == {"warning"}} == WARNING
