"""Whoever is at the far end, on every shipped flow: the call comes to its end, and what was played passes as a scenario."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

import callflow
from callflow.play import Played, beginning
from callflow.play.callers import MOST, Acting, callers
from callflow.play.recording import recorded
from callflow.scenario import play, reads, write

ROOT = Path(__file__).parents[2]
FLOWS = {path.stem: callflow.load(path) for path in sorted((ROOT / "flows").glob("*.yaml"))}
CASES = [(flow, name) for flow, loaded in FLOWS.items() for name in callers(loaded)]


def whole(flow, name):
    """A whole call with this one at the far end."""
    who = callers(FLOWS[flow])[name]
    played = Played(attrs.evolve(beginning(FLOWS[flow]), effects=who.effects))
    acting = Acting(played, who)
    for _ in range(MOST):
        if played.over or not acting.go_on():
            break
    return played


@pytest.mark.parametrize(("flow", "name"), CASES)
def test_each_comes_to_its_end_and_is_recorded(flow, name):
    played = whole(flow, name)
    assert played.over
    scenario = recorded(played, "a call")
    assert not scenario.exactly
    [read], defects = reads(write(scenario), flows=FLOWS[flow])
    assert defects == []
    again = play(read)
    assert again.failure is None
    assert again.record.outcome == played.call.record().outcome
    assert [one.step.event for one in again.taken] == [one.step.event for one in played.call.taken]


OUTCOMES = {
    ("inbound", "says_nothing"): "abandoned",
    ("inbound", "talks"): "transferred",
    ("inbound", "colleague_busy"): "message_taken",
    ("inbound", "hangs_up_at_once"): "hung_up",
    ("inbound", "hangs_up_while_spoken_to"): "hung_up",
    ("inbound", "vanishes"): "hung_up",
    ("outbound", "talks"): "completed",
    ("outbound", "busy"): "busy",
    ("outbound", "no_answer"): "no_answer",
    ("outbound", "declines"): "declined",
    ("outbound", "invalid"): "invalid",
    ("outbound", "fails"): "failed",
    ("outbound", "voicemail"): "voicemail",
    ("outbound", "menu"): "machine",
    ("outbound", "keeps_talking"): "timed_out",
    ("keypad-menu", "presses_wrong_keys"): "abandoned",
}


@pytest.mark.parametrize(("flow", "name"), OUTCOMES)
def test_what_becomes_of_it(flow, name):
    assert whole(flow, name).call.record().outcome == OUTCOMES[flow, name]


def test_those_are_offered_that_make_sense():
    assert {"busy", "voicemail"} <= {*callers(FLOWS["outbound"])}
    assert not {"busy", "voicemail", "presses_wrong_keys"} & {*callers(FLOWS["inbound"])}
    assert "presses_wrong_keys" in callers(FLOWS["keypad-menu"])


@pytest.mark.parametrize(
    ("flow", "name"),
    [("outbound", "hangs_up_at_once"), ("voicemail", "hangs_up_at_once"), ("inbound", "interrupts"), ("hand-over", "keeps_talking")],
)  # fmt: skip
def test_what_was_played_on_the_pure_core_is_so_in_a_room(flow, name):
    """Also where two things are at one moment on the pure core, or one ends as the other begins."""
    from callflow.testing.scenario import play_in_rooms

    assert play_in_rooms(recorded(whole(flow, name), "a call")).failure is None


def test_who_hangs_up_at_once_does_so_after_the_answer_whenever_that_is():
    assert write(recorded(whole("outbound", "hangs_up_at_once"), "a call")).partition("steps:\n")[2].split("\n")[
        :2
    ] == [
        "      - expect: {state: screening}",
        "      - now: call.hangup",
    ]
