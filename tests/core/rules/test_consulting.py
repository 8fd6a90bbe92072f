"""How a human decides: the key and the tool that an effect waits for."""

from __future__ import annotations

import pytest

from callflow.core.snapshot import Forward
from tests.support.play import Play

ASKS = """
callflow: 1
name: asks
tools: {take_call: {description: Yes.}, other: {description: Else., run: {http: https://example.com}}, slow: {description: Yes., run: {http: https://example.com}}}
initial: asking
on: {leg.human.dtmf.1: {do: [{log: one}]}, tool.*: {do: [{log: told}]}}
states:
  asking:
    tools: [take_call, other, slow]
    entry: [{consult: {to: "+15550100100", trunk: ST_1, accept: {key: "1", tool: take_call}, decline: {key: "*", tool: slow}}}]
    on: {consult.*: over, app.leave: over}
  over: {}
"""


def forwarded(call):
    return [(effect.id, effect.event.name) for effect in call.last.effects if isinstance(effect, Forward)]


def answered(text=ASKS):
    return Play(text).send("leg.human.answered", leg="human")


def replies(call):
    return [note["reply"] for note in call.noted("tool_returned")]


@pytest.mark.parametrize("key", ["1", "star"])
def test_a_key_of_the_human_decides_and_a_row_hears_it_too(key):
    call = answered().send(f"leg.human.dtmf.{key}", leg="human")
    assert forwarded(call) == [(1, f"leg.human.dtmf.{key}")]
    assert len(call.noted("log")) == (key == "1")


@pytest.mark.parametrize("name", ["leg.human.dtmf.2", "leg.other.dtmf.1", "dtmf.1", "leg.human.ringing"])
def test_nothing_else_decides(name):
    assert forwarded(answered().send(name)) == []


def test_nobody_decides_who_is_not_on_the_line():
    assert forwarded(Play(ASKS).send("leg.human.ringing", leg="human").send("leg.human.dtmf.1")) == []
    assert forwarded(Play(ASKS).send("tool.take_call", id="t")) == []
    assert forwarded(answered().send("leg.human.hangup", leg="human").send("leg.human.dtmf.1")) == []


def test_a_tool_that_decides_gives_the_model_no_further_turn():
    call = answered().send("tool.take_call", id="t")
    assert (forwarded(call), replies(call)) == ([(1, "tool.take_call")], [False])
    before = Play(ASKS).send("tool.take_call", id="t")
    assert replies(before) == [True]


def test_a_tool_with_a_run_decides_once_that_has_succeeded():
    call = answered().send("tool.slow", id="t")
    assert forwarded(call) == []
    call.end("http https://example.com")
    assert (forwarded(call), replies(call)) == ([(1, "tool.slow")], [False])


def test_one_that_fails_does_not():
    call = answered().send("tool.slow", id="t").end("http https://example.com", "failed", "refused")
    assert (forwarded(call), replies(call)) == ([], [True])


def test_another_tool_of_the_same_turn_does_not():
    call = answered().send("tool.other", id="t").end("http https://example.com")
    assert (forwarded(call), replies(call)) == ([], [True])


def test_nothing_decides_once_the_state_was_left():
    assert forwarded(answered().send("app.leave").send("leg.human.dtmf.1")) == []
