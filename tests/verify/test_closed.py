"""What drops the line leads on."""

from __future__ import annotations

import pytest

from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read_loads
from callflow.verify import check


def told(states: str) -> list[str]:
    flow, defects = read_loads(whole(f"states:\n  talking: {{{states}}}\n  other: {{on: {{dtmf.9: talking}}}}\n"))
    assert flow is not None, defects
    return [f"{one.column} {one.message}" for one in check(flow) if one.code == "line-down-and-stays"]


GOES = "on: {dtmf.0: other, "


@pytest.mark.parametrize(
    "states",
    [
        GOES + "dtmf.1: {do: [delete_room]}}",
        GOES + "dtmf.1: {do: [{say: Bye.}, {delete_room: {timeout: 2s}}]}}",
        GOES + "dtmf.1: {do: [hang_up]}}",
        GOES + "dtmf.1: {do: [{hang_up: Goodbye.}]}}",
        GOES + "app.over: {do: [hang_up]}}",
        "on: {dtmf.0: other}, after: {5s: {do: [delete_room]}}",
        "on: {dtmf.0: other}, every: {5s: {do: [delete_room]}}",
        "on: {dtmf.0: other}, silence: {5s: {do: [delete_room]}}",
        "on: {dtmf.0: other}, entry: [delete_room]",
        "on: {dtmf.0: other}, entry: [{say: Bye.}, hang_up]",
        "on: {dtmf.0: {target: other, do: [delete_room]}}",
        "on: {dtmf.0: other}, exit: [hang_up]",
        "on: {dtmf.0: other}, initial: a, states: {a: {entry: [delete_room]}}",
    ],
)
def test_nothing_leads_out_of_where_it_leaves_the_call(states):
    assert len(told(states)) == 1


@pytest.mark.parametrize(
    "states",
    [
        "on: {dtmf.0: other, dtmf.1: {target: ending, do: [delete_room]}}",
        "on: {dtmf.0: other, dtmf.1: {do: [delete_room]}}, after: {5s: ending}",
        "on: {dtmf.0: other, dtmf.1: {do: [delete_room, {emit: app.over}]}, app.over: ending}",
        "on: {dtmf.0: other, done: ending}, entry: [delete_room]",
        "on: {dtmf.0: other}, entry: [hang_up], always: {target: ending, when: state.visits > 1}",
        "on: {dtmf.0: other, done: ending}, initial: a, states: {a: {entry: [delete_room], on: {done: b}}, b: {final: true}}",
        "on: {dtmf.0: other, dtmf.1: {do: [{hang_up: {for: agent}}]}}",
        "on: {dtmf.0: other, dtmf.1: {do: [stand_by]}}",
        "on: {dtmf.0: other, dtmf.1: {do: [{remove_participant: far_end}]}}",
        "on: {dtmf.0: other}, parallel: true, states: {a: {entry: [delete_room]}, b: {after: {5s: ending}}}",
    ],
)
def test_something_does(states):
    assert told(states) == []
