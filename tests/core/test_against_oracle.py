"""The core against a second interpreter of the language, on random flows and scripts: `oracle/`.

More than `make test` runs: `CALLFLOW_ORACLE_RUNS=5000 pytest tests/core/test_against_oracle.py`. What fails prints its
flow and its script; both go into `agree(flow, *script)` as they are, and stay as a test with a name.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.core.codec import from_json, to_json
from callflow.core.events import DIGITS, EVENTS, EffectEnded, Event, TimerFired
from callflow.core.step import start, step
from tests.core.oracle.duel import Duel, load
from tests.core.oracle.generate import PART, Dice, flow_text
from tests.support.play import HEAD

RUNS = int(os.environ.get("CALLFLOW_ORACLE_RUNS", "240"))
AT_ONCE = 40


def agree(text: str, *script: str) -> Duel:
    """Both play the script; a difference, after any line, fails."""
    return Duel(load(HEAD + text), text).play(list(script))


@pytest.mark.parametrize("first", range(0, RUNS, AT_ONCE))
def test_random_flows_and_scripts(first):
    for seed in range(first, min(first + AT_ONCE, RUNS)):
        dice = Dice.seeded(seed)
        text = flow_text(dice)
        Duel(load(text), f"# seed {seed}\n{text}").wander(dice, 40)


@settings(
    max_examples=max(30, RUNS // 8),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(st.data())
def test_flows_that_shrink(data):
    dice = Dice.drawn(data.draw)
    text = flow_text(dice)
    Duel(load(text), text).wander(dice, 20)


# -- counter-examples, kept --------------------------------------------------------------------------------------------


def test_a_named_result_after_the_final_state_lets_its_list_go_on():
    call = agree(
        """
initial: a
states:
  a:
    exit: [{dial: {to: "+15551234567", trunk: ST_1}}, {set: {x: 1}}]
    on: {tool.end_call: closed}
vars: {x: {type: integer, default: 0}}
tools: {end_call: {own: true}}
""",
        "tool.end_call",
        "1 failed",
    )
    assert call.last.snapshot.vars == {"x": 1}
    assert call.last.snapshot.memory.phase == "closing"


BARRED = """
initial: a
vars: {paid: {type: boolean, default: true}, n: {type: integer, default: 0}}
events: {app.x: {}}
states:
  a:
    initial: b
    on:
      app.x:
        - {target: c, when: vars.paid}
        - do: [{set: {n: 1}}]
    states:
      b: {must_finish: true, entry: [{say: One moment.}]}
  c: {}
on: {app.x: {do: [{set: {n: 2}}]}}
"""


def test_a_row_that_has_to_wait_leaves_its_place_to_nobody():
    call = agree(BARRED, "app.x")
    assert call.last.snapshot.vars["n"] == 0, "neither the row behind it nor the one around it"
    assert [event.name for event in call.last.snapshot.memory.kept] == ["app.x"]
    call.do("1 ok")
    assert call.last.snapshot.configuration == ("c",)


def test_speech_that_nobody_waits_for_fails_like_any_other():
    call = agree(
        'initial: a\nstates: {a: {entry: [{say: {text: "Hello.", wait: false}}], on: {failed: b}}, b: {}}', "1 failed"
    )
    assert call.last.snapshot.configuration == ("b",)


def test_the_speech_of_a_tool_that_outlives_its_state_fails_for_nobody():
    call = agree(
        "initial: a\ntools: {go: {own: true}}\nstates: {a: {entry: [{say: Hello.}], on: {tool.go: b}}, b: {}}",
        "tool.go during 1",
        "1 failed",
    )
    assert call.last.snapshot.configuration == ("b",)


def test_done_of_a_state_that_was_left_is_stale_also_when_it_is_entered_again():
    call = agree(
        """
initial: p
vars: {n: {type: integer, default: 0}}
states:
  p:
    parallel: true
    states:
      a: {on: {done: {target: p, when: state.visits == 1}}}
      b:
        exit: [{http: "https://crm.example/"}]
        on: {done: {do: [{set: {n: 2}}]}}
"""
    )
    assert call.last.snapshot.vars == {"n": 0}, "b was entered again, and its list still waits"


def test_kept_events_return_when_the_state_that_had_to_finish_is_entered_anew():
    call = agree(
        """
initial: a
vars: {n: {type: integer, default: 0}}
events: {app.x: {}, app.again: {}}
states:
  a:
    must_finish: true
    entry: [{say: Hello.}]
    on: {app.again: {target: a, do: [{set: {n: 1}}]}}
on: {app.x: {when: vars.n == 1, do: [{set: {n: 2}}]}}
""",
        "app.x",
        "app.again",
        "1 cancelled",
    )
    assert call.last.snapshot.vars == {"n": 1}, "the set is owed, the event looked at before it: kept again"
    assert [event.name for event in call.last.snapshot.memory.kept] == ["app.x"]


def test_a_kept_timer_is_stale_when_its_state_was_left_and_entered_again():
    call = agree(
        """
initial: p
states:
  p:
    parallel: true
    on: {app.again: p}
    states:
      a: {after: {5s: c}}
      b: {must_finish: true, entry: [{say: Hello.}], on: {done: {target: p}}}
  c: {}
events: {app.again: {}}
""",
        "timer",
        "1 ok",
    )
    assert not call.last.snapshot.memory.kept
    assert call.last.snapshot.configuration == ("p.a", "p.b")


def test_a_delete_room_that_failed_does_not_claim_a_later_loss_of_the_room():
    call = agree("initial: a\nstates: {a: {entry: [{delete_room: {optional: true}}]}}", "1 failed", "room.disconnected")
    assert call.last.snapshot.outcome == "line_lost"
    assert call.last.snapshot.configuration == ("ending",)


def test_a_leg_that_answers_after_its_dial_was_cancelled_is_dropped():
    call = agree(
        """
initial: a
states:
  a: {entry: [{dial: {to: "+15551234567", trunk: ST_1}}], on: {dtmf.1: b}}
  b: {}
""",
        "dtmf.1",
        "1 dial.answered",
    )
    assert [one.verb for one in call.last.snapshot.memory.effects.values()] == ["remove_participant"]
    call.do("2 ok")


PIN = (
    PART
    + """
callflow: 1
name: pin
initial: p
vars: {n: {type: integer, default: 5}, given: {type: integer}}
events: {app.go: {}}
every: {4s: {target: q, when: vars.given == 99}}
states:
  p:
    exit: [{http: "https://crm.example/"}, {set: {n: "{{ vars.n + 1 }}"}}, {set: {n: 1}}, {say: "left {{ vars.n }}"}]
    on: {app.go: q}
  q: {final: true, returns: {left: "{{ vars.n }}"}}
"""
)

HOST = """
initial: host
use: {pin: part.yaml}
vars: {k: {type: integer, default: 3}, left: {type: integer, default: 0}}
states:
  host:
    flow: pin
    with: {given: "{{ vars.k }}"}
    on: {done: {do: [{set: {left: "{{ event.returns.left }}"}}]}, dtmf.2: b, dtmf.3: host}
  b: {}
"""


def test_what_a_sub_flow_owes_keeps_its_variables():
    call = agree(HOST + PIN, "dtmf.2", "1 ok")
    assert call.last.snapshot.configuration == ("b",)
    assert call.last.snapshot.memory.effects[2].verb == "say"
    call.do("2 ok")
    assert list(call.last.snapshot.memory.vars) == [""]


def test_a_sub_flow_that_is_entered_again_has_variables_of_its_own():
    call = agree(HOST + PIN, "dtmf.3", "1 ok", "2 ok")
    assert call.last.snapshot.memory.vars["host"] == {"n": 5, "given": 3}
    call.play(["app.go", "3 ok", "4 ok"])
    assert call.last.snapshot.vars["left"] == 1


def test_a_with_that_fails_fails_once():
    host = HOST.replace("{{ vars.k }}", "{{ 1 // (vars.k - 3) }}").replace(
        "on: {done", "on: {failed: {do: [{log: no}]}, done"
    )
    call = agree(host + PIN)
    assert [note.data["action"] for note in call.last.notes if note.kind == "failure"] == ["with"]
    assert call.last.snapshot.configuration == ("host.p",)


def test_a_host_and_its_sub_flow_may_count_alike():
    host = HOST.replace("dtmf.3: host}", "dtmf.3: host}\n    every: {4s: {target: b, when: vars.k == 99}}")
    call = agree(
        host + PIN.replace("  p:\n", "  p:\n    must_finish: true\n    entry: [{say: Wait.}]\n"),
        "timer",
        "timer",
        "timer",
        "timer",
    )
    assert [event.name for event in call.last.snapshot.memory.kept] == ["every 4s", "every 4s"]


@pytest.mark.parametrize(("emits", "where"), [(98, "b"), (99, "ending")])
def test_a_hundred_transitions_and_events_are_no_cycle_yet(emits, where):
    """One transition, the events, and the `done` of b."""
    exits = ", ".join(["{emit: app.x}"] * emits)
    text = f"initial: a\nevents: {{app.x: {{}}}}\nstates: {{a: {{exit: [{exits}], on: {{dtmf.1: b}}}}, b: {{}}}}"
    assert agree(text, "dtmf.1").last.snapshot.configuration == (where,)


# -- whatever comes ----------------------------------------------------------------------------------------------------

NAMES = [*EVENTS, *(f"leg.human.dtmf.{digit}" for digit in DIGITS), "leg.human.hangup", "leg.", "leg", "", ".", "tool.", "app.a",
         "after 5s", "every 4s", "silence 3s", "done", "failed", "always", "dial.", "dtmf.", "x" * 300]  # fmt: skip
ODD = [
    {},
    {"new_state": None},
    {"leg": 7},
    {"row": 99},
    {"result": "busy"},
    {"result": None},
    {"result": {"a": [1]}},
    {"digit": "é"},
]
STATUSES = ["ok", "failed", "timed_out", "cancelled"]


def any_input(dice: Dice, last, time: float):
    kind = dice.below(4)
    if kind == 0 and last.snapshot.memory.effects:
        number = dice.pick(sorted(last.snapshot.memory.effects))
        return EffectEnded(number, dice.pick(STATUSES), dice.pick(ODD), None, time)
    if kind == 1 and last.snapshot.memory.timers:  # in any order, also before it is due
        return TimerFired(dice.pick(last.snapshot.memory.timers).generation, time)
    if kind == 2:
        return dice.pick(
            [
                EffectEnded(dice.below(9), dice.pick(STATUSES), dice.pick(ODD), None, time),
                TimerFired(dice.below(30), time),
            ]
        )
    return Event(dice.pick(NAMES), dice.pick(ODD), time, effect=dice.pick([None, 1, 3, 77]), id=dice.pick([None, "t1"]))


@pytest.mark.parametrize("both", [False, True], ids=["one sub-flow", "two, in two regions"])
@pytest.mark.parametrize("target", ["s0", "s9"], ids=["entered again", "left"])
def test_a_row_that_stays_in_a_sub_flow_which_its_own_event_leaves_has_its_variables(both, target):
    host = f"""
initial: s0
states:
  s0:
    parallel: true
    states:
      one: {{flow: part, with: {{y: 0}}}}
      two: {{{"flow: part, with: {y: 5}" if both else ""}}}
      three: {{on: {{app.a: {target}}}, exit: [{{http: "https://crm.example/"}}]}}
  s9: {{}}
use: {{part: part.yaml}}
"on": {{dtmf.9: s9}}
"""
    part = """
callflow: 1
name: part
vars: {x: {type: integer, default: 1}, y: {type: integer}}
events: {app.a: {}}
initial: p10
states: {p10: {}}
"on": {app.a: {do: [{set: {x: "{{ vars.y + 7 }}"}}]}}
"""
    call = agree(host + PART + part, "app.a")
    done = {(note.data["scope"], note.data["value"]) for note in call.last.notes if note.kind == "set"}
    assert done == ({("s0.one", 7), ("s0.two", 12)} if both else {("s0.one", 7)})


@pytest.mark.parametrize("first", range(0, RUNS, AT_ONCE))
def test_a_step_raises_for_nothing_that_comes_in(first):
    for seed in range(first, first + AT_ONCE):
        dice = Dice.seeded(-1 - seed)
        flow = load(flow_text(dice))
        time, last = 1000.0, start(flow, time=1000.0, waiting=dice.chance(30))
        for _ in range(40):
            time += dice.pick([0.0, 0.0, 0.5, 30.0, 7200.0, -1.0])
            event = any_input(dice, last, time)
            try:
                last = step(flow, last.snapshot, event)
            except Exception as error:
                error.add_note(f"seed {seed}: {event!r}")
                raise
            assert from_json(flow, to_json(flow, last.snapshot)) == last.snapshot


@pytest.mark.parametrize("seed", range(24))
def test_a_call_whose_every_effect_fails_still_ends(seed):
    """Effects fail, or hang as long as timers are quicker; now and then the world tells the call to go."""
    dice = Dice.seeded(10_000 + seed)
    flow = load(flow_text(dice, safe=True))
    time, last = 1000.0, start(flow, time=1000.0)
    for _ in range(3000):
        memory = last.snapshot.memory
        if last.snapshot.ended:
            return
        if memory.effects and (dice.chance(50) or not memory.timers):
            failing = dice.pick(sorted(memory.effects))
            event = EffectEnded(failing, dice.pick(["failed", "timed_out"]), {}, "broken", time)
        elif memory.timers and dice.chance(90):
            time = max(time, memory.timers[0].due)
            event = TimerFired(memory.timers[0].generation, time)
        else:
            event = Event(dice.pick(["job.shutdown", "call.hangup", "room.disconnected"]), {}, time)
        last = step(flow, last.snapshot, event)
    pytest.fail(f"never ends: {last.snapshot.configuration} {last.snapshot.memory.phase}")


def test_what_the_model_calls_while_the_line_is_closed_by_force_is_carried_out():
    call = agree(
        """
initial: a
standard: false
ending: ending
tools: {look: {description: Looks., run: {http: "https://crm.example/"}}}
events: {app.x: {}}
states:
  a: {tools: [look], on: {app.x: ending}}
  ending: {entry: [hang_up], on: {done: closed}}
  closed: {final: true}
""",
        "app.x",
        "1 failed",
        "tool.look back 2",
        "2 ok",
    )
    assert call.last.snapshot.memory.phase == "closing", "it waits for the tool's run"
    call.do("3 ok")
    assert call.last.snapshot.ended


def test_who_has_hung_up_is_waited_for_no_more_once_the_transfer_has_told_whose_doing_it_was():
    call = agree(
        'initial: a\nstandard: false\nending: z\nstates: {a: {entry: [{transfer: "+15551234568"}], on: {transfer.failed: z}}, z: {final: true}}',
        "call.hangup",
        "call.dropped",
        "1 transfer.completed",
    )
    assert call.last.snapshot.memory.legs["far_end"].status == "gone"
    assert call.last.snapshot.timers == ()


def test_a_named_result_that_is_ignored_is_no_failure():
    call = agree(
        """
initial: a
vars: {n: {type: integer, default: 0}}
states:
  a:
    entry: [{dial: {to: "+15551234567", trunk: ST_1, leg: human}}, {set: {n: 1}}]
    ignore: [dial.busy]
    on: {failed: b}
  b: {}
""",
        "1 dial.busy",
    )
    assert (call.last.snapshot.configuration, call.last.snapshot.vars["n"]) == (("a",), 1)
