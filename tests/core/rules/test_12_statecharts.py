"""Rule 12: nested, parallel and history states, as in W3C SCXML; the one difference is XState's."""

from __future__ import annotations

import callflow
from tests.support.play import Play


def test_an_inner_state_beats_an_outer_one_and_an_exact_name_a_pattern() -> None:
    play = Play("""
events: {app.x: {}, app.y: {}}
initial: outer
states:
  outer:
    initial: inner
    on: {app.x: wrong, "app.*": wrong}
    states:
      inner: {on: {"app.*": b, app.x: a}}
      a: {}
      b: {}
  wrong: {}
""").send("app.x")
    assert play.state == "outer.a"


def test_the_first_row_whose_guard_holds() -> None:
    play = Play("""
events: {app.n: {n: {type: integer}}}
initial: s
states:
  s:
    on:
      app.n:
        - {target: many, when: event.n > 10}
        - {target: some, when: event.n > 1}
        - few
  many: {}
  some: {}
  few: {}
""").send("app.n", n=5)
    assert play.state == "some"


def test_a_target_inside_the_writer_keeps_it_active_unless_reenter() -> None:
    text = """
events: {app.go: {}, app.again: {}}
initial: outer
states:
  outer:
    initial: a
    on: {app.go: b, app.again: {target: b, reenter: true}}
    states: {a: {}, b: {}}
"""
    play = Play(text)
    mark = len(play.trace)
    assert play.send("app.go").since(mark) == ["← outer.a", "→ outer.b"]
    mark = len(play.trace)
    assert play.send("app.again").since(mark) == ["← outer.b", "← outer", "→ outer", "→ outer.b"]


def test_a_self_transition_leaves_and_enters() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: a}}}
""")
    mark = len(play.trace)
    assert play.send("app.go").since(mark) == ["← a", "→ a"]


PARALLEL = """
events: {app.a: {}, app.both: {}, app.out: {}, app.in: {}}
initial: p
states:
  p:
    parallel: true
    on: {app.in: p.right.r2}
    states:
      left:
        initial: l1
        states: {l1: {on: {app.a: l2, app.both: l2, app.out: elsewhere}}, l2: {}}
      right:
        initial: r1
        states: {r1: {on: {app.both: r2, app.out: r2}}, r2: {}}
  elsewhere: {}
"""


def test_both_regions_hear_an_event() -> None:
    assert Play(PARALLEL).send("app.both").state == "p.left.l2 p.right.r2"


def test_a_row_that_leaves_the_parallel_state_beats_the_other_regions() -> None:
    play = Play(PARALLEL).send("app.out")
    assert play.state == "elsewhere"
    assert "→ p.right.r2" not in play.trace


def test_a_parallel_writer_leaves_and_enters_all_regions_the_targets_at_the_target() -> None:
    play = Play(PARALLEL).send("app.both")
    mark = len(play.trace)
    play.send("app.in")
    assert play.state == "p.left.l1 p.right.r2"
    assert "→ p" not in play.since(mark)


def test_history_shallow_and_deep() -> None:
    text = """
events: {app.next: {}, app.pause: {}, app.back: {}}
initial: form
states:
  form:
    initial: first
    on: {app.pause: pause}
    states:
      first: {on: {app.next: second}}
      second:
        initial: s1
        states: {s1: {on: {app.next: s2}}, s2: {}}
      last: {history: KIND, initial: first}
  pause: {on: {app.back: form.last}}
"""
    for kind, state in (("shallow", "form.second.s1"), ("deep", "form.second.s2")):
        play = Play(text.replace("KIND", kind)).send("app.next").send("app.next").send("app.pause").send("app.back")
        assert play.state == state


def test_history_without_a_past_is_its_default() -> None:
    play = Play("""
events: {app.in: {}}
initial: start
states:
  start: {on: {app.in: form.last}}
  form:
    initial: a
    states: {a: {}, b: {}, last: {history: shallow, initial: b}}
""").send("app.in")
    assert play.state == "form.b"


def test_lists_of_two_regions_run_side_by_side_and_their_parents_after_both() -> None:
    play = Play("""
events: {app.out: {}}
initial: p
states:
  p:
    parallel: true
    exit: [{say: P out.}]
    on: {app.out: after}
    states:
      left: {exit: [{say: Left out.}]}
      right: {exit: [{say: Right out.}]}
  after: {entry: [{say: After.}]}
""").send("app.out")
    assert sorted(play.doing) == ["say Left out.", "say Right out."]
    play.end("say Left out.")
    assert play.doing == ["say Right out."]
    assert play.end("say Right out.").doing == ["say P out."]
    assert play.end("say P out.").doing == ["say After."]


PART = """callflow: 1
name: part
vars: {rounds: {type: integer, default: 0}}
events: {app.next: {}, app.again: {}}
initial: one
on:
  app.again: {target: one, reenter: true, do: [{set: {rounds: "{{ vars.rounds + 1 }}"}}]}
states:
  one: {on: {app.next: two}}
  two: {exit: [{log: Bye.}]}
  over: {final: true}
"""
WITH_PART = """callflow: 1
name: host
initial: hosting
use: {part: part.yaml}
states:
  hosting: {entry: [{log: Hosting.}], exit: [{log: Left.}], flow: part, on: {done: ending}}
"""


def test_reenter_at_the_top_of_a_sub_flow_leaves_its_states_and_not_its_host(tmp_path) -> None:
    (tmp_path / "part.yaml").write_text(
        PART.replace("initial: one", "initial: one\nafter: {50m: over}"), encoding="utf-8"
    )
    (tmp_path / "host.yaml").write_text(WITH_PART, encoding="utf-8")
    play = Play(callflow.load(tmp_path / "host.yaml")).send("app.next")
    mark = len(play.trace)
    play.send("app.again")
    assert play.state == "hosting.one"
    assert play.since(mark) == ["← hosting.two", "→ hosting.one", "rounds = 1"]
    play.send("app.again")
    assert play.since(mark)[3:] == [
        "← hosting.one",
        "→ hosting.one",
        "rounds = 2",
    ]  # the variables are those of one entry
    main = Play(PART.replace("over: {final: true}", ""))  # the same rows at the top of a main flow
    assert main.send("app.next").send("app.again").trace[-3:] == ["← two", "→ one", "rounds = 1"]
