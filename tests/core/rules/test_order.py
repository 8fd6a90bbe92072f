"""In which order lists act: document order, also where one region leaves the others (rules 4, 6 and 12)."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.support.play import Play

STAY = "{do: [{outcome: %s}, {log: %s}, {emit: app.%s}, {set: {order: '{{ vars.order }}%s'}}]}"
LEAVE = "{target: ending, do: [{outcome: %s}, {log: %s}, {emit: app.%s}, {set: {order: '{{ vars.order }}%s'}}]}"


def regions(*rows: str, exits: str = "") -> Play:
    """Three regions that hear `app.t`."""
    states = "".join(
        f"      {name}: {{on: {{app.t: {row}}}{exits % name if exits else ''}}}\n"
        for name, row in zip("abc", rows, strict=True)
    )
    return Play(
        "vars: {order: {type: string, default: ''}, heard: {type: string, default: ''}}\n"
        "events: {app.t: {}, app.u: {}, app.a: {}, app.b: {}, app.c: {}}\noutcomes: [a, b, c]\ninitial: p\n"
        "on: {app.a: {do: [{set: {heard: '{{ vars.heard }}a'}}]}, app.b: {do: [{set: {heard: '{{ vars.heard }}b'}}]}, app.c: {do: [{set: {heard: '{{ vars.heard }}c'}}]}}\n"
        f"states:\n  p:\n    parallel: true\n    states:\n{states}"
    )


@pytest.mark.parametrize("leaves", ["", "a", "b", "c"])
def test_the_lists_of_one_event_act_in_document_order_whoever_leaves(leaves) -> None:
    play = regions(*((LEAVE if name == leaves else STAY) % ((name,) * 4) for name in "abc")).send("app.t")
    assert (play.state == "ending") is bool(leaves)
    assert play.outcome == "a"
    assert play.vars["order"] == "abc"
    assert [one["message"] for one in play.noted("log")] == ["a", "b", "c"]
    assert play.vars["heard"] == "abc"


def test_what_takes_time_is_not_done_for_a_state_that_another_region_leaves() -> None:
    play = regions(
        "{do: [{set: {order: '{{ vars.order }}1'}}, {say: A.}, {set: {order: '{{ vars.order }}2'}}]}",
        "{do: [{set: {order: '{{ vars.order }}3'}}]}",
        "{target: ending, do: [{say: C.}, {set: {order: '{{ vars.order }}4'}}]}",
    ).send("app.t")
    assert play.vars["order"] == "123"
    assert "say A." not in play.trace
    play.end("say C.")
    assert play.vars["order"] == "1234"


def test_exit_lists_come_before_in_the_order_of_leaving_which_is_scxmls() -> None:
    play = regions(
        *(STAY % ((name,) * 4) for name in "ab"),
        LEAVE % (("c",) * 4),
        exits=", exit: [{set: {order: '{{ vars.order }}%s'}}]",
    ).send("app.t")
    assert play.vars["order"] == "cbaabc"


def test_what_was_on_its_way_acts_in_document_order_when_its_regions_are_left() -> None:
    rest = "{when: event.n == %d, do: [{say: %s}, {outcome: %s}]}"
    for order in permutations((1, 2)):
        play = Play(
            "events: {app.t: {n: integer}}\noutcomes: [a, b]\ninitial: p\nstates:\n  p:\n    parallel: true\n    states:\n"
            f"      a: {{on: {{app.t: {rest % (1, 'A', 'a')}}}}}\n      b: {{on: {{app.t: {rest % (2, 'B', 'b')}}}}}\n"
        )
        for n in order:
            play.send("app.t", n=n)
        play.send("call.hangup", leg="far_end")
        assert (play.state, play.outcome) == ("ending", "a")


def test_of_nested_states_that_are_left_together_the_inner_one_acts_first() -> None:
    for order in permutations(("app.outer", "app.inner")):
        play = Play(
            "vars: {order: {type: string, default: ''}}\nevents: {app.outer: {}, app.inner: {}, app.go: {}}\ninitial: o\nstates:\n"
            "  o:\n    initial: i\n    on: {app.go: b, app.outer: {do: [{say: O.}, {set: {order: '{{ vars.order }}o'}}]}}\n"
            "    states: {i: {on: {app.inner: {do: [{say: I.}, {set: {order: '{{ vars.order }}i'}}]}}}}\n  b: {}\n"
        )
        for name in order:
            play.send(name)
        assert play.send("app.go").vars["order"] == "io"


def test_of_lists_that_become_ready_together_the_oldest_runs_first() -> None:
    note = "entry: [{set: {order: '{{ vars.order }}%s'}}]"
    play = Play(
        "vars: {order: {type: string, default: ''}}\nevents: {app.go: {}, app.on: {}}\ninitial: s\nstates:\n"
        "  s: {on: {app.go: {target: p, do: [{say: One moment.}]}}}\n"
        "  p:\n    parallel: true\n    states:\n"
        f"      a: {{initial: x, states: {{x: {{on: {{app.on: y}}, {note % 'x'}}}, y: {{{note % 'y'}}}}}}}\n"
        f"      b: {{{note % 'b'}}}\n"
    )
    play.send("app.go").send("app.on")
    assert play.vars["order"] == ""
    assert play.end("say One moment.").vars["order"] == "by"  # `b` was entered before `y`


def test_a_history_reaches_as_far_as_the_state_in_which_it_is_written() -> None:
    """In SCXML this would leave no more than what stands inside `p.x`."""
    play = Play(
        "events: {app.back: {}, app.next: {}, app.out: {}, app.in: {}}\ninitial: p\nstates:\n"
        "  p:\n    initial: x\n    on: {app.out: out}\n    states:\n"
        "      h: {history: deep, initial: x}\n"
        "      x:\n        initial: a\n        states: {a: {on: {app.next: b, app.back: h}}, b: {}}\n"
        "  out: {on: {app.in: p.x.a}}\n"
    )
    play.send("app.next").send("app.out").send("app.in")  # it stands for `p.x.b`
    mark = len(play.trace)
    assert play.send("app.back").since(mark) == ["← p.x.a", "← p.x", "→ p.x", "→ p.x.b"]


def test_a_done_that_waits_is_dropped_with_its_state_also_where_that_is_entered_again() -> None:
    """In SCXML `done` would still be heard."""
    play = Play(
        "vars: {done: {type: integer, default: 0}}\nevents: {app.again: {}, app.go: {}}\ninitial: a\nstates:\n"
        "  a: {on: {app.go: {target: s, do: [{emit: app.again}]}}}\n"
        "  s: {on: {app.again: s, done: {do: [{set: {done: '{{ vars.done + 1 }}'}}]}}}\n"
    ).send("app.go")
    assert play.vars["done"] == 1
