"""Calls at random, of nothing but what can happen: every one of them comes to its end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import callflow
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.inputs import inputs
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import afterwards, refused
from tests.support.play import HEAD

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
NUMBER = "+15550100100"


class Walk:
    """One call, which takes what it is given of what can happen."""

    def __init__(self, flow):
        self.flow = flow
        needed = {name: NUMBER for name, one in flow.scopes[""].variables.items() if one.required}
        begun = callflow.start(flow, needed, env=dict.fromkeys(flow.env, NUMBER), waiting=not flow.outbound)
        self.snapshot, self.facts, self.now = begun.snapshot, AT_FIRST, 0.0
        self.taken = []

    def next(self):
        return list(inputs(self.flow, self.snapshot, self.facts, self.now))

    def take(self, event):
        assert refused(self.flow, self.snapshot, self.facts, event) is None
        self.facts = afterwards(self.flow, self.snapshot, self.facts, event)
        self.snapshot = callflow.step(self.flow, self.snapshot, event).snapshot
        self.now = event.time
        self.taken.append(event)


@pytest.mark.parametrize("path", FLOWS, ids=[path.stem for path in FLOWS])
def test_a_call_to_which_anything_has_happened_ends_once_nobody_is_there(path):
    flow = callflow.load(path)
    for seed in range(8):
        dice, walk = random.Random(seed), Walk(flow)
        for _ in range(25):
            if walk.snapshot.ended:
                break
            ways = walk.next()
            begun = [one for one in ways if not isinstance(one, Event)]
            heard = [one for one in ways if isinstance(one, Event) and not one.name.startswith("room.")]
            walk.take(dice.choice(dice.choice([one for one in (begun, heard, ways) if one])))
        for name in ("call.hangup", "session.close", "room.disconnected"):
            for event in walk.next():
                if isinstance(event, Event) and event.name == name:
                    walk.take(event)
                    break
        for _ in range(200):
            if walk.snapshot.ended:
                break
            ends = [one for one in walk.next() if not isinstance(one, Event)]
            assert ends, f"seed {seed}: nothing more can happen, and the call is not over: {walk.snapshot}"
            walk.take(next((one for one in ends if isinstance(one, EffectEnded)), ends[0]))
        assert walk.snapshot.ended, f"seed {seed}: {walk.taken}"


def test_each_way_in_which_something_can_happen_is_there_once():
    flow = callflow.loads(
        HEAD
        + """
env: [TRUNK]
events: {app.x: {n: {type: integer}}}
tools: {human: {description: A person., parameters: {why: {type: string}}}}
initial: talking
states:
  talking: {tools: [human], after: {5s: {do: [{log: five}]}}, on: {tool.human: calling}}
  calling: {entry: [{dial: {to: "+15551234567", trunk: "{{ env.TRUNK }}", leg: human, ringing_timeout: 20s}}], on: {dial.*: talking}}
""",
        check=False,
    )
    walk = Walk(flow)
    walk.take(Event("call.answered", {"leg": "far_end"}))
    before = walk.next()
    assert isinstance(before[0], TimerFired)
    assert before[0].time == 5.0
    assert Event("tool.human", {"why": "something"}, 0.0) in before
    assert Event("app.x", {"n": 1}, 0.0) in before
    assert [
        one.data["new_state"] for one in before if isinstance(one, Event) and one.name == "session.user_state_changed"
    ] == ["speaking", "listening"]
    assert len({repr(one) for one in before}) == len(before)
    names = [one.name for one in before if isinstance(one, Event)]
    assert {"call.hangup", "call.dropped", "dtmf.1", "room.disconnected", "job.shutdown"} <= set(names)
    assert not {"call.answered", "call.restored", "amd.human", "dial.answered", "done", "leg.human.hangup"} & set(names)

    walk.take(Event("tool.human", {"why": "something"}, 0.0))
    ends = [one for one in walk.next() if isinstance(one, EffectEnded)]
    assert [(one.status, one.result.get("result"), one.time) for one in ends] == [
        *(("ok", name, 0.0) for name in ("busy", "no_answer", "declined", "invalid", "failed")),
        ("failed", None, 0.0),
        ("timed_out", None, 25.0),
    ]  # nobody has picked up yet
    names = {one.name for one in walk.next() if isinstance(one, Event)}
    assert {"leg.human.ringing", "leg.human.answered"} <= names
    assert not {"leg.human.hangup", "leg.human.dtmf.1", "tool.human"} & names


@pytest.mark.parametrize("path", FLOWS, ids=[path.stem for path in FLOWS])
def test_what_was_looked_up_before_is_what_can_happen(path):
    flow = callflow.load(path)
    for seed in range(4):
        dice, walk = random.Random(seed), Walk(flow)
        for _ in range(40):
            ways = walk.next()
            flow.made.pop("inputs")
            assert ways == walk.next()
            assert all(refused(flow, walk.snapshot, walk.facts, one) is None for one in ways)
            if not ways:
                break
            begun = [one for one in ways if not isinstance(one, Event)]
            walk.take(dice.choice(dice.choice([one for one in (begun, ways) if one])))
