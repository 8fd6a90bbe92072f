"""What `make bench` plays: calls of every flow to copy, and in them what comes to a call."""

from __future__ import annotations

from benchmarks.calls import CALLS
from benchmarks.recorded import FLOWS, kind, played
from callflow.core.events import EffectEnded


def test_every_flow_has_a_recorded_call():
    assert {call.flow for call in CALLS} == {path.stem for path in FLOWS.glob("*.yaml")}


def test_they_come_to_what_they_are_recorded_for():
    """Of some, which are those of hang-ups and transfers."""
    steps = played([call for call in CALLS if call.flow in ("smallest", "cold-transfer", "warm-transfer")])
    names = {one.event.name for one in steps if hasattr(one.event, "name")}
    assert {"call.hangup", "job.shutdown", "tool.end_call", "tool.call_back", "leg.human.hangup"} <= names
    ends = [one.event.result.get("result") for one in steps if isinstance(one.event, EffectEnded) and one.event.result]
    assert {"completed", "failed", "accepted", "declined"} <= set(ends)
    assert {"tool calls", "tool calls that leave two states", "effect ends", "room.*"} <= set(map(kind, steps))
