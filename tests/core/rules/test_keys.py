"""Keys: whose they are while they are collected, and afterwards."""

from __future__ import annotations

import pytest

from callflow.core.events import Event
from callflow.core.snapshot import Forward
from callflow.core.step import step
from tests.support.play import Play

ASKS = """
callflow: 1
name: asks
initial: asking
on: {dtmf.*: {do: [{log: a key}]}}
states:
  asking:
    entry: [{collect_digits: {count: 2, terminator: "#", between_digits: 2s}}]
    on: {dtmf.input: listening, dtmf.*: {do: [{log: asked}]}}
  listening: {entry: [{log: listening}]}
"""


def logged(call):
    return [note["message"] for note in call.noted("log")]


def test_a_key_is_forwarded_to_whoever_collects_keys():
    call = Play(ASKS).send("dtmf.1", digit="1")
    assert call.last.effects == (Forward(1, Event("dtmf.1", {"digit": "1"}, call.time)),)
    assert call.noted("collected") == [{"event": "dtmf.1"}]
    assert logged(call) == []


@pytest.mark.parametrize("name", ["leg.human.dtmf.1", "dtmf.7"])
def test_afterwards_and_of_somebody_else_it_is_the_rows(name):
    call = Play(ASKS)
    if not name.startswith("leg."):
        call.end("collect_digits", result="input", digits="12", tries=1, ended_by="count")
    assert call.send(name).last.effects == ()


AFTER = [
    ("count", 1.9, "dtmf.pound", []),
    ("count", 2.0, "dtmf.pound", []),
    ("count", 2.1, "dtmf.pound", ["a key"]),
    ("count", 1.0, "dtmf.star", ["a key"]),
    ("terminator", 1.0, "dtmf.pound", ["a key"]),
    ("time", 1.0, "dtmf.pound", ["a key"]),
]


@pytest.mark.parametrize(("by", "seconds", "key", "heard"), AFTER)
def test_a_terminator_after_enough_keys_is_nobodys(by, seconds, key, heard):
    call = Play(ASKS).end("collect_digits", result="input", digits="12", tries=1, ended_by=by)
    call.wait(seconds).send(key)
    assert logged(call) == ["listening", *heard]
    assert bool(call.noted("needless")) is not bool(heard)


def test_any_key_ends_the_wait_for_it():
    call = Play(ASKS).end("collect_digits", result="input", digits="12", tries=1, ended_by="count")
    assert logged(call.send("dtmf.5").send("dtmf.pound")) == ["listening", "a key", "a key"]


def test_of_two_that_collect_keys_the_first_gets_them():
    two = """
callflow: 1
name: two
initial: both
states:
  both:
    parallel: true
    states:
      a: {initial: x, states: {x: {entry: [{collect_digits: {count: 1}}], on: {dtmf.*: y}}, y: {}}}
      b: {initial: x, states: {x: {entry: [{collect_digits: {count: 1}}], on: {dtmf.*: y}}, y: {}}}
"""
    call = Play(two).send("dtmf.1")
    assert [effect.id for effect in call.last.effects] == [1]


def test_one_that_was_cancelled_gets_none():
    leaves = ASKS.replace("dtmf.input: listening", "app.leave: listening, dtmf.input: listening")
    call = Play(leaves).send("app.leave").send("dtmf.1")
    assert call.last.effects == ()


def test_a_key_in_a_final_state_is_for_what_still_collects():
    late = ASKS.replace("dtmf.input: listening", "app.leave: over, dtmf.input: listening") + (
        "  over: {final: true, entry: [{collect_digits: {count: 1}}]}\n"
    )
    call = Play(late).send("app.leave")
    call.stopped("collect_digits")
    snapshot = call.last.snapshot
    done = step(call.flow, snapshot, Event("dtmf.1", {"digit": "1"}, call.time))
    assert [type(effect) for effect in done.effects] == [Forward]


def test_a_letter_ends_an_input_as_well():
    call = Play(ASKS.replace('"#"', '"A"')).end(
        "collect_digits", result="input", digits="12", tries=1, ended_by="count"
    )
    assert call.send("dtmf.a", digit="a").noted("needless") == [{"event": "dtmf.a"}]
    assert "a key" not in logged(call)
