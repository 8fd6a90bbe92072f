"""States without a way in: the ones from which the others are come to are told, and no others."""

from __future__ import annotations

import pytest

from callflow.flowfile.loader import read_loads


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"a": "b", "b": "c", "c": None}, ["a"]),
        ({"c": None, "b": "c", "a": "b"}, ["a"]),
        ({"a": "b", "b": "c", "c": "a"}, ["a"]),
        ({"a": "b", "b": "a", "c": "b"}, ["c"]),
        ({"a": "b", "b": "a", "c": "b", "d": "a"}, ["c", "d"]),
        ({"a": "b", "b": None, "c": "b"}, ["a", "c"]),
        ({"a": "a", "b": "a"}, ["b"]),
        ({"a": "s0"}, ["a"]),
    ],
    ids=["a chain", "from its end", "a ring", "a ring with a way in", "with two", "two ways to one", "one that leads to itself", "one that leads on"],
)  # fmt: skip
def test_the_first_state_of_each_way_is_told(rows, told):
    states = "".join(f"  {name}: {{on: {{dtmf.1: {target}}}}}\n" if target else f"  {name}: {{}}\n" for name, target in rows.items())  # fmt: skip
    flow, defects = read_loads(f"callflow: 1\nname: ways\ninitial: s0\nstates:\n  s0: {{}}\n{states}")
    assert flow is None
    assert {one.code for one in defects} == {"no-way-in"}
    assert [one.message for one in defects] == [f"nothing leads to the state `{name}`" for name in told]
