"""An `ending` of one's own that forgets to end: once such a call stayed for ever, past every limit."""

from __future__ import annotations

import pytest

from callflow.flowfile.loader import read_loads
from callflow.verify import check
from tests.support.play import Play

HEAD = "callflow: 1\nname: t\ninitial: a\nstates:\n  a: {entry: [{say: Hello.}], on: {dtmf.1: ending}}\n"


@pytest.mark.parametrize(
    "ending",
    [
        "{}",
        "{entry: [hang_up]}",
        "{entry: [{say: Goodbye.}], on: {dtmf.1: closed}}",
        "{entry: [{say: Goodbye.}], on: {done: a}}",
        "{entry: [hang_up], on: {failed: ending}}",
    ],
)
def test_an_ending_that_leads_to_no_final_state_is_found(ending):
    flow, _ = read_loads(f"{HEAD}  ending: {ending}\n", "flow.yaml")
    assert [(one.code, one.line) for one in check(flow)] == [("ending-never-over", 6)]


@pytest.mark.parametrize(
    "ending",
    [
        "{entry: [hang_up], on: {done: closed}}",
        "{entry: [{say: {text: Press any key., timeout: 4s}}], on: {dtmf.*: closed}, after: {5s: closed}}",
        "{initial: b, states: {b: {entry: [hang_up], on: {done: c}}, c: {final: true}}, on: {done: closed}}",
        "{entry: [hang_up], on: {done: [{target: closed, when: call.answered}, closed], failed: closed}}",
    ],
)
def test_an_ending_that_leads_to_one_is_not(ending):
    flow, defects = read_loads(f"{HEAD}  ending: {ending}\n", "flow.yaml")
    assert defects == []
    assert check(flow) == []


def test_an_ending_that_tries_itself_again_for_ever_is_left_by_force():
    play = Play(
        HEAD
        + """\
  ending:
    entry: [{http: "http://crm.example/"}, hang_up]
    on: {failed: ending, done: closed}
"""
    )
    play.send("call.hangup")
    play.stopped("say Hello.")
    for _ in range(1000):
        if play.phase != "running":
            break
        play.end("http", "failed", "nobody answers")
    assert play.trace.count("→ ending") == 99
    assert "the ending does not end" in str(play.last.snapshot.memory.fault)
    play.finish()
    assert (play.last.snapshot.ended, play.outcome) == (True, "hung_up")


def test_an_ending_may_try_a_few_times():
    play = Play(
        HEAD
        + """\
  ending:
    entry: [{http: "http://crm.example/"}, hang_up]
    on: {failed: [{target: ending, when: state.visits < 20}, closed], done: closed}
"""
    )
    play.send("call.hangup")
    play.stopped("say Hello.")
    for _ in range(19):
        play.end("http", "failed", "nobody answers")
    play.end("http")
    play.end("hang_up")
    play.finish()
    assert play.last.snapshot.memory.fault is None
    assert play.trace.count("→ ending") == 20
