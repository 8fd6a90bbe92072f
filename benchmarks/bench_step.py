"""A flat pure step, with its Step value, beside a hand-written look-up and beside a trigger of transitions' Machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from transitions import Machine

import callflow
from benchmarks.measure import Ratio, in_turn
from callflow.core.events import Event

FLOW = """
callflow: 1
name: flat
events: {app.next: {}, app.back: {}}
limits: {no_progress: 1000000}
initial: dialing
states:
  dialing: {on: {app.next: talking}}
  talking: {on: {app.next: booking, app.back: dialing}}
  booking: {on: {app.next: paying, app.back: talking}}
  paying: {on: {app.next: dialing, app.back: booking}}
"""


class ByHand:
    """What one would write without a framework: a dictionary, a look-up that may miss, a state."""

    table: ClassVar[dict[tuple[str, str], str]] = {
        ("dialing", "app.next"): "talking",
        ("talking", "app.next"): "booking",
        ("talking", "app.back"): "dialing",
        ("booking", "app.next"): "paying",
        ("booking", "app.back"): "talking",
        ("paying", "app.next"): "dialing",
        ("paying", "app.back"): "booking",
    }

    def __init__(self) -> None:
        self.state = "dialing"

    def step(self, event: Event) -> str:
        self.state = self.table.get((self.state, event.name), self.state)
        return self.state


def ratios() -> Iterator[Ratio]:
    flow = callflow.loads(FLOW)
    event = Event("app.next", {}, 1.0)
    by_hand = ByHand()
    snapshot = callflow.start(flow, time=0.0).snapshot
    step = callflow.step

    def ours() -> None:
        nonlocal snapshot
        snapshot = step(flow, snapshot, event).snapshot
        if snapshot.entered > 900_000:
            snapshot = snapshot._replace(entered=0)

    def hand() -> None:
        by_hand.step(event)

    names = ["dialing", "talking", "booking", "paying"]
    machine = Machine(states=names, initial="dialing", auto_transitions=False)
    for source, target in zip(names, names[1:] + names[:1], strict=True):
        machine.add_transition("go", source, target)

    mine, theirs = in_turn(ours, hand)
    yield Ratio("flat step, with its Step", mine, theirs, "s", "a hand-written dictionary look-up", 4.0)
    mine, theirs = in_turn(ours, machine.go)  # type: ignore[attr-defined]
    yield Ratio("flat step, with its Step", mine, theirs, "s", "transitions.Machine: times faster", 10.0, at_least=True)
