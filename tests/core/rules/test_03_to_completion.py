"""Rules 1 to 3: one event at a time, to completion; `always`, then raised events; an endless cycle is cut."""

from __future__ import annotations

import pytest

from tests.support.play import Play


def test_always_is_taken_before_the_event_that_the_same_list_emitted() -> None:
    play = Play(
        """
vars: {n: {type: integer, default: 0}}
events: {app.x: {}}
initial: a
states:
  a:
    on: {app.go: {target: b, do: [{set: {n: 1}}, {emit: app.x}]}}
  b:
    always: {target: c, when: "vars.n == 1"}
    on: {app.x: wrong}
  c:
    on: {app.x: d}
  d: {}
  wrong: {}
""".replace("events: {app.x: {}}", "events: {app.x: {}, app.go: {}}")
    )
    play.send("app.go")
    assert play.state == "d"
    assert play.trace == ["→ a", "← a", "→ b", "← b", "→ c", "← c", "→ d", "n = 1"]


def test_an_endless_cycle_goes_to_the_ending_and_says_which_states_it_went_through() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states:
  a: {on: {app.go: b}}
  b: {always: c}
  c: {always: b}
""")
    play.send("app.go")
    assert play.state == "ending"
    (fault,) = play.noted("fault")
    assert "b → c" in fault["error"] or "c → b" in fault["error"]
    play.finish()
    assert play.last.snapshot.memory.phase == "ended"
    assert play.outcome is None
    assert play.last.snapshot.memory.fault is not None  # recorded as `failed`


def test_an_endless_cycle_inside_the_ending_ends_the_call() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states:
  a: {on: {app.go: ending}}
  ending:
    always: {when: "1 < 2", do: [{log: again}]}
    on: {done: closed}
""")
    play.send("app.go")
    assert play.last.snapshot.configuration == ()
    assert play.noted("fault")
    play.finish()
    assert play.last.snapshot.ended


def test_an_event_that_nobody_listens_to_changes_nothing() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: b}}, b: {on: {app.go: a}}}
""")
    before = play.last.snapshot
    play.send("room.track_published")
    assert play.last.snapshot == before
    assert play.last.effects == ()


ROUND = """
vars: {over: {type: boolean, default: false}}
initial: a
ending: ending
states:
  a: {}
  ending: {after: {1s: ending}, on: {done: {target: closed, when: vars.over}}}
"""


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("limits: {no_progress: 5}\n", 8),  # `a` and `ending` were entered before: ten states in all
        ("", 98),
        ("standard: false\non: {call.hangup: ending}\n", 100),  # no limit is written: 100 all the same
    ],
)
def test_an_ending_that_goes_round_by_a_timer_is_over_when_its_limit_is(head: str, seconds: int) -> None:
    closed = "" if "standard" not in head else "  closed: {final: true}\n"
    play = Play(head + ROUND + closed)
    play.send("call.hangup", by="caller")
    play.send("session.user_state_changed", old_state="listening", new_state="speaking")  # no progress in there, either
    play.wait(seconds - 1)
    assert play.phase == "running"
    play.wait(1)
    assert play.phase != "running"
    assert play.last.snapshot.memory.fault is not None
    assert play.last.snapshot.memory.fault.startswith("the ending does not end")


def test_always_is_looked_at_also_after_an_event_that_nobody_takes() -> None:
    play = Play(
        """
initial: a
states:
  a: {always: {target: b, when: "call.elapsed > 5s"}}
  b: {}
"""
    )
    play.wait(4).send("session.agent_state_changed", new_state="thinking")
    assert play.state == "a"
    play.wait(2).send("session.agent_state_changed", new_state="listening")
    assert play.state == "b"
