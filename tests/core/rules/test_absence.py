"""A leg that has vanished: for how long it is waited for."""

from __future__ import annotations

import pytest

from tests.support.play import Play

WAITS = """
callflow: 1
name: waits
reconnect_grace: 5s
initial: talking
on: {leg.*: {do: [{log: a leg}]}}
states: {talking: {ignore: [call.dropped]}}
"""


def given_up(call):
    return [note["leg"] for note in call.noted("given_up")]


def test_whoever_stays_away_is_given_up():
    call = Play(WAITS).send("call.dropped").wait(4.9)
    assert given_up(call) == []
    assert given_up(call.wait(0.2)) == ["far_end"]
    assert given_up(call.wait(60)) == ["far_end"], "once"


@pytest.mark.parametrize("name", ["call.restored", "call.hangup", "room.disconnected"])
def test_what_ends_the_wait(name):
    assert given_up(Play(WAITS).send("call.dropped").wait(4).send(name).wait(60)) == []


def test_each_time_it_counts_anew():
    call = Play(WAITS).send("call.dropped").wait(4).send("call.restored").wait(1).send("call.dropped").wait(4.9)
    assert given_up(call) == []
    assert given_up(call.wait(0.2)) == ["far_end"]


def test_each_leg_for_itself_also_one_on_hold():
    call = Play(WAITS).send("leg.human.answered", leg="human").send("leg.other.answered", leg="other")
    call.send("leg.human.dropped", leg="human").wait(3).send("leg.other.dropped", leg="other")
    call.send("leg.other.restored", leg="other").send("call.dropped").wait(2.5)
    assert given_up(call) == ["human"]
    assert given_up(call.wait(3)) == ["human", "far_end"]


def test_unless_said_otherwise_12_s():
    call = Play(WAITS.replace("reconnect_grace: 5s\n", "")).send("call.dropped").wait(11.9)
    assert given_up(call) == []
    assert given_up(call.wait(0.2)) == ["far_end"]


def test_also_while_the_last_words_wait_for_them():
    over = WAITS.replace("ignore: [call.dropped]}", "on: {app.over: over}}").replace(
        "states: {", "states: {over: {final: true, entry: [{say: Goodbye.}]}, "
    )
    call = Play(over).send("call.dropped").send("app.over").wait(6)
    assert (call.phase, given_up(call)) == ("final", ["far_end"])
