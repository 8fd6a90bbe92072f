"""Soundness by experiment: calls at random, of nothing but what can happen, never do what was proved impossible.

More than `make test` plays: `make more`; 100,000 calls, with a table: `make sound`.
"""

from __future__ import annotations

import os
from itertools import islice

import pytest

import callflow
from callflow.proof.prove import prove
from callflow.proof.world import World
from tests.proof.sound.experiment import Tried, played, tried
from tests.proof.sound.flows import SHIPPED, flow_of, names, random_names
from tests.support.play import HEAD

CALLS = int(os.environ.get("CALLFLOW_SOUND", "8"))
"""Of each flow."""

SHARE = [
    *(f"shipped:{name}" for name in SHIPPED),
    *[name for name in names() if not name.startswith("shipped:")][::40],
    *islice(random_names(), 5),
]


@pytest.mark.parametrize("name", SHARE)
def test_no_call_does_what_was_proved_impossible(name: str) -> None:
    assert tried(name, CALLS).problems == ()


@pytest.mark.parametrize(("name", "bound"), [("outbound", 16), ("voicemail", 31), ("smallest", 11)])
def test_the_worst_silence_comes_close_to_the_bound(name: str, bound: int) -> None:
    found = tried(f"shipped:{name}", 150)
    assert found.quiet[0] == bound
    assert found.quiet[1] >= 0.9 * bound


def test_a_good_part_of_what_is_played_is_of_flows_that_are_proved() -> None:
    every = [name for name in names() if not name.startswith(("faulty", "mended"))]
    assert sum(flow_of(name) is not None for name in every) > 60
    made = [flow_of(name) for name in islice(random_names(), 40)]
    assert sum(flow is not None for flow in made) > 35


def of(text: str, calls: int = 150) -> Tried:
    flow = callflow.loads(HEAD + text, check=False)
    return played("a flow", flow, prove(flow), calls, 0)


TWO = """
initial: asking
states:
  asking: {entry: [{http: {url: "https://example.com", timeout: 9s, optional: true}}], on: {done: talking}}
  talking: {entry: [{say: Hello.}, {collect_digits: {count: 1, first_digit: 4s, tries: 1}}], on: {dtmf.*: ending}}
"""


def test_what_was_left_out_of_a_proof_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The experiment itself: with an explorer to which nobody hangs up, or nothing fails."""
    assert of(TWO).problems == ()
    for left_out in ("call.hangup", "failed"):
        with monkeypatch.context() as patch:
            happens = World.happens

            def fewer(self, *now, left_out=left_out, happens=happens):
                return (
                    one
                    for one in happens(self, *now)
                    if left_out not in (getattr(one, "name", ""), getattr(one, "status", ""))
                )

            patch.setattr(World, "happens", fewer)
            assert of(TWO).problems != (), left_out


def test_a_silence_and_a_call_longer_than_told_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.proof.sound.experiment.bounds", lambda exploration: (5, 5))
    told = " ".join(of(TWO).problems)
    assert "far_end has heard nothing for" in told
    assert "the call has gone on for" in told


def test_what_is_closed_by_force_counts_after_a_hang_up() -> None:
    """`drain`, `delete_room` and `aclose` fail in their times, and what is open then is closed within its own."""
    found = tried("shipped:look-up", 150)
    assert found.after[0] == 130
    assert found.after[1] > 70


def test_a_line_that_was_left_to_two_may_fail_to_be_left() -> None:
    text = """
env: [TRUNK, NUMBER]
initial: asking
states:
  asking: {entry: [{dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", leg: human}}], on: {dial.answered: three, dial.*: ending}}
  three: {entry: [stand_by], on: {failed: sorry, done: ending}}
  sorry: {entry: [{say: Sorry.}], on: {done: ending}}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    assert any(node.snapshot.configuration == ("sorry",) for node in proof.exploration.nodes)
    assert played("a flow", flow, proof, 150, 0).problems == ()


def test_after_a_time_out_what_closes_is_still_our_own_doing() -> None:
    text = """
initial: talking
states:
  talking: {entry: [{say: Hello.}], on: {done: leaving}}
  leaving: {entry: [aclose], on: {done: later, failed: ending, session.close: ending}}
  later: {after: {20s: ending}, on: {session.close: gone}}
  gone: {after: {5s: ending}}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    closing = {
        node.snapshot.memory.closing for node in proof.exploration.nodes if node.snapshot.configuration == ("later",)
    }
    assert {frozenset(), frozenset({"session", "speech"})} <= closing
    assert played("a flow", flow, proof, 150, 0).problems == ()


@pytest.mark.parametrize(
    ("around", "verb"),
    [
        ("after: {20s: {do: [{say: Still there.}]}}", "say"),
        ("every: {40s: {do: [{say: Going on.}]}}", "say"),
        ("silence: {10s: {do: [{say: Are you there?}]}, 30s: ending}", "say"),
        ("on: {failed: {do: [{say: Sorry.}]}}", "say"),
        ("on: {room.reconnected: {do: [{say: Back again.}]}}", "say"),
        ("on: {dtmf.1: {do: [{say: One.}]}}", "say"),
        ('on: {call.dropped: {do: [{http: {url: "https://example.com", timeout: 9s, optional: true}}]}}', "http"),
        ('on: {amd.*: {do: [{http: {url: "https://example.com", timeout: 9s, optional: true}}]}}', ""),
    ],
)
def test_rows_around_the_ending_do_in_it_what_they_say(around: str, verb: str) -> None:
    text = f"""
initial: asking
{around}
states:
  asking: {{entry: [{{say: Hello.}}], on: {{done: ending}}}}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    assert proof.finished
    ending = [node for node in proof.exploration.nodes if node.snapshot.configuration == ("ending",)]
    begun = {
        effect.verb for node in ending for effect in node.snapshot.memory.effects.values() if effect.source[0] == "stay"
    }
    assert begun == ({verb} if verb else set())
    assert not {"nobody-left", "speech-after-drain", "question-then-over"} & {one.defect.code for one in proof.findings}
    assert played("a flow", flow, proof, 150, 0).problems == ()


def test_events_that_the_ending_itself_hears_come_in_it() -> None:
    text = """
initial: asking
ending: bye
states:
  asking: {entry: [{say: Hello.}], on: {done: bye}}
  bye:
    entry: [{say: Goodbye.}, {http: {url: "https://example.com", timeout: 9s, optional: true}}]
    on: {done: over, session.close: over, job.shutdown: over, room.reconnected: {do: [{say: Back.}]}}
    after: {30s: over}
  over: {final: true}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    ending = [node for node in proof.exploration.nodes if node.snapshot.configuration == ("bye",)]
    taken = {edge.input.name for node in ending for edge in node.edges if getattr(edge.input, "name", "")}
    assert taken >= {"session.close", "job.shutdown", "room.reconnected"}
    assert "row-never-taken" not in {one.defect.code for one in proof.findings}
    assert played("a flow", flow, proof, 300, 0).problems == ()


def test_who_was_on_the_line_is_known_to_the_end() -> None:
    """What the ending, an owed list and `wrap_up` read of the far end."""
    text = """
initial: talking
on: {call.hangup: {target: ending, do: [{http: {url: "https://example.com/{{ call.number }}", timeout: 9s, optional: true}}]}}
wrap_up: [{http: {url: "https://example.com/{{ call.number }}", timeout: 9s, optional: true}}]
states:
  talking: {entry: [{say: Hello.}], on: {done: ending}}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    begun = {
        effect.source[0]
        for node in proof.exploration.nodes
        for effect in node.snapshot.memory.effects.values()
        if effect.verb == "http"
    }
    assert begun == {"do", "wrap_up"}
    assert played("a flow", flow, proof, 150, 0).problems == ()


def test_a_key_breaks_a_silence_where_nobody_listens_any_more() -> None:
    text = """
initial: talking
on: {session.close: {target: alone}}
limits: {silence: 2m}
states:
  talking: {entry: [{say: Hello.}], silence: {20s: alone}}
  alone: {silence: {30s: ending}, after: {100s: ending}}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    closed = [
        node
        for node in proof.exploration.nodes
        if node.snapshot.configuration == ("alone",) and "conversation" not in node.facts
    ]
    assert any(getattr(edge.input, "name", "").startswith("dtmf.") for node in closed for edge in node.edges)
    assert played("a flow", flow, proof, 300, 0).problems == ()


def test_a_connection_that_went_before_a_state_may_come_back_in_it() -> None:
    text = """
initial: talking
states:
  talking: {entry: [{say: Hello.}], on: {done: waiting}}
  waiting: {entry: [{say: Please wait.}], on: {room.reconnected: back}, after: {20s: ending}}
  back: {entry: [{say: Back.}], on: {done: ending}}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    before = [node for node in proof.exploration.nodes if node.snapshot.configuration == ("talking",)]
    assert any(getattr(edge.input, "name", "") == "room.reconnecting" for node in before for edge in node.edges)
    assert played("a flow", flow, proof, 300, 0).problems == ()


def test_what_was_told_once_is_not_told_again() -> None:
    """A worker closes once, also where no row hears of it then."""
    text = """
standard: false
ending: bye
initial: deaf
states:
  deaf: {after: {10s: hearing}}
  hearing: {on: {job.shutdown: bye}, after: {10s: bye}}
  bye: {on: {done: over}}
  over: {final: true}
"""
    flow = callflow.loads(HEAD + text, check=False)
    proof = prove(flow)
    hearing = [node for node in proof.exploration.nodes if node.snapshot.configuration == ("hearing",)]
    assert {"job" in node.facts for node in hearing} == {True, False}
    assert played("a flow", flow, proof, 150, 0).problems == ()
