"""What is left of a call without what nobody reads goes on as the call does."""

from __future__ import annotations

import random
from typing import Any

import pytest

import callflow
from callflow.core.events import Event
from callflow.core.inputs import inputs
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import afterwards
from callflow.core.snapshot import Snapshot
from callflow.core.values.reads import Read, Reads, reads
from tests.core.oracle.duel import load
from tests.core.oracle.generate import Dice, flow_text
from tests.support.play import HEAD


def read(text: str, name: str) -> Read | None:
    flow = load(HEAD + text)
    return reads(flow).variables[""].get(name)


def counting(*guards: str, sets: tuple[str, ...] = ('"{{ vars.n + 1 }}"',), more: str = "") -> Read | None:
    """How a variable is read that is set so, by rows that ask this."""
    rows = ", ".join(f"{{when: '{guard}', target: b}}" for guard in guards)
    lists = ", ".join(f"{{set: {{n: {one}}}}}" for one in sets)
    return read(
        f"""
vars: {{n: {{type: integer, default: 0}}, m: {{type: integer, default: 0}}}}
initial: a
states: {{a: {{on: {{dtmf.1: [{rows}], dtmf.2: {{do: [{lists}{more}]}}}}}}, b: {{}}}}
""",
        "n",
    )


@pytest.mark.parametrize(
    ("guards", "sets", "found"),
    [
        (["vars.n < 3"], ['"{{ vars.n + 1 }}"'], (None, 3)),
        (["vars.n >= 3"], ['"{{ vars.n + 1 }}"'], (None, 3)),
        (["vars.n > 3"], ['"{{ vars.n + 1 }}"'], (None, 4)),
        (["vars.n == 3", "vars.n == 7"], ['"{{ vars.n + 2 }}"'], (None, 8)),
        (["vars.n + 1 > 3"], ['"{{ vars.n + 1 }}"'], (None, 3)),
        (["vars.n < 3"], ['"{{ vars.n - 1 }}"'], (2, None)),
        (["vars.n < 3"], ['"{{ vars.n + 1 }}"', "0"], (None, 3)),
        (["vars.n < 3"], ['"{{ vars.n + 1 }}"', '"{{ vars.n - 1 }}"'], (None, None)),
        (["vars.n < 3"], ['"{{ 4 - vars.n }}"'], (None, None)),
        (["vars.n < 3"], ['"{{ vars.n * 2 }}"'], (None, None)),
        (["vars.n < 3"], ["7"], (2, 3)),
        (["vars.n % 2 == 0"], ['"{{ vars.n + 1 }}"'], (None, None)),
        (["vars.n < vars.m"], ['"{{ vars.n + 1 }}"'], (None, 0)),  # nothing sets that
        ([], ['"{{ vars.n + 1 }}"'], None),
    ],
)
def test_a_counter_is_held_where_nothing_asks_for_more(guards, sets, found):
    one = counting(*(guards or ["true == is_set(vars.m)"]), sets=tuple(sets))
    if found is None:
        assert one is not None
        assert not one.decides
    else:
        assert one == Read(True, *found)


def test_what_is_made_of_it_asks_as_well():
    assert counting("vars.m > 10", more=', {set: {m: "{{ vars.n + 5 }}"}}') == Read(True, None, 6)
    assert counting("vars.m > 10", more=', {set: {m: "{{ vars.n }}"}}, {set: {m: "{{ vars.m - 1 }}"}}') == Read(
        True, None, None
    )
    back = ', {set: {m: "{{ vars.n }}"}}, {set: {n: "{{ vars.m + 1 }}"}}'
    assert counting("vars.m > 10", more=back) == Read(True, None, 11)


def test_only_shown_never_read_and_the_rest_of_what_a_call_knows():
    flow = load(
        HEAD
        + """
vars: {day: {type: string, default: x}, note: {type: integer, default: 0}, unread: {type: integer, default: 1}, reply: {type: string, default: ""}}
env: [MODE]
events: {app.x: {n: string, m: string}}
initial: a
states:
  a:
    entry: [{say: "{{ vars.day }} and {{ vars.note }}"}, {http: {url: "https://crm.example/", as: got}}]
    on:
      app.x: {do: [{log: "{{ event.n }}"}]}
      dtmf.1: [{target: b, when: 'state.visits > 2 and call.number == "+491"'}, {do: [{set: {unread: 2}}]}]
      dtmf.2: c
  b: {on: {dtmf.1: a}}
  c:
    initial: d
    states: {d: {}, h: {history: shallow, initial: d}}
    on: {dtmf.3: a}
"""
    )
    found = reads(flow)
    assert found.variables == {"": {"day": Read(False), "note": Read(False)}}
    assert found.visits == {"a": Read(True, None, 3)}
    assert found.call == {"number": Read(True), "outcome": Read(False)}  # which the reason of the shutdown shows
    assert (found.env, found.history) == ({}, frozenset())
    assert found.fields("app.x") == {"n": Read(False)}
    assert found.value("", "day", "Monday") == found.value("", "day", "Tuesday") == "Monday"
    assert found.value("", "day", None) is None
    assert found.value("", "unread", 7) is None
    assert found.value("", "note", 1) == found.value("", "note", 2) == 1  # though another stands beside it
    assert found.count("a", 9) == 3
    assert found.payload("app.x", {"n": "1", "m": "2"}) == {"n": "1"}
    assert found.of_call({"number": "+492", "name": "Ann"}) == {"number": "+492"}
    assert found.of_call({"number": "+493"}) == {"number": "+492"}
    assert found.of_call({"number": "+491"}) == {"number": "+491"}


def test_how_long_the_call_has_lasted_is_asked():
    flow = load(HEAD + "initial: a\nstates: {a: {on: {dtmf.1: {target: b, when: call.elapsed > 5m}}}, b: {}}\n")
    assert reads(flow).elapsed == (300.0,)


def left_of(found: Reads, snapshot: Snapshot) -> Snapshot:
    """A snapshot without what nobody reads."""
    memory = snapshot.memory
    values = {
        scope: {name: found.value(scope.partition("#")[0], name, value) for name, value in held.items()}
        for scope, held in memory.vars.items()
    }
    visits = {state: found.count(state, count) for state, count in memory.visits.items()}
    history = {path: one for path, one in memory.history.items() if path in found.history}
    lists = {seq: one._replace(event=told(found, one.event)) for seq, one in memory.lists.items()}
    kept = tuple(told(found, event) for event in memory.kept)
    memory = memory._replace(vars=values, visits=visits, history=history, lists=lists, kept=kept)
    return snapshot._replace(memory=memory)


def told(found: Reads, event: Event | None) -> Event | None:
    return None if event is None else event._replace(data=found.payload(event.name, event.data))


def seen(step: Any) -> tuple[Any, ...]:
    notes = [(one.kind, one.data) for one in step.notes if one.kind in ("guard", "outcome", "guard_error", "kept")]
    return step.snapshot.configuration, step.moves, notes


@pytest.mark.parametrize("seed", range(120))
def test_a_call_goes_on_as_it_does_without_what_nobody_reads(seed):
    flow = load(flow_text(Dice.seeded(seed)))
    dice, found = random.Random(seed), reads(flow)
    whole = callflow.start(flow, {}, env={}).snapshot
    left, facts, now = left_of(found, whole), AT_FIRST, 0.0
    for _ in range(60):
        ways = [
            one
            for one in inputs(flow, whole, facts, now)
            if not (isinstance(one, Event) and one.name.startswith("room."))
        ]
        if not ways:
            break
        apps = [one for one in ways if isinstance(one, Event) and one.name.startswith(("app.", "tool."))]
        event = dice.choice(dice.choice([one for one in (ways, apps) if one]))
        one, other = callflow.step(flow, whole, event), callflow.step(flow, left, event)
        assert seen(one) == seen(other)
        facts, now = afterwards(flow, whole, facts, event), event.time
        whole, left = one.snapshot, left_of(found, other.snapshot)
