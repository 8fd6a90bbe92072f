"""Rule 10: timers, and the caller's silence."""

from __future__ import annotations

from typing import Any

import pytest

from callflow.core.events import TimerFired
from callflow.core.step import step
from tests.support.play import Play


def test_after_counts_from_the_entry() -> None:
    play = (
        Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: b}}, b: {after: {5s: c}}, c: {}}
""")
        .wait(3)
        .send("app.go")
        .wait(4.9)
    )
    assert play.state == "b"
    assert play.wait(0.2).state == "c"


def test_a_timer_of_a_state_that_was_left_is_stale() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {after: {5s: wrong}, on: {app.go: b}}, b: {}, wrong: {}}
""")
    late = play.last.snapshot.memory.timers[0]
    play.send("app.go").wait(60)
    assert play.state == "b"
    done = step(play.flow, play.last.snapshot, TimerFired(late.generation, play.time))
    assert done.snapshot.configuration == ("b",)
    assert done.notes[0].kind == "stale"


def test_a_timer_whose_guard_is_false_is_spent() -> None:
    play = (
        Play("""
vars: {ready: {type: boolean, default: false}}
events: {app.ready: {}}
initial: a
states:
  a: {after: {5s: {target: b, when: vars.ready}}, on: {app.ready: {do: [{set: {ready: true}}]}}}
  b: {}
""")
        .wait(6)
        .send("app.ready")
        .wait(60)
    )
    assert play.state == "a"


def test_every_keeps_its_beat() -> None:
    play = Play("""
vars: {n: {type: integer, default: 0}}
initial: a
states: {a: {every: {10s: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}}}}
""").wait(35)
    assert play.vars["n"] == 3


def test_due_at_once_the_outer_state_comes_first_then_after_every_silence() -> None:
    play = Play("""
vars: {order: {type: string, default: ""}}
initial: outer
states:
  outer:
    initial: inner
    after: {10s: {do: [{set: {order: "{{ vars.order }}a"}}]}}
    every: {10s: {do: [{set: {order: "{{ vars.order }}b"}}]}}
    silence: {10s: {do: [{set: {order: "{{ vars.order }}c"}}]}}
    states:
      inner:
        after: {10s: {do: [{set: {order: "{{ vars.order }}d"}}]}}
""").wait(10)
    assert play.vars["order"] == "abcd"


LADDER = """
outcomes: [abandoned]
initial: talking
states:
  talking:
    silence:
      10s: {do: [{say: Are you there?}]}
      30s: {target: ending, do: [{outcome: abandoned}]}
"""


def test_silence_pauses_while_we_speak_and_goes_on() -> None:
    play = Play(LADDER).wait(10)
    assert play.doing == ["say Are you there?"]
    play.wait(60)
    assert play.state == "talking"
    play.end("say").wait(19.9)
    assert play.state == "talking"
    play.wait(0.2)
    assert (play.state, play.outcome) == ("ending", "abandoned")


def test_the_callers_speech_sets_silence_to_zero_and_arms_its_rows_again() -> None:
    play = Play(LADDER).wait(10).end("say").wait(5)
    play.send("session.user_state_changed", old_state="listening", new_state="speaking").wait(100)
    assert play.state == "talking"
    play.send("session.user_state_changed", old_state="speaking", new_state="listening").wait(9.9)
    assert play.doing == []
    assert play.wait(0.2).doing == ["say Are you there?"]


def test_a_key_breaks_a_silence() -> None:
    play = Play(LADDER).wait(9).send("dtmf.1", digit="1").wait(9)
    assert play.doing == []
    assert play.wait(1).doing == ["say Are you there?"]


def test_silence_does_not_count_while_the_agent_thinks() -> None:
    play = Play(LADDER).wait(5)
    play.send("session.agent_state_changed", old_state="listening", new_state="thinking").wait(60)
    assert play.doing == []
    play.send("session.agent_state_changed", old_state="speaking", new_state="listening").wait(4.9)
    assert play.doing == []
    assert play.wait(0.2).doing == ["say Are you there?"]


def test_silence_does_not_count_before_the_far_end_is_on_the_line_nor_after_it_has_left() -> None:
    flow = """
env: [TRUNK]
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15551234567", trunk: "{{ env.TRUNK }}"}}]
    silence: {10s: wrong}
    on: {dial.answered: talking}
  talking:
    silence: {10s: {do: [{say: Are you there?}]}}
    ignore: [call.dropped]
  wrong: {}
"""
    play = Play(flow, env={"TRUNK": "t"}).wait(25)
    assert play.state == "dialing"
    play.end("dial", result="answered", leg="far_end").wait(8).send("call.dropped", leg="far_end").wait(100)
    assert play.doing == []
    assert play.send("call.restored", leg="far_end").wait(2).doing == ["say Are you there?"]


def test_silence_does_not_count_while_the_far_end_is_on_hold() -> None:
    play = Play("""
events: {app.back: {}}
initial: a
states:
  a:
    entry: [hold]
    silence: {5s: warned}
    on: {app.back: {do: [resume]}}
  warned: {}
""").end("hold")
    assert play.wait(60).state == "a"
    play.send("call.dropped", leg="far_end").send("call.restored", leg="far_end")  # a brief loss of its network
    assert play.wait(60).state == "a"
    play.send("app.back").end("resume")
    assert play.wait(4.9).state == "a"
    assert play.wait(0.2).state == "warned"


@pytest.mark.parametrize("result", ["accepted", "declined", "no_answer", "failed"])
def test_silence_counts_again_once_a_consultation_has_taken_the_far_end_off_hold(result: str) -> None:
    play = Play("""
initial: a
states:
  a:
    entry: [hold, consult: {to: "+15551234567", trunk: ST_1}]
    on: {consult.*: back}
  back: {silence: {5s: warned}}
  warned: {}
""").end("hold")
    play.end("consult", result=result, leg="human")
    assert play.wait(4.9).state == "back"
    assert play.wait(0.2).state == "warned"


@pytest.mark.parametrize(
    "action", ['transfer: "+15551234567"', 'consult: {to: "+15551234567", trunk: ST_1}', "stand_by"]
)
def test_silence_does_not_count_while_the_far_end_waits_for_somebody_else_or_talks_to_them(action: str) -> None:
    play = Play(
        f"""
initial: a
states:
  a:
    entry: [{{{action}}}]
    silence: {{5s: warned}}
  warned: {{}}
""".replace("[{stand_by}]", "[stand_by]")
    )
    assert play.wait(30).state == "a"
    assert len(play.doing) == 1


CUTS = {
    "their network": (("call.dropped", {"leg": "far_end"}), ("call.restored", {"leg": "far_end"})),
    "their microphone": (
        ("room.track_muted", {"leg": "far_end", "muted": True}),
        ("room.track_unmuted", {"leg": "far_end", "muted": False}),
    ),
    "our connection": (("room.reconnecting", {}), ("room.reconnected", {})),
}


CALLER = ("session.user_state_changed", {"new_state": "speaking"})
OTHER = ("room.active_speakers_changed", {"legs": ["supervisor"]})


@pytest.mark.parametrize(
    ("cut", "speaking"), [*((cut, CALLER) for cut in CUTS), ("our connection", OTHER)], ids=lambda one: one[0]
)
def test_whoever_is_cut_off_in_mid_sentence_speaks_no_more(cut: str, speaking: tuple[str, dict[str, Any]]) -> None:
    (away, data), (back, more) = CUTS[cut]
    play = Play("initial: a\nstates:\n  a: {ignore: [call.dropped], silence: {5s: warned}}\n  warned: {}\n")
    play.wait(3).send(speaking[0], **speaking[1]).wait(4)
    play.send(away, **data).wait(30).send(back, **more).wait(4.9)
    assert play.state == "a"
    assert play.wait(0.2).state == "warned"


def test_another_leg_on_hold_is_not_the_far_end() -> None:
    play = Play("""
initial: a
states:
  a:
    entry: [{dial: {to: "+15551234567", trunk: ST_1, leg: human}}, {hold: human}]
    silence: {5s: warned}
  warned: {}
""")
    play.send("leg.human.answered", leg="human").end("dial", result="answered", leg="human").end("hold")
    assert play.wait(5.1).state == "warned"


def test_limits_bound_every_call() -> None:
    play = Play("""
limits: {call: 5m, silence: 20m}
initial: a
states: {a: {waits: for the caller}}
""").wait(299)
    assert play.state == "a"
    play.wait(2)
    assert (play.state, play.outcome) == ("ending", "timed_out")


def test_states_entered_without_progress_end_the_call() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: b}}, b: {on: {app.go: a}}}
""")
    for _ in range(48):
        play.send("app.go")
    assert play.state == "a"
    play.send("app.go")
    assert (play.state, play.outcome) == ("ending", "timed_out")


def test_the_far_end_that_never_comes() -> None:
    play = Play(
        """
initial: a
states: {a: {entry: [{say: Hello.}]}}
""",
        waiting=True,
    )
    assert (play.state, play.doing) == ("", [])
    play.wait(61)
    assert (play.state, play.outcome) == ("ending", "no_answer")
    assert "say Hello." not in play.trace


def test_the_initial_state_is_entered_when_the_far_end_is_on_the_line() -> None:
    play = Play(
        """
initial: a
states: {a: {entry: [{say: Hello.}]}}
""",
        waiting=True,
    )
    play.wait(30).send("call.answered", leg="far_end", identity="ann")
    assert (play.state, play.doing) == ("a", ["say Hello."])


def test_an_answer_ends_the_wait_for_it() -> None:
    """Once the far end is there nothing is left that could take them for somebody who never came."""
    play = Play("limits: {answer: 30s}\ninitial: talking\nstates: {talking: {on: {dtmf.1: ending}}}", waiting=True)
    assert "answer" in [one.kind for one in play.last.snapshot.memory.timers]
    play.wait(29).send("call.answered", leg="far_end")
    assert "answer" not in [one.kind for one in play.last.snapshot.memory.timers]
    play.wait(10)
    assert (play.state, play.outcome, play.noted("nobody_came")) == ("talking", None, [])


def test_a_move_inside_leaves_the_timers_of_the_states_around_it() -> None:
    play = Play("""
events: {app.go: {}}
initial: outer
after: {30s: over}
states:
  outer:
    initial: a
    after: {10s: late}
    states: {a: {after: {9s: wrong}, on: {app.go: b}}, b: {}}
  late: {}
  wrong: {}
  over: {}
""")
    play.wait(4).send("app.go").wait(5.9)
    assert play.state == "outer.b"
    assert play.wait(0.2).state == "late"
    assert play.wait(20).state == "over"


def test_a_beat_that_comes_in_time_is_none_that_was_missed() -> None:
    play = Play("""
vars: {n: {type: integer, default: 0}}
initial: a
states: {a: {every: {1s: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}}}}
""").wait(3)
    assert play.vars["n"] == 3
