"""What scenarios take of a flow; a row counts only where a scenario would fail without it."""

from __future__ import annotations

from pathlib import Path

import callflow
from callflow.coverage import Coverage, Meter, took
from callflow.coverage.table import missing, table
from callflow.scenario import load, play, reads

FLOW = """\
callflow: 1
name: shop
vars: {tries: {type: integer, default: 0}}
outcomes: [abandoned]
tools:
  person: {description: They want a person.}
  end_call: {description: They are done.}
initial: talking
states:
  talking:
    entry: [{say: Hello.}]
    tools: [person, end_call]
    silence:
      10s: {do: [{say: Are you there?}]}
    on:
      tool.person:
        - {target: putting_through, when: vars.tries < 1, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}
        - {target: ending, do: [{outcome: abandoned}]}
      tool.end_call: {target: ending, do: [{outcome: completed}]}
      call.hangup: ending
  putting_through:
    entry: [{transfer: {to: "+15550100100"}}]
    on:
      transfer.completed: {target: ending, do: [{outcome: transferred}]}
      transfer.failed: talking
"""


def measured(scenarios: str, text: str = FLOW) -> Coverage:
    flow = callflow.loads(text, "<shop>")
    each, defects = reads("callflow: 1\nflow: shop.yaml\nscenarios:\n" + scenarios, flows=flow)
    assert defects == []
    meter = Meter()
    for one in each:
        meter.see(one, took(play(one)))
    return meter.coverage()


def kinds(coverage: Coverage, kind: str) -> dict[str, bool]:
    """By what it is and where, whether it counts."""
    [file] = coverage.files
    return {f"{one.thing.line} {one.thing.what}": one.counts for one in file.of(kind)}


DONE = "  done:\n    steps: [tool: end_call]\n    expect: {outcome: completed}\n"


def test_what_is_taken_and_expected_counts():
    coverage = measured(DONE)
    assert kinds(coverage, "row") == {
        "14 silence 10s": False, "17 tool.person": False, "18 tool.person": False, "19 tool.end_call": True,
        "20 call.hangup": False, "24 transfer.completed": False, "25 transfer.failed": False,
    }  # fmt: skip
    assert (coverage.rows, round(coverage.percent, 1)) == ((1, 7), 14.3)
    assert kinds(coverage, "state") == {"10 talking": True, "21 putting_through": False}
    assert kinds(coverage, "tool") == {"6 person": False, "7 end_call": True}
    assert kinds(coverage, "timer") == {"14 silence 10s": False}


def test_a_row_that_is_taken_and_that_nobody_would_miss_is_told_apart():
    silent = "  silence:\n    steps: [{expect: {heard: Hello.}}, {wait: 12s}, {tool: end_call}]\n"
    coverage = measured(silent)
    [file] = coverage.files
    taken = [one for one in file.of("row") if one.scenarios]
    assert [(one.thing.what, one.unmissed, one.counts) for one in taken] == [
        ("silence 10s", True, False),
        ("tool.end_call", True, False),
    ]
    asserted = measured(silent + '  asked:\n    steps: [{expect: {heard: "Are you there?", within: 12s}}]\n')
    assert kinds(asserted, "row")["14 silence 10s"]
    found = next(one for one in asserted.files[0].of("row") if one.thing.what == "silence 10s")
    assert (found.scenarios, found.asserted) == (("silence", "asked"), "asked")


def test_a_row_counts_not_where_another_one_does_the_same():
    """The standard row of the top level leads there too."""
    hung_up = "  leaves:\n    steps: [{4s: call.hangup}]\n    expect: {states: [talking, ending, closed]}\n"
    assert not kinds(measured(hung_up), "row")["20 call.hangup"]


def test_a_scenario_that_fails_covers_nothing():
    assert measured("  done:\n    steps: [tool: end_call]\n    expect: {outcome: transferred}\n").rows == (0, 7)


def test_guards_count_by_what_they_say_and_actions_by_how_they_end():
    twice = """\
  twice:
    effects: {transfer: failed}
    steps: [{tool: person}, {tool: person}]
    expect: {outcome: abandoned, states: [talking, putting_through, talking, ending, closed]}
"""
    coverage = measured(twice)
    assert kinds(coverage, "guard") == {"17 false": True, "17 true": True}
    assert kinds(coverage, "result") == {"22 transfer.completed": False, "22 transfer.failed": True}
    once = "  once:\n    steps: [{tool: person}]\n    expect: {outcome: transferred}\n"
    assert kinds(measured(once), "guard") == {"17 false": False, "17 true": True}
    assert kinds(measured(once), "result") == {"22 transfer.completed": True, "22 transfer.failed": False}


def test_a_timer_or_one_of_its_rows_is_taken_out():
    """The rest of them keep their places."""
    text = FLOW.replace(
        "      10s: {do: [{say: Are you there?}]}\n",
        "      10s: {do: [{say: Are you there?}]}\n      20s: ending\n",
    )
    both = '  says nothing:\n    expect: {heard: [Hello., "Are you there?"], ended: {by: agent}, at: [20s, 25s]}\n'
    assert kinds(measured(both, text), "row")["14 silence 10s"]
    assert kinds(measured(both, text), "row")["15 silence 20s"]


def test_a_sub_flow_is_covered_by_its_own_lines_whoever_uses_it(tmp_path):
    (tmp_path / "inner.yaml").write_text("""\
callflow: 1
name: inner
standard: false
tools: {agree: {description: Yes.}, refuse: {description: No.}}
initial: asking
states:
  asking: {entry: [{say: Well?}], tools: [agree, refuse], on: {tool.agree: good, tool.refuse: bad}}
  good: {final: true}
  bad: {final: true}
""")
    (tmp_path / "outer.yaml").write_text("""\
callflow: 1
name: outer
use: {inner: inner.yaml}
initial: first
states:
  first: {flow: inner, on: {done: second}}
  second: {flow: inner, on: {done: {target: ending, do: [{outcome: completed}]}}}
""")
    (tmp_path / "a.scenario.yaml").write_text("""\
callflow: 1
flow: outer.yaml
scenarios:
  a: {steps: [{tool: agree}, {tool: refuse}], expect: {states: [..., first.good, second.asking, second.bad, ending, closed], outcome: completed}}
""")
    meter = Meter()
    for one in load(tmp_path / "a.scenario.yaml"):
        result = play(one)
        assert result.failure is None
        meter.see(one, took(result))
    shares = {Path(one.file).name: (one.share("row"), one.share("state")) for one in meter.coverage().files}
    assert shares == {"inner.yaml": ((2, 2), (3, 3)), "outer.yaml": ((2, 2), (2, 2))}


def test_the_table_tells_of_each_file_which_lines_are_missing():
    coverage = measured(DONE)
    assert [*table(coverage)] == [
        "Flow     Rows   Miss   Cover   States   Guards   Results   Timers   Tools   Missing",
        "-" * 96,
        "<shop>      7      6     14%      1/2      0/2       0/2      0/1     1/2   14, 17-18, 20, 24-25",
    ]
    assert [*missing(coverage)][:4] == [
        "",
        "<shop>",
        "   6  no scenario calls the tool `person`",
        "  14  no scenario takes the row `silence 10s`",
    ]
