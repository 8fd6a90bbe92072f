"""The key of a snapshot. That equal keys go on in the same way is held by every step of `test_against_oracle.py`; here, that
whatever matters makes them differ."""

from __future__ import annotations

from typing import Any

import pytest

from callflow import loads, start, step
from callflow.core.events import Event
from callflow.core.key import LEFT_OUT, key
from callflow.core.snapshot import PARTS, ActionList, Leg, Memory, Needless, Running, Silence, Snapshot, Timer
from tests.support.play import HEAD

NOW = 1000.0
DIAL = Running(1, "dial", "a", 1, ("entry", "a", 0), 990.0, leg="far_end")
SPEECH = Running(2, "say", "a", None, ("entry", "a", 1), 990.0)
FULL = Memory(
    started=900.0,
    vars={"": {"n": 1}, "a#3": {"m": 1}},
    env={"TRUNK": "ST_1"},
    call={"id": "c"},
    lists={
        1: ActionList(1, "entry", "a", "a", "a", effect=1),
        2: ActionList(2, "late", "a", "a", 4, event=Event("tool.help", {}, 995.0), instance="a#3"),
    },
    effects={1: DIAL, 2: SPEECH},
    timers=(Timer(1, "after", "a", 0, 1005.0),),
    silences={"a": Silence("a", 1.0, 998.0)},
    kept=(Event("app.x", {"n": 1}, 997.0),),
    held=(Event("call.hangup", {}, 996.0),),
    history={"h": ("a",)},
    visits={"a": 1},
    finished=frozenset({"a"}),
    legs={"far_end": Leg("far_end", "on_line", {"number": "+1"}), "human": Leg("human", "on_line")},
    needless=Needless("dtmf.pound", 1002.0),
)
OTHERWISE: dict[str, list[Any]] = {
    "vars": [{"": {"n": 2}}, {"": {"n": 1.0}, "a#3": {"m": 1}}, {"": {"n": True}, "a#3": {"m": 1}}],
    "env": [{"TRUNK": "ST_2"}],
    "call": [{"id": "d"}],
    "phase": ["final"],
    "lists": [
        {1: FULL.lists[1]},
        {**FULL.lists, 1: FULL.lists[1].at(1)},
        {**FULL.lists, 1: FULL.lists[1]._replace(effect=2)},
        {**FULL.lists, 1: FULL.lists[1]._replace(stopped=True)},
        {**FULL.lists, 2: FULL.lists[2]._replace(instance=None)},
        {**FULL.lists, 2: FULL.lists[2]._replace(event=Event("tool.help", {}, 994.0))},
        {**FULL.lists, 2: FULL.lists[2]._replace(event=Event("tool.help", {}, 995.0, id="call_1"))},
        {**FULL.lists, 2: FULL.lists[2]._replace(event=Event("tool.help", {}, 995.0, effect=2))},
        {**FULL.lists, 2: FULL.lists[2]._replace(event=Event("tool.help", {}, 995.0, offered_in=("a",)))},
    ],
    "effects": [
        {2: SPEECH, 1: DIAL},
        {1: DIAL},
        {1: DIAL._replace(list=2), 2: SPEECH},
        {1: DIAL._replace(started=980.0), 2: SPEECH},  # `dial.no_answer` says how long it rang
        {1: DIAL, 2: SPEECH._replace(quiet=True)},
        {1: DIAL, 2: SPEECH._replace(stopping=True, seq=1)},
        {1: DIAL, 2: SPEECH._replace(stopping=True, seq=5)},
        {1: DIAL, 2: SPEECH._replace(terminator=("dtmf.pound", 3.0))},
    ],
    "timers": [
        (),
        (Timer(1, "after", "a", 0, 1006.0),),
        (Timer(1, "after", "a", 1, 1005.0),),
        (Timer(1, "stop", "", 1, 1005.0),),
        (Timer(1, "stop", "", 2, 1005.0),),
        (Timer(1, "away", "", 0, 1005.0),),
        (Timer(1, "away", "", 1, 1005.0),),
    ],
    "silences": [{}, {"a": Silence("a", 1.0, None)}, {"a": Silence("a", 2.0, 998.0)}, {"a": Silence("a", 1.0, 998.0, (0,))}],
    "kept": [(), (Event("app.x", {"n": 2}, 997.0),), (Event("app.x", {"n": 1}, 998.0),)],
    "held": [(), (Event("call.hangup", {}, 995.0),)],
    "history": [{"h": ("b",)}],
    "visits": [{"a": 2}],
    "finished": [frozenset()],
    "legs": [{"far_end": Leg("far_end", "hold", {"number": "+1"}), "human": FULL.legs["human"]}],
    "needless": [None, Needless("dtmf.star", 1002.0), Needless("dtmf.pound", 1001.0)],
    "caller_speaks": [True],
    "agent_busy": [True],
    "others_speak": [True],
    "muted": [True],
    "caller_muted": [True],
    "cut_off": [True],
    "closed": [frozenset({"line"})],
    "closing": [frozenset({"line"})],
    "outcome": ["done"],
    "fault": ["say failed"],
    "faults": [1],
    "final": ["closed"],
}  # fmt: skip


def at(memory: Memory, entered: int = 0, leaf: str = "a") -> Snapshot:
    return Snapshot((leaf,), memory, entered)


def test_every_part_of_the_memory_is_in_it_or_named_as_left_out():
    assert OTHERWISE.keys() | LEFT_OUT == set(PARTS)
    assert not OTHERWISE.keys() & LEFT_OUT


@pytest.mark.parametrize("part", OTHERWISE)
def test_what_matters_makes_it_another(part):
    for other in OTHERWISE[part]:
        assert key(at(FULL._replace(**{part: other})), NOW) != key(at(FULL), NOW), other


def test_so_do_the_states_and_what_counts_as_no_progress():
    assert len({key(at(FULL), NOW), key(at(FULL, 1), NOW), key(at(FULL, 0, "b"), NOW), key(at(FULL), NOW + 1)}) == 4


def test_what_is_done_with_does_not():
    assert {key(at(FULL._replace(**{name: 77})), NOW) for name in LEFT_OUT} == {key(at(FULL), NOW)}
    speech = {1: DIAL, 2: SPEECH._replace(started=980.0)}  # nobody can read how long it has been said
    assert key(at(FULL._replace(effects=speech)), NOW) == key(at(FULL), NOW)
    ids = [FULL.lists[2]._replace(event=Event("tool.help", {}, 995.0, id=call)) for call in ("call_1", "call_2")]
    assert len({key(at(FULL._replace(lists={**FULL.lists, 2: one})), NOW) for one in ids}) == 1
    ended = FULL.lists[2]._replace(event=Event("tool.help", {}, 995.0, effect=9))
    assert key(at(FULL._replace(lists={**FULL.lists, 2: ended})), NOW) == key(at(FULL), NOW)


def test_a_value_of_the_programs_own_type_is_compared_as_what_it_is():
    class Number(str):
        __slots__ = ()

    class Money(int):
        __slots__ = ()

    def knows(value: Any) -> Snapshot:
        return at(FULL._replace(call={"x": value}))

    assert key(knows(Number("+1")), NOW) == key(knows("+1"), NOW)
    assert len({key(knows(value), NOW) for value in (Money(1), 1, object, [Money(1)], [1], (1,), {"a": Money(1)})}) == 7


def test_snapshots_that_are_equal_have_equal_hashes():
    again = FULL._replace(vars={"a#3": {"m": 1}, "": {"n": 1.0}}, effects={2: SPEECH, 1: DIAL})
    assert again == FULL
    assert hash(at(again)) == hash(at(FULL))
    different = {at(FULL), at(FULL._replace(vars={"": {"n": [1, {"a": 2}]}})), at(FULL._replace(outcome="done"))}
    assert len(different) == 3


def test_a_variable_that_becomes_another_of_the_same_value_is_set():
    flow = loads(
        HEAD
        + """
vars: {n: {type: number, default: 1}}
events: {app.x: {}}
initial: a
states: {a: {on: {app.x: {do: [{set: {n: "{{ vars.n * 1.0 }}"}}]}}}}
""",
        check=False,
    )
    before = start(flow).snapshot
    after = step(flow, before, Event("app.x")).snapshot
    assert repr((before.vars["n"], after.vars["n"])) == "(1, 1.0)"
    assert key(before, NOW) != key(after, NOW)
