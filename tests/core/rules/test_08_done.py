"""Rule 8: when a state has finished."""

from __future__ import annotations

import pytest

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


REGIONS = """
vars: {order: {type: string, default: ""}}
events: {app.one: {}, app.two: {}}
initial: both
states:
  both:
    parallel: true
    on: {done: {do: [{set: {order: "{{ vars.order }}both."}}]}}
    states:
      left: {initial: l1, states: {l1: {on: {app.one: l2}}, l2: {final: true, entry: [{say: Left.}]}}}
      right: {initial: r1, states: {r1: {on: {app.two: r2}}, r2: {final: true}}}
"""


def test_a_region_whose_final_state_is_still_speaking_is_not_done() -> None:
    play = Play(REGIONS).send("app.one").send("app.two")
    assert (play.state, play.doing) == ("both.left.l2 both.right.r2", ["say Left."])
    assert play.vars["order"] == ""
    assert play.end("say Left.").vars["order"] == "both."


NESTED = """
vars: {order: {type: string, default: ""}}
events: {app.a: {}, app.b: {}, app.c: {}}
initial: all
states:
  all:
    parallel: true
    on: {done: {do: [{set: {order: "{{ vars.order }}all"}}]}}
    states:
      pair:
        parallel: true
        on: {done: {do: [{set: {order: "{{ vars.order }}pair "}}]}}
        states:
          a: {initial: go, on: {done: {do: [{set: {order: "{{ vars.order }}a({{ event.final }}) "}}]}}, states: {go: {on: {app.a: gone}}, gone: {final: true}}}
          b: {initial: go, on: {done: {do: [{set: {order: "{{ vars.order }}b({{ event.final }}) "}}]}}, states: {go: {on: {app.b: gone}}, gone: {final: true}}}
      c: {initial: go, on: {done: {do: [{set: {order: "{{ vars.order }}c({{ event.final }}) "}}]}}, states: {go: {on: {app.c: gone}}, gone: {final: true}}}
"""


@pytest.mark.parametrize(
    ("events", "order"),
    [
        ("cab", "c(gone) a(gone) b(gone) pair all"),
        ("abc", "a(gone) b(gone) pair c(gone) all"),
        ("bca", "b(gone) c(gone) a(gone) pair all"),
        ("ab", "a(gone) b(gone) pair "),
    ],
)
def test_the_last_region_that_is_done_makes_all_around_it_done_the_inner_ones_first(events, order) -> None:
    play = Play(NESTED)
    for name in events:
        play.send(f"app.{name}")
    assert play.vars["order"] == order


def test_what_is_said_in_another_region_is_not_waited_for() -> None:
    play = Play(NESTED.replace("c: {initial: go, on:", "c: {initial: go, entry: [{say: Still here.}], on:"))
    assert play.send("app.a").send("app.b").doing == ["say Still here."]
    assert play.vars["order"] == "a(gone) b(gone) pair "


def test_a_parallel_state_that_is_still_speaking_itself_is_not_done() -> None:
    play = Play(REGIONS.replace("parallel: true", "parallel: true\n    entry: [{say: Both.}]"))
    play.send("app.two").send("app.one")
    assert (play.doing, play.vars["order"]) == (["say Both."], "")
    assert (play.end("say Both.").doing, play.vars["order"]) == (["say Left."], "")
    assert play.end("say Left.").vars["order"] == "both."


def test_also_where_none_of_its_regions_has_anything_to_say() -> None:
    play = Play(
        REGIONS.replace("parallel: true", "parallel: true\n    entry: [{say: Both.}]").replace(
            ", entry: [{say: Left.}]", ""
        )
    )
    play.send("app.two").send("app.one")
    assert (play.doing, play.vars["order"]) == (["say Both."], "")
    assert play.end("say Both.").vars["order"] == "both."
