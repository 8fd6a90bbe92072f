"""How the world goes on where a scenario says nothing: what is handed over leaves, what cannot be heard waits, and so on."""

from __future__ import annotations

from callflow.core.events import Event
from tests.scenario.test_playing import played

PLAIN = """
callflow: 1
name: plain
initial: a
states:
  a: {entry: [{say: One moment please.}], on: {done: b}}
  b: {after: {60s: ending}}
"""

HANDED = """
callflow: 1
name: handed
initial: a
states:
  a:
    entry: [{say: {text: I am putting you through now., wait: false}}, {transfer: "+15550100100"}]
    on: {transfer.*: ending}
"""

SIDE_BY_SIDE = """
callflow: 1
name: side-by-side
initial: both
states:
  both:
    parallel: true
    on: {done: ending}
    states:
      one:
        initial: asking
        states:
          asking: {entry: [{http: https://example.com/1}], on: {done: fine, failed: bad}}
          fine: {final: true}
          bad: {final: true}
      two:
        initial: asking
        states:
          asking: {entry: [{http: https://example.com/2}], on: {done: fine, failed: bad}}
          fine: {final: true}
          bad: {final: true}
"""


def times(result, name: str) -> list[float]:
    return [one.time for one in result.taken if isinstance(one.step.event, Event) and one.step.event.name == name]


def test_whoever_was_put_through_leaves_once_all_was_said():
    result = played("expect: {ended: true, heard: [I am putting you through now.]}", HANDED)
    assert result.failure is None
    assert times(result, "call.hangup") == [7.45]  # 29 letters, and six seconds
    [left] = [one for one in result.inputs if isinstance(one, Event) and one.name == "call.hangup"]
    assert (left.data["by"], left.data["cause"]) == ("agent", "transferred")


def test_what_our_own_outage_cuts_is_said_again_from_its_start():
    body = """
        steps:
          - 500ms: room.reconnecting
          - 5s: room.reconnected
          - expect: {state: a, heard: [One moment please.], at: 5900ms}
        expect: {ended: true, heard: [One moment…, One moment please.]}
    """
    assert played(body, PLAIN).failure is None


def test_what_is_said_waits_until_it_is_known_who_has_answered():
    flow = """
callflow: 1
name: dials
initial: a
states:
  a:
    entry: [{dial: {to: "+15550100100", trunk: ST_1, detect_machine: true}}]
    on: {dial.answered: b, dial.*: ending}
  b: {entry: [{say: Hello.}], on: {amd.*: c}}
  c: {entry: [{say: Good day.}], on: {done: ending}}
"""
    body = """
        effects: {detect_machine: {result: human, after: 5s}}
        expect: {ended: true, heard: [Good day.]}
    """
    assert played(body, flow).failure is None


def test_a_step_ends_one_effect_and_the_other_ends_by_itself():
    body = "steps: [{3s: {http: failed}}]\nexpect: {ended: true, states: [one.asking, two.asking, two.fine, one.bad, ending, closed]}"
    assert played(body, SIDE_BY_SIDE).failure is None


def test_effects_end_one_after_the_other_as_they_are_said_to():
    body = "effects: {http: [{status: 404}, {status: 200}]}\nexpect: {ended: true, states: [one.asking, two.asking, one.bad, two.fine, ending, closed]}"
    assert played(body, SIDE_BY_SIDE).failure is None


CONSULTED = """
callflow: 1
name: consulted
initial: asking
states:
  asking:
    entry: [{consult: {to: "+15550100100", trunk: ST_1, leg: human, briefing: A caller for you.}}]
    on: {consult.*: ending}
"""


def test_nobody_tells_of_who_leaves_a_room_that_is_gone():
    found = played(
        """
        steps: [leg.human.answered, {now: job.shutdown}, {now: {room.disconnected: {reason: ROOM_DELETED}}}]
        expect: {ended: true}
        """,
        CONSULTED,
    )
    assert found.failure is None
    events = [one.step.event.name for one in found.taken if isinstance(one.step.event, Event)]
    assert events[-2:] == ["job.shutdown", "room.disconnected"]
