"""Rules 13 and 14: a final state of the top level, the forced close, `wrap_up`; the first outcome stays."""

from __future__ import annotations

from callflow.core.events import Event
from tests.support.play import Play


def test_a_final_state_closes_by_force_what_is_open_then_wraps_up() -> None:
    play = Play("""
events: {app.go: {}}
wrap_up: [{http: {url: "https://example.com/crm"}}]
initial: a
states:
  a: {on: {app.go: {target: over, do: [{say: Bye.}]}}, exit: [{say: Leaving.}]}
  over: {final: true, entry: [{say: Over.}]}
""").send("app.go")
    assert play.phase == "final"
    for words in ("say Leaving.", "say Bye.", "say Over."):
        assert play.doing == [words]
        play.end(words)
    assert play.phase == "closing"
    assert play.running[play.find("close")].arguments == {"session": True, "line": True}
    play.end("close", transcript="caller: hi")
    assert (play.phase, play.doing) == ("wrap_up", ["http https://example.com/crm"])
    play.end("http", "failed", error="down")
    assert play.phase == "ended"


def test_nothing_is_closed_by_force_before_what_was_cancelled_has_stopped() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {entry: [{say: Hello.}], on: {app.go: over}}, over: {final: true}}
""").send("app.go")
    assert play.phase == "final"
    assert [effect.verb for effect in play.last.snapshot.memory.effects.values()] == ["say"]
    play.stopped("say Hello.")
    assert play.phase == "closing"


def test_after_the_end_no_event_is_taken_and_no_timer_lives() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: over}, after: {5s: ending}}, over: {final: true, entry: [{say: Over.}]}}
""").send("app.go")
    assert play.last.snapshot.memory.timers == ()
    play.send("call.hangup", leg="far_end")
    assert (play.state, play.doing, play.outcome) == ("over", ["say Over."], None)


def test_what_is_owed_goes_on_behind_a_failure_that_nobody_can_take_any_more() -> None:
    """The owed list has failed, and in the same step `always` leads to the end, before anybody could hear of it."""
    play = Play("""
vars: {x: {type: integer, default: 0}}
events: {app.go: {}}
initial: a
states:
  a:
    on:
      app.go: {target: b, do: [{set: {x: "{{ 1 // vars.x }}"}}, {say: Bye.}]}
  b: {always: [over]}
  over: {final: true}
""").send("app.go")
    assert (play.phase, play.doing) == ("final", ["say Bye."])
    play.end("say Bye.").end("close")
    assert play.phase == "ended"


def test_the_ending_that_closed_everything_needs_no_force() -> None:
    play = (
        Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: {target: ending, do: [{outcome: completed}]}}}}
""")
        .send("app.go")
        .finish()
    )
    assert "close" not in play.trace
    assert play.outcome == "completed"


def test_the_first_outcome_stays() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: {target: ending, do: [{outcome: completed}, {outcome: failed}]}}}}
""").send("app.go")
    assert play.outcome == "completed"
    assert play.noted("late_outcome") == [{"name": "failed", "stands": "completed"}]


def test_what_the_flow_itself_closed_is_no_event() -> None:
    play = (
        Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: ending}}}
""")
        .send("app.go")
        .end("drain")
        .send("call.hangup", leg="far_end", by="agent")
        .send("room.disconnected", reason="ROOM_DELETED")
    )
    assert play.noted("own") == [{"event": "room.disconnected"}]
    assert play.end("delete_room").send("session.close", reason="user_initiated").noted("own")[1] == {
        "event": "session.close"
    }


def test_a_line_that_goes_after_a_stand_by_was_left_is_an_event() -> None:
    play = (
        Play("""
events: {app.back: {}}
initial: standing
states:
  standing: {entry: [stand_by], on: {app.back: waiting, done: ending}}
  waiting: {}
""")
        .send("app.back")
        .send("session.close", reason="user_initiated")
        .stopped("stand_by")
    )
    assert play.noted("own") == [{"event": "session.close"}]
    play.send("room.disconnected", reason="ROOM_DELETED")
    assert (play.state, play.outcome) == ("ending", "line_lost")


def test_a_session_that_closes_by_itself_is_an_event() -> None:
    play = Play("""
initial: a
states: {a: {}}
""").send("session.close", reason="error")
    assert (play.state, play.outcome) == ("ending", "failed")


def test_a_far_end_that_has_hung_up_has_closed_no_line() -> None:
    """The room stands: a flow that closes nothing after the hang-up has it closed by force."""
    play = Play("""
standard: false
ending: over
initial: a
states:
  a: {on: {call.hangup: over}}
  over: {final: true}
""").send("call.hangup", leg="far_end")
    assert play.running[play.find("close")].arguments == {"session": True, "line": True}


def test_the_payloads_name_and_time_are_read_in_place_of_the_events_own() -> None:
    play = Play("""
vars: {heard: {type: string, default: ""}}
events: {app.plain: {}, app.named: {name: string, time: number}}
initial: a
states:
  a:
    on:
      app.plain: {do: [{set: {heard: "{{ event.name }} {{ is_set(event.time) }}"}}]}
      app.named: {do: [{set: {heard: "{{ event.name }} {{ event.time }}"}}]}
""")
    assert play.send("app.plain").vars["heard"] == "app.plain true"
    assert play._step(Event("app.named", {"name": "Ann", "time": 1.5}, 1000.0)).vars["heard"] == "Ann 1.5"


WOUND_UP = """
events: {app.go: {}}
wrap_up: [{http: {url: "https://example.com/crm"}}]
initial: a
states:
  a: {entry: [{http: {url: "https://example.com/look"}}], on: {app.go: DO}}
  over: {final: true}
"""


def test_nothing_is_closed_before_what_was_told_to_stop_has_stopped() -> None:
    play = Play(WOUND_UP.replace("DO", "over")).send("app.go")
    assert (play.phase, play.doing) == ("final", [])
    play.stopped("http https://example.com/look")
    assert (play.phase, play.doing) == ("closing", ["close"])
    play.end("close")
    assert (play.phase, play.doing) == ("wrap_up", ["http https://example.com/crm"])


def test_speech_that_nobody_has_waited_for_is_cut_at_the_end() -> None:
    play = Play(WOUND_UP.replace("DO", "{target: over, do: [{say: {text: Bye., wait: false}}]}"))
    play.send("app.go").stopped("http https://example.com/look")
    assert (play.phase, play.doing) == ("closing", ["say Bye.", "close"])
    play.end("close").end("http")
    assert play.phase == "ended"
    assert play.trace[-1] == "cancel say Bye."
    assert dict(play.last.snapshot.memory.effects) == {}
    assert play.last.snapshot.memory.timers == ()


def test_an_ending_that_closed_everything_still_wraps_up() -> None:
    play = Play("""
wrap_up: [{http: {url: "https://example.com/crm"}}]
initial: a
states: {a: {after: {5s: ending}}}
""").wait(5)
    while play.phase == "running":
        play.end(play.doing[0])
    assert play.phase == "closing"  # for the transcript, which `wrap_up` may read
    assert play.running[play.find("close")].arguments == {"session": False, "line": False}
    play.end("close")
    assert (play.phase, play.doing) == ("wrap_up", ["http https://example.com/crm"])
