"""What can happen to a call, and when. That nothing else happens is held of every call that the tests play in a simulated room
(`tests/support/possible.py`), and here of those that were recorded once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import callflow
from callflow.core.events import EVENTS, EffectEnded, Event, TimerFired
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import afterwards, refused
from callflow.journal import read_journal, replay
from tests.runtime.test_old_journals import flow_of
from tests.support.play import HEAD
from tests.support.possible import impossible

JOURNALS = sorted((Path(__file__).parents[1] / "journals").glob("*/*.jsonl"))

FLOW = callflow.loads(
    HEAD
    + """
env: [TRUNK]
events: {app.x: {}}
tools: {human: {description: A person.}, own: {own: true}}
initial: talking
states:
  talking:
    tools: [human]
    after: {5s: {do: [{log: five}]}, 9s: {do: [{log: nine}]}}
    on: {tool.human: calling, app.x: {do: [{log: x}]}}
  calling:
    entry: [{dial: {to: "+15551234567", trunk: "{{ env.TRUNK }}", leg: human, detect_machine: true}}]
    on: {dial.answered: together, dial.*: talking}
  together: {on: {amd.human: talking}}
""",
    check=False,
)


class Told:
    """A call, told what happens as long as it can."""

    def __init__(self, *events: object) -> None:
        self.snapshot = callflow.start(FLOW, env={"TRUNK": "ST_1"}).snapshot
        self.facts = AT_FIRST
        for event in events:
            self.hears(event)

    def why_not(self, event: object) -> str | None:
        return refused(FLOW, self.snapshot, self.facts, self._input(event))

    def hears(self, event: object) -> None:
        assert self.why_not(event) is None, event
        entry = self._input(event)
        self.facts = afterwards(FLOW, self.snapshot, self.facts, entry)
        self.snapshot = callflow.step(FLOW, self.snapshot, entry).snapshot

    def _input(self, event):
        if isinstance(event, Due):
            timers = self.snapshot.memory.timers
            return next(TimerFired(one.generation, event.time) for one in timers if one[2:4] == ("talking", event.row))
        return Event(event) if isinstance(event, str) else event


class Due(NamedTuple):
    """A timer of `talking`."""

    row: int
    time: float


ANSWERED = EffectEnded(1, "ok", {"result": "answered", "leg": "human"})


@pytest.mark.parametrize("path", JOURNALS, ids=[f"{path.parent.name}-{path.stem}" for path in JOURNALS])
def test_all_that_was_recorded_can_happen(path):
    flow = flow_of(path)
    assert [*impossible(flow, replay(flow, read_journal(path)))] == []


def test_every_event_of_the_catalogue_says_when():
    for entry in EVENTS.values():
        assert entry.occurs, entry.name
        assert all(way.needs or way.as_result or way.raised for way in entry.occurs), entry.name


@pytest.mark.parametrize(
    ("told", "event", "why"),
    [
        ((), "call.answered", "far_end is on_line"),
        ((), "call.restored", "far_end is on_line, and call.restored comes only where it is dropped or hold"),
        (("call.dropped",), "call.dropped", "far_end is dropped"),
        (("call.hangup",), "call.hangup", "far_end is gone"),
        (("call.hangup",), "dtmf.1", "far_end is gone"),
        ((), "leg.human.hangup", "human is absent"),
        (("tool.human",), "leg.human.hangup", "human is dialing"),
        (("tool.human",), "leg.human.dtmf.1", "human is dialing"),
        (("room.disconnected",), "call.dropped", "comes only with room"),
        (("room.disconnected",), "room.disconnected", "comes only with room"),
        ((), "room.reconnected", "comes only with away"),
        (("room.reconnecting",), "room.reconnecting", "comes only without away"),
        (("room.reconnecting", "room.disconnected"), "room.reconnected", "comes only with away and room"),
        (("session.close", "session.close"), "session.close", "comes only with closing"),
        (("session.close", "session.close"), "session.user_state_changed", "comes only with session"),
        (("session.close", "session.close"), "tool.human", "the session is closed"),
        (("job.shutdown",), "job.shutdown", "comes only with job"),
        ((), "amd.human", "comes only with detection"),
        (("tool.human", "leg.human.answered", ANSWERED, "amd.human"), "amd.human", "comes only with detection"),
        ((), "dial.busy", "does not come from outside"),
        ((), "dtmf.input", "does not come from outside"),
        ((), "done", "does not come from outside"),
        ((), "app.unheard_of", "no event of this flow"),
        ((), "leg.human", "no event of this flow"),
        (("tool.human",), "tool.human", "no state offers human"),
        ((), EffectEnded(1, "ok"), "there is no effect 1"),
        (("tool.human",), EffectEnded(1, "ok"), "dial. is no result of dial"),
        (("tool.human",), EffectEnded(1, "timed_out", time=34.0), "dial 1 is not out of time"),
        (("tool.human",), EffectEnded(1, "cancelled"), "nobody has cancelled dial 1"),
        ((), Due(0, 4.0), "due at 5"),
        ((), Due(1, 9.0), "not the next one"),
        ((), TimerFired(77, 9.0), "there is no timer 77"),
    ],
)  # fmt: skip
def test_what_cannot_happen(told, event, why):
    assert why in str(Told(*told).why_not(event))


@pytest.mark.parametrize(
    "told",
    [
        ("call.dropped", "call.restored", "call.dropped", "call.hangup", "call.answered"),
        ("room.reconnecting", "room.reconnected", "room.reconnecting", "room.disconnected"),
        (
            "room.reconnecting",
            Event("room.disconnected", {"reason": "OUT_OF_REACH"}),
            "room.reconnected",
            "room.disconnected",
        ),
        ("tool.human", "leg.human.ringing", "leg.human.answered", ANSWERED, "amd.human", "leg.human.dtmf.1"),
        ("tool.human", EffectEnded(1, "timed_out", time=35.0), "tool.human", EffectEnded(2, "failed")),
        ("tool.own", "app.x", "session.close", "job.shutdown", "app.x"),
        (Event("tool.human", offered_in=("talking",)), Event("tool.human", offered_in=("talking",))),
        (Due(0, 5.0), Due(1, 9.0)),
    ],
)
def test_what_can(told):
    Told(*told)
