"""Which states only say goodbye, so that their words are heard whole and the model gets no turn after them."""

from __future__ import annotations

import pytest

import callflow
from callflow.core.farewell import goodbyes
from callflow.core.queries import says_goodbye
from tests.support.play import Play

FLOW = """
callflow: 1
name: farewell
python: {wait_for_payment: {returns: {paid: boolean}, timeout: 10m}}
tools: {done: {description: They are done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [done]
    on: {tool.done: one}
  one: {ONE}
"""


def found(state: str) -> bool:
    return "one" in goodbyes(callflow.loads(FLOW.replace("{ONE}", state)))


@pytest.mark.parametrize(
    "state",
    [
        "{entry: [{say: Goodbye.}], on: {done: ending}}",
        "{entry: [{outcome: completed}, {generate_reply: Say goodbye.}], on: {done: ending, call.hangup: ending}}",
        "{entry: [{say: Goodbye.}, {python: wait_for_payment}], on: {done: ending}}",
        "{entry: [{say: Goodbye.}, wait_for_speech], on: {done: ending}, after: {20s: ending}}",
    ],
)
def test_a_state_that_says_something_and_is_done(state):
    assert found(state)


@pytest.mark.parametrize(
    "state",
    [
        "{instructions: Chat with them., entry: [{generate_reply: Talk.}], on: {done: ending}}",
        "{entry: [{generate_reply: Talk.}, {python: wait_for_payment}], on: {done: ending}}",
        '{entry: [{say: One moment.}, {transfer: "+15550100"}], on: {done: ending, transfer.failed: talking}}',
        "{entry: [{say: Pay by keys.}, {collect_digits: {max: 4}}], on: {done: ending, dtmf.*: ending}}",
        "{entry: [{say: Goodbye.}], tools: [done], on: {done: ending, tool.done: ending}}",
        "{entry: [{say: Goodbye.}], on: {done: talking}}",
    ],
)
def test_one_in_which_somebody_is_talked_with_or_waited_for(state):
    assert not found(state)


@pytest.mark.parametrize("before", [False, True])
def test_the_model_has_no_turn_in_the_ending_whatever_is_said_there(before) -> None:
    play = Play(
        "initial: talking\nending: over\nstates:\n  talking: {on: {dtmf.1: over}}\n"
        "  over: {entry: [{log: Over.}, drain], on: {done: closed}}\n  closed: {final: true}\n"
    )
    assert not says_goodbye(play.flow, play.last, before=before)
    play.send("dtmf.1", digit="1")
    assert play.doing == ["drain"]  # no speech has begun: that it is the ending is enough
    assert says_goodbye(play.flow, play.last, before=before)
    play.end("drain")
    assert says_goodbye(play.flow, play.last, before=before)
