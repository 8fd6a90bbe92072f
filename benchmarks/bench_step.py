"""The pure step on the phone call of `phone.py`: flat, three levels deep, and replayed with the verdicts of a journal."""

from __future__ import annotations

import time

import callflow
from benchmarks.phone import WALK, as_flow, expected
from callflow.core.events import Event
from callflow.core.key import Key, key
from callflow.core.macrostep import Verdicts
from callflow.core.snapshot import Snapshot, Step

EVENTS = [Event(f"app.{event}", {}, 1.0) for event, _ in WALK]


class Pure:
    """callflow's step, with the verdicts of a recorded call in place of the guards where `replays`."""

    def __init__(self, name: str, deep: int = 1, *, replays: bool = False) -> None:
        self.name = name
        self.flow = callflow.loads(as_flow(deep), check=False)  # its `ending` waits for an event, as the others' do
        self.first = callflow.start(self.flow, time=0.0).snapshot
        steps = walk(self)
        self._recorded = [_verdicts(step) if replays else None for step in steps]

    def seconds(self, number: int) -> float:
        flow, step = self.flow, callflow.step
        log: list[str] = []
        began = time.process_time()
        for _ in range(number):
            log, snapshot = [], self.first
            for event, recorded in zip(EVENTS, self._recorded, strict=True):
                done = step(flow, snapshot, event, recorded=recorded)
                snapshot = done.snapshot
                for note in done.notes:
                    if note.kind == "log":
                        log.append(note.data["message"])
        took = time.process_time() - began
        assert log == expected(), log
        return took / number / len(EVENTS)


class Seen:
    """Whether a snapshot was seen before, ids and absolute times apart: what who explores a flow asks after each step."""

    name = "a key, and whether it was seen"

    def __init__(self) -> None:
        self._snapshots = [step.snapshot for step in walk(Pure(self.name))]

    def seconds(self, number: int) -> float:
        began = time.process_time()
        for _ in range(number):
            seen: set[Key] = set()
            for snapshot in self._snapshots:
                seen.add(key(snapshot, 1.0))
        took = time.process_time() - began
        assert len(seen) == len(
            self._snapshots
        )  # no round is like the one before: tries and entered states are counted
        return took / number / len(EVENTS)


def walk(pure: Pure) -> list[Step]:
    """The steps of one call."""
    steps: list[Step] = []
    snapshot: Snapshot = pure.first
    for event in EVENTS:
        steps.append(callflow.step(pure.flow, snapshot, event))
        snapshot = steps[-1].snapshot
    return steps


def _verdicts(step: Step) -> Verdicts:
    """As `callflow.journal` reads them off a journal's line."""
    return Verdicts(tuple(bool(note.data["holds"]) for note in step.notes if note.kind == "guard"), {})
