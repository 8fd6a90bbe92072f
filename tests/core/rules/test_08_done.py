"""Rule 8: when a state has finished."""

from __future__ import annotations

from tests.support.play import Play


def test_an_empty_list_is_done_at_once() -> None:
    play = Play("""
initial: a
states: {a: {on: {done: b}}, b: {}}
""")
    assert play.state == "b"


def test_done_comes_when_the_list_is_through() -> None:
    play = Play("""
initial: a
states: {a: {entry: [{say: Hello.}], on: {done: b}}, b: {}}
""")
    assert play.state == "a"
    assert play.end("say").state == "b"


def test_an_inside_is_done_when_its_final_state_is_with_its_name() -> None:
    play = Play("""
vars: {how: {type: string, default: ""}}
events: {app.yes: {}, app.no: {}}
initial: ask
states:
  ask:
    initial: asking
    on: {done: {target: after, do: [{set: {how: "{{ event.final }}"}}]}}
    states:
      asking: {on: {app.yes: accepted, app.no: refused}}
      accepted: {final: true, entry: [{say: Good.}]}
      refused: {final: true}
  after: {}
""").send("app.yes")
    assert play.state == "ask.accepted"
    play.end("say Good.")
    assert play.state == "after"
    assert play.vars["how"] == "accepted"


def test_only_the_state_that_is_done_sees_it() -> None:
    play = Play("""
initial: outer
states:
  outer:
    on: {done: wrong}
    initial: inner
    states: {inner: {}}
  wrong: {}
""")
    assert play.state == "outer.inner"


def test_a_parallel_state_is_done_when_all_its_regions_are() -> None:
    play = Play("""
events: {app.one: {}, app.two: {}}
initial: both
states:
  both:
    parallel: true
    on: {done: after}
    states:
      left: {initial: l1, states: {l1: {on: {app.one: l2}}, l2: {final: true}}}
      right: {initial: r1, states: {r1: {on: {app.two: r2}}, r2: {final: true, entry: [{say: Right.}]}}}
  after: {}
""")
    assert play.state == "both.left.l1 both.right.r1"
    play.send("app.one")
    assert play.state == "both.left.l2 both.right.r1"
    play.send("app.two")
    assert play.state == "both.left.l2 both.right.r2"
    assert play.end("say Right.").state == "after"
