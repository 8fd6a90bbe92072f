"""Rule 11: a state that must finish keeps what it does not let through."""

from __future__ import annotations

from callflow.core.step import MOST_KEPT
from tests.support.play import Play

PAY = """
vars: {paid: {type: boolean, default: false}, heard: {type: string, default: ""}}
events: {app.pay: {}, app.note: {}, app.inner: {}}
on:
  app.note: {do: [{set: {heard: "{{ vars.heard }}n"}}]}
initial: talking
states:
  talking: {on: {app.pay: paying}}
  paying:
    must_finish: true
    entry: [{http: {url: "https://example.com/pay"}}, {set: {paid: true}}]
    on: {done: talking}
"""


def test_a_hang_up_waits_until_the_payment_is_through() -> None:
    play = Play(PAY).send("app.pay").send("call.hangup", leg="far_end")
    assert play.state == "paying"
    assert play.noted("kept") == [{"event": "call.hangup"}]
    play.end("http")
    assert play.vars["paid"] is True
    assert (play.state, play.outcome) == ("ending", "hung_up")
    assert "→ talking" in play.trace[play.trace.index("→ paying") :]  # `done` comes first


def test_an_outer_row_without_a_target_is_taken_at_once() -> None:
    play = Play(PAY).send("app.pay").send("app.note")
    assert play.vars["heard"] == "n"
    assert not play.noted("kept")


def test_its_own_failure_may_leave_it() -> None:
    play = Play(PAY).send("app.pay").end("http", "failed", error="refused")
    assert play.state == "ending"


def test_kept_events_return_in_their_order_and_of_a_call_the_latest_only() -> None:
    play = Play("""
vars: {order: {type: string, default: ""}}
events: {app.go: {}, app.x: {}, app.y: {}}
initial: busy
states:
  busy:
    must_finish: true
    entry: [{http: {url: "https://example.com"}}]
    on: {done: idle}
  idle:
    on:
      app.x: {do: [{set: {order: "{{ vars.order }}x"}}]}
      app.y: {do: [{set: {order: "{{ vars.order }}y"}}]}
on:
  app.x: {when: "false", target: ending}
  app.y: {when: "false", target: ending}
  room.reconnected: {when: "false", target: ending}
""")
    play.send("app.x").send("room.reconnected").send("app.y").send("app.x").send("room.reconnected")
    assert [event.name for event in play.last.snapshot.memory.kept] == [
        "app.x",
        "app.y",
        "app.x",
        "room.reconnected",
    ]
    play.end("http")
    assert play.vars["order"] == "xyx"
    assert play.last.snapshot.memory.kept == ()


def test_its_insides_move_freely() -> None:
    play = Play("""
events: {app.go: {}}
initial: m
states:
  m:
    must_finish: true
    initial: one
    on: {done: after}
    states:
      one: {on: {app.go: two}}
      two: {final: true}
  after: {}
""").send("job.shutdown", reason="")
    assert play.state == "m.one"
    play.send("app.go")
    assert "→ after" in play.trace
    assert (play.state, play.outcome) == ("ending", "cancelled")


def test_nothing_interrupts_the_hang_up() -> None:
    play = (
        Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: ending}}}
""")
        .send("app.go")
        .send("call.hangup", leg="far_end")
        .send("job.shutdown", reason="")
    )
    assert play.state == "ending"
    assert play.doing == ["drain"]
    play.finish()
    assert play.outcome is None
    assert play.trace.count("→ ending") == 1


WRITING_DOWN = """
events: {app.back: {}}
initial: both
states:
  both:
    parallel: true
    states:
      talk:
        initial: chat
        states:
          chat: {entry: [{say: Hello.}], on: {done: over}}
          over: {final: true}
          more: {}
        on: {app.back: more, done: {target: ending, do: [{outcome: completed}]}}
      note:
        must_finish: true
        entry: [{http: {url: "https://crm.example/", timeout: 10s}}]
"""


def test_a_region_that_is_done_while_another_must_finish_is_heard_of_afterwards() -> None:
    play = Play(WRITING_DOWN).end("say Hello.")
    assert play.noted("kept") == [{"event": "done"}]
    play.end("http")
    assert (play.state, play.outcome) == ("ending", "completed")


def test_a_region_that_has_moved_on_meanwhile_is_not_done_any_more() -> None:
    play = Play(WRITING_DOWN).end("say Hello.").send("app.back")
    assert not play.last.snapshot.kept
    play.end("http")
    assert play.last.snapshot.configuration == ("both.talk.more", "both.note")


def test_regions_that_are_done_and_must_finish_wait_for_another_once_each() -> None:
    """What is kept returns when one has finished anew, not when its `done` is kept once more."""
    play = Play("""
initial: all
states:
  all:
    parallel: true
    states:
      one: {must_finish: true, entry: [{say: One.}], on: {done: {target: ending, do: [{outcome: completed}]}}}
      two: {must_finish: true, entry: [{say: Two.}], on: {done: ending}}
      note:
        must_finish: true
        entry: [{http: {url: "https://crm.example/", timeout: 10s}}]
""")
    play.end("say One.").end("say Two.")
    assert [event.state for event in play.last.snapshot.kept] == ["all.two", "all.one"]
    play.end("http")
    assert play.state == "ending"


SILENT = """
initial: around
states:
  around:
    initial: paying
    silence:
      10s: {target: asking, do: [{say: Are you there?}]}
      15s: {target: asking, do: [{say: Is anybody there?}]}
    states:
      paying: {must_finish: true, entry: [{http: {url: "https://example.com/pay"}}], on: {done: paid}}
      paid: {after: {5m: ending}}
  asking: {after: {5m: ending}}
"""


def test_a_silence_that_was_kept_says_what_its_own_row_says() -> None:
    play = Play(SILENT).wait(12)
    assert play.noted("kept") == [{"event": "silence 10s"}]
    [kept] = play.last.snapshot.memory.kept
    assert (kept.name, kept.state, dict(kept.data)) == ("silence 10s", "around", {"row": 0})
    play.end("http")
    assert (play.state, play.doing) == ("asking", ["say Are you there?"])


def test_a_silence_that_was_kept_and_then_broken_says_nothing() -> None:
    play = Play(SILENT).wait(12).send("dtmf.5", digit="5").end("http")
    assert (play.state, play.doing) == ("around.paid", [])


def test_no_more_is_kept_than_can_be() -> None:
    """Beyond that only what counts by its latest."""
    play = Play(PAY.replace("initial:", "  app.inner: talking\ninitial:")).send("app.pay")
    for _ in range(MOST_KEPT + 1):
        play.send("app.inner")
    kept = play.last.snapshot.memory.kept
    assert (len(kept), MOST_KEPT) == (1000, 1000)
    assert play.noted("not_kept") == [{"event": "app.inner"}]
    play.send("call.hangup", leg="far_end")
    assert play.last.snapshot.memory.kept[-1].name == "call.hangup"
