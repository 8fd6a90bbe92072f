"""Patterns and the names of events that they stand for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callflow.core.events import EVENTS
from callflow.core.statechart.descriptors import matches, matches_any

NAMES = st.sampled_from([*EVENTS, "tool.x", "tool.xy", "app.done", "done", "dial", "amd.machine"])
PATTERNS = NAMES | NAMES.map(lambda name: name[: name.rfind(".") + 1] + "*") | st.just("amd.machine-*") | st.just("*")


def test_a_pattern_names_what_begins_so():
    assert matches("dial.*", "dial.answered")
    assert matches("amd.machine-*", "amd.machine-vm")
    assert not matches("tool.x", "tool.xy")
    assert not matches("tool.xy", "tool.x")
    assert not matches("dial*", "dial.answered")


@given(PATTERNS, st.sets(NAMES, max_size=4))
def test_any_of_several_is_one_of_them(pattern, names):
    assert matches_any(pattern, names) == any(matches(pattern, name) for name in names)
