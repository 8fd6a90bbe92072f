"""The questions about a flow, and that nobody answers them a second time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import callflow
from callflow.core.flow import ROOT, Flow
from callflow.core.snapshot import Start
from callflow.core.statechart import action_lists, descriptors, reach, structure
from callflow.core.step import start
from callflow.errors import FlowFileError

PACKAGE = Path(callflow.__file__).parent

NESTED = """
callflow: 1
name: nested
initial: home
states:
  home:
    initial: hall
    on: {dial.*: away, dial.busy: {do: [{log: Busy.}]}}
    states:
      hall: {on: {done: pair}}
      pair:
        parallel: true
        states:
          left: {initial: one, states: {one: {on: {app.x: two}}, two: {final: true}}}
          right: {initial: one, states: {one: {on: {app.y: two}}, two: {final: true}}}
      back: {history: deep}
  away: {after: {5s: back_home}, ignore: [dtmf.*], on: {dtmf.1: home.back, done: home.pair.right.two}}
  back_home: {on: {done: home}}
"""


@pytest.fixture(scope="module")
def flow() -> Flow:
    return callflow.loads(NESTED, check=False)


def test_who_stands_where(flow):
    states = flow.states
    assert list(structure.around(states, "home.pair.left")) == ["home.pair.left", "home.pair", "home", ROOT]
    assert structure.inside("home.pair", "home")
    assert not structure.inside("home", "home")
    assert structure.within("home", "home")
    assert not structure.within("homely", "home")
    pair = [path for path in states if path.startswith("home.pair")]
    assert sorted(structure.beside(states, "home.pair.left.one")) == sorted(pair)
    assert sorted(structure.beside(states, "home.pair")) == sorted(pair)
    assert list(structure.beside(states, "home")) == list(structure.beside(states, "away")) == []
    assert list(structure.subtree(states, "home.pair.right")) == [
        "home.pair.right",
        "home.pair.right.one",
        "home.pair.right.two",
    ]


def test_what_is_entered(flow):
    states = flow.states
    assert list(structure.entered(states, "home")) == ["home", "home.hall"]
    assert list(structure.entered(states, "home.pair.right.two")) == [
        "home.pair.right.two",
        "home.pair.right",
        "home.pair",
        "home",
    ]
    assert structure.inward(states["home.pair"]) == ("home.pair.left", "home.pair.right")
    assert structure.leaf(states, "home") == "home.hall"
    assert structure.leaf(states, "home.pair") == "home.pair"


def test_which_row_is_asked_first(flow):
    assert [row.pattern for row in descriptors.asked(flow.states["home"].rows, "dial.busy")] == ["dial.busy", "dial.*"]
    assert list(descriptors.candidates(flow.states["away"].rows, "dtmf.2")) == [None]
    assert descriptors.best(["app.*", "app.crm.*", "app.crm.found"], "app.crm.lost") == "app.crm.*"
    assert descriptors.best(["dial.*"], "amd.human") is None


def test_where_rows_lead():
    lost = "callflow: 1\nname: t\ninitial: a\nstates: {a: {on: {done: b}}, b: {initial: c, states: {c: {}, d: {}}}}\n"
    with pytest.raises(FlowFileError, match="nothing leads to the state `d`"):
        callflow.loads(lost, check=False)


def test_always_rows_that_stay_or_lead_round():
    head = "callflow: 1\nname: t\ninitial: a\nstates:\n"
    round_about = callflow.loads(head + "  a: {always: b}\n  b: {initial: c, states: {c: {always: a}}}\n", check=False)
    assert [[(leaf, move.target) for leaf, move in circle] for circle in reach.endless(round_about.states)] == [
        [("a", "b"), ("b.c", "a")]
    ]
    stays = head + "  a: {always: [{target: b, when: state.visits > 2}, {do: [{log: Again.}]}]}\n  b: {}\n"
    with pytest.raises(FlowFileError) as caught:
        callflow.loads(stays, check=False)
    assert [one.code for one in caught.value.defects] == ["endless-always"]


def test_each_effect_leads_back_to_its_action():
    flow = callflow.loads(
        "callflow: 1\nname: t\ninitial: a\nstates:\n  a:\n    entry: [{log: Here.}, {say: Hello.}]\n", check=False
    )
    (effect,) = (one for one in start(flow).effects if isinstance(one, Start))
    action = action_lists.action_at(flow, effect.source)
    assert action is not None
    assert action.verb == "say"
    assert action is flow.states["a"].entry[1]
    assert action_lists.place_at(flow, effect.source) == "<text>:6"
    assert action_lists.action_at(flow, ("entry", "gone", 0)) is None
    assert action_lists.place_at(flow, ("closing", "", 0)) == ""


SAID_ONCE = {
    "a descriptor's wildcard": r'endswith\(\(?"(\.|-)?\*"|\[-2:\] in|rstrip\("\*"\)',
    "the precedence of rows": r"-len\(\w+\.pattern\)|level != \"inner\"",
    "whether a state is inside another": r"startswith\((f\"\{(?!error\.)[\w.]+\}\.\"|\w+ \+ \"\.\")\)",
    "what ends the call": r'kind == "final" and \w+\.parent == ',
    "a list by its kind and key": r"transitions\[int\(\w*\.?key\)\]\.actions",
    "what the flow listens to": r"row\.pattern for state in ",
}


@pytest.mark.parametrize("question", SAID_ONCE)
def test_nobody_answers_a_second_time(question):
    wrong = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "statechart" not in path.parts and path.parent.name not in ("expressions", "testing")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(SAID_ONCE[question], line)
    ]
    assert wrong == []
