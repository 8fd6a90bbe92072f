"""Sub-flows: what `with` gives them, and when; their own `ending:` (rules 9 and 11)."""

from __future__ import annotations

import pytest

import callflow
from tests.support.play import Play


def play(folder, main: str, part: str) -> Play:
    (folder / "part.yaml").write_text(f"callflow: 1\nname: part\n{part}")
    text = f"callflow: 1\nname: main\nuse: {{part: part.yaml}}\n{main}"
    return Play(callflow.loads(text, folder=folder, check=False))


GIVEN = """
vars: {k: {type: integer, default: 3}}
events: {app.go: {}, app.ask: {}}
initial: a
states:
  a: {exit: [{say: Leaving.}], on: {app.go: {target: host, do: [{set: {k: 7}}, {say: On we go.}]}}}
  host:
    flow: part
    with: {n: "{{ vars.k }}"}
    on: {done: b}
  b: {}
"""


def test_always_sees_what_was_given_while_something_owed_still_runs(tmp_path) -> None:
    part = "vars: {n: {type: integer, default: 0}}\ninitial: p\nstates: {p: {always: {target: q, when: vars.n == 0}}, q: {}}\n"
    call = play(tmp_path, GIVEN, part).send("app.go")
    assert (call.state, call.doing) == ("host.p", ["say Leaving."])
    assert call.last.snapshot.memory.vars["host"] == {"n": 3}  # what sets k comes after the words


def test_what_acts_at_once_before_it_has_acted(tmp_path) -> None:
    part = "vars: {n: {type: integer, default: 0}}\ninitial: p\nstates: {p: {always: {target: q, when: vars.n == 7}}, q: {}}\n"
    call = play(tmp_path, GIVEN.replace("exit: [{say: Leaving.}], ", ""), part).send("app.go")
    assert (call.state, call.doing) == ("host.q", ["say On we go."])


def test_a_guard_and_an_initial_list_see_it_too(tmp_path) -> None:
    part = (
        "vars: {n: {type: integer, default: 0}, m: {type: integer, default: 0}}\nevents: {app.ask: {}}\ninitial: p\nstates:\n"
        "  p: {entry: [{set: {m: '{{ vars.n + 1 }}'}}], on: {app.ask: [{target: q, when: vars.n == 3}, z]}}\n"
        "  q: {final: true}\n  z: {}\n"
    )
    call = play(tmp_path, GIVEN, part).send("app.go").send("app.ask")
    assert call.state == "host.q"
    call.end("say Leaving.").end("say On we go.")
    assert call.state == "b"


def test_of_hosts_inside_each_other_the_outer_one_is_given_its_values_first(tmp_path) -> None:
    (tmp_path / "inner.yaml").write_text(
        "callflow: 1\nname: inner\nvars: {m: integer}\ninitial: x\nstates: {x: {always: {target: y, when: vars.m == 4}}, y: {}}\n"
    )
    part = "vars: {n: integer}\nuse: {inner: inner.yaml}\ninitial: p\nstates: {p: {flow: inner, with: {m: '{{ vars.n + 1 }}'}}}\n"
    call = play(tmp_path, GIVEN, part).send("app.go")
    assert call.state == "host.p.y"


ENDING = """
vars: {k: {type: integer, default: 0}}
events: {app.go: {}, app.fail: {}, app.out: {}, app.stay: {}}
initial: host
states:
  host:
    flow: part
    on:
      done: after
      failed: {target: after, do: [{outcome: failed}]}
      app.out: after
      app.stay: {do: [{set: {k: 1}}]}
    after: {5s: after}
  after: {}
"""
PART = """
events: {app.go: {}, app.fail: {}}
ending: tidy
initial: p
states:
  p: {on: {app.go: tidy, app.fail: {do: [{http: {url: "https://example.com/p"}}]}}}
  tidy: {entry: [{say: Tidying.}, {http: {url: "https://example.com"}}], on: {done: z}}
  z: {final: true}
"""


@pytest.mark.parametrize("what", ["app.out", "call.hangup", "job.shutdown", "5 s"])
def test_nothing_outside_leaves_a_sub_flows_ending_before_it_is_done(tmp_path, what) -> None:
    call = play(tmp_path, ENDING, PART).send("app.go")
    if what == "5 s":
        call.wait(6)
    else:
        call.send(what, leg="far_end")
    assert call.state == "host.tidy"
    call.send("app.stay")  # a row that leaves nothing acts at once, wherever it is written
    assert call.vars["k"] == 1
    call.end("say Tidying.").end("http")
    assert call.state == ("after" if what in ("app.out", "5 s") else "ending")


def test_a_failure_leads_into_it_and_one_in_it_lets_the_next_action_run(tmp_path) -> None:
    call = play(tmp_path, ENDING, PART).send("app.fail").end("http", "failed", "no route")
    assert (call.state, call.outcome) == ("host.tidy", None)
    call.end("say Tidying.", "failed", "no voice")
    assert call.doing == ["http https://example.com"]
    call.end("http", "failed", "no route")
    assert call.state == "after"


def test_the_rows_of_its_top_level_do_not_count_in_there(tmp_path) -> None:
    call = play(tmp_path, ENDING, PART + "on: {failed: p}\n").send("app.go").end("say Tidying.", "failed", "no voice")
    assert call.state == "host.tidy"


def test_one_that_is_final_is_done_when_its_list_is_through(tmp_path) -> None:
    part = PART.replace("ending: tidy", "ending: z").replace(
        "z: {final: true}", "z: {final: true, entry: [{say: Over.}]}"
    )
    call = play(tmp_path, ENDING, part).send("app.fail").end("http", "failed", "no route").send("app.out")
    assert (call.state, [event.name for event in call.last.snapshot.kept]) == ("host.z", ["app.out"])
    call.end("say Over.")
    assert call.state == "after"
