"""Snapshots survive JSON, every field of theirs, also one that is added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import UnionType, new_class
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

import callflow
from callflow.core import codec
from callflow.core.snapshot import VERSION, Leg, Memory, Snapshot

FLOW = callflow.loads(
    "callflow: 1\nname: desk\ninitial: talking\nstates: {talking: {entry: [{say: Hello.}], after: {1m: ending}}}"
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def of(kind: Any) -> st.SearchStrategy[Any]:
    """All that may stand in a field of this type, as JSON has it."""
    origin, inside = (
        get_origin(kind),
        [of(one) for one in get_args(kind) if one is not ...] if get_origin(kind) is not Literal else [],
    )
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin in (Union, UnionType):
        return st.one_of(inside)
    if origin is Mapping:
        return st.dictionaries(*inside, max_size=2)
    if origin is frozenset:
        return st.frozensets(inside[0], max_size=2)
    if origin is tuple:
        return st.lists(inside[0], max_size=2).map(tuple) if get_args(kind)[-1] is ... else st.tuples(*inside)
    if hasattr(kind, "_fields"):
        return st.builds(kind, **{name: of(one) for name, one in get_type_hints(kind).items()})
    plain = {Any: VALUES, float: st.floats(allow_nan=False, allow_infinity=False)}
    return plain[kind] if kind in plain else st.from_type(kind)


def again(snapshot):
    return codec.from_json(FLOW, json.loads(json.dumps(codec.to_json(FLOW, snapshot))))


@given(memory=of(Memory), entered=of(int))
def test_whatever_stands_in_a_snapshot_survives_json(memory, entered):
    snapshot = Snapshot(("talking",), memory, entered)
    assert again(snapshot) == snapshot
    assert hash(again(snapshot)) == hash(snapshot)


def record(name, fields):
    """A NamedTuple as a class statement makes it."""
    return new_class(
        name, (NamedTuple,), exec_body=lambda body: body.update(__annotations__=fields, __module__=__name__)
    )


def test_a_field_that_is_added_is_written_and_read(monkeypatch):
    wider = record("Snapshot", {**get_type_hints(Snapshot), "added": tuple[Leg, ...]})
    monkeypatch.setattr(codec, "Snapshot", wider)
    snapshot = wider(*callflow.start(FLOW).snapshot, added=(Leg("human", "ringing", {"to": "1"}),))
    assert again(snapshot) == snapshot


def written(**changed):
    return json.loads(json.dumps(codec.to_json(FLOW, callflow.start(FLOW).snapshot))) | changed


def without(name):
    memory = written()["memory"]
    del memory[name]
    return written(memory=memory)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "this is not a snapshot"),
        ({}, "this is not a snapshot"),
        (written(version=VERSION + 1), f"is of version {VERSION + 1}, this callflow reads version {VERSION}"),
        (written(flow="shop"), "is of the flow 'shop', not of 'desk'"),
        (written(configuration=["gone"]), "is in the state 'gone', which this flow does not have"),
        (written(configuration=5), "cannot be read"),
        (written(memory=[]), "cannot be read"),
        (without("timers"), "cannot be read: KeyError('timers')"),
        (written(memory=written()["memory"] | {"mood": "good"}), "mood"),
        (written(memory=written()["memory"] | {"phase": "asleep"}), "asleep"),
        (written(memory=written()["memory"] | {"timers": [{"due": 1.0}]}), "generation"),
        (written(memory=written()["memory"] | {"visits": {"talking": "often"}}), "often"),
    ],
)  # fmt: skip
def test_what_is_no_snapshot_of_this_flow_is_refused(data, says):
    with pytest.raises(callflow.SnapshotError) as refused:
        codec.from_json(FLOW, data)
    assert says in str(refused.value)
