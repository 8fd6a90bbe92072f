"""States that must finish and lead into each other: what is kept has to come out somewhere."""

from __future__ import annotations

import pytest

import callflow
from callflow import EffectEnded, Event
from tests.verify.test_static import codes

SAVE = "entry: [{http: {url: 'https://crm.example/', optional: true}}]"
HEAD = "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {on: {dtmf.1: a}}\n"


@pytest.mark.parametrize(
    "states",
    [
        f"  a: {{must_finish: true, {SAVE}, on: {{done: b}}}}\n  b: {{must_finish: true, {SAVE}, on: {{done: a}}}}\n",
        f"  a: {{must_finish: true, {SAVE}, on: {{done: a, failed: a}}}}\n",
        (
            f"  a: {{must_finish: true, {SAVE}, on: {{done: b}}}}\n"
            f"  b: {{initial: c, states: {{c: {{must_finish: true, {SAVE}, on: {{done: a}}}}}}}}\n"
        ),
        (
            f"  a: {{must_finish: true, {SAVE}, on: {{done: [{{target: b, when: vars.tries > 1}}, a]}}}}\n"
            f"  b: {{must_finish: true, {SAVE}, on: {{done: a}}}}\n"
        ),
    ],
)
def test_round_and_round(states: str) -> None:
    assert codes(HEAD + states) == ["end-kept-for-ever"]


@pytest.mark.parametrize(
    "states",
    [
        # somewhere between them the hang-up is taken
        f"  a: {{must_finish: true, {SAVE}, on: {{done: b}}}}\n  b: {{{SAVE}, on: {{done: a}}}}\n",
        f"  a: {{must_finish: true, {SAVE}, on: {{done: b}}}}\n  b: {{must_finish: true, {SAVE}}}\n",
        f"  a: {{must_finish: true, {SAVE}, on: {{done: b}}}}\n  b: {{must_finish: true, {SAVE}, on: {{done: ending}}}}\n",
        # another try, and then no more
        f"  a: {{must_finish: true, {SAVE}, on: {{done: [{{target: a, when: vars.tries < 3}}, talking]}}}}\n",
        f"  a: {{must_finish: true, {SAVE}, on: {{done: [{{do: [{{log: Once.}}], when: vars.tries < 3}}, a]}}}}\n",
        f"  a: {{must_finish: true, {SAVE}, on: {{done: a, failed: talking}}}}\n",
    ],
)
def test_comes_out(states: str) -> None:
    assert codes(HEAD + states) == []


def test_what_is_refused_would_keep_a_hang_up_for_ever() -> None:
    flow = callflow.loads(
        "callflow: 1\nname: round\nstandard: false\nending: end\ninitial: a\n"
        "on: {call.hangup: end, room.disconnected: end, job.shutdown: end}\nafter: {10m: end}\n"
        f"states:\n  a: {{must_finish: true, {SAVE}, on: {{done: b}}}}\n"
        f"  b: {{must_finish: true, {SAVE}, on: {{done: a}}}}\n"
        "  end: {entry: [hang_up], on: {done: over}}\n  over: {final: true}\n",
        check=False,
    )
    step = callflow.start(flow)
    step = callflow.step(flow, step.snapshot, Event("call.hangup", {"leg": "far_end"}))
    for number in range(1, 200):
        step = callflow.step(flow, step.snapshot, EffectEnded(number, "ok"))
    assert [event.name for event in step.snapshot.kept] == ["call.hangup"]


@pytest.mark.parametrize(
    "inside",
    [
        "initial: x, states: {x: {on: {dtmf.2: y}}, y: {}}",
        "parallel: true, states: {x: {initial: y, states: {y: {on: {done: z}}, z: {final: true}}}, w: {}}",
    ],
)
def test_a_row_for_a_done_that_never_comes(inside: str) -> None:
    assert codes(f"states: {{talking: {{{inside}, on: {{done: ending}}}}}}\n") == ["never-done"]
    assert codes(f"states: {{talking: {{{inside}}}}}\n") == []


def test_a_row_for_a_done_that_comes() -> None:
    inside = "parallel: true, states: {x: {initial: y, states: {y: {on: {done: z}}, z: {final: true}}}}"
    assert codes(f"states: {{talking: {{{inside}, on: {{done: ending}}}}}}\n") == []
