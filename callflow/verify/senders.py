"""Who may send the flow's own events."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.core.statechart.action_lists import actions_during, given
from callflow.core.statechart.descriptors import Events
from callflow.errors import Defect
from callflow.verify.places import warning


def senders_named(flow: Flow) -> Iterator[Defect]:
    """A flow that waits for an event from outside says who may send it: what is not said is the program's alone."""
    said = {*flow.senders, *given(actions_during(flow), "event")}
    unsaid = Events(name for name in flow.events if name not in said)
    told: set[str] = set()
    asked: set[str] = set()
    for state in flow.states.values():
        for row in state.rows:
            if row.pattern in asked or not row.transitions:
                continue
            asked.add(row.pattern)
            for name in unsaid.named(row.pattern):
                if name in told:
                    continue
                told.add(name)
                yield warning(
                    "program-alone", f"`{name}` is taken from the program alone (`call.send`): nobody in the room may send it",
                    row.position, f"say who may: `senders: {{{name}: [far_end]}}`, or `senders: {{{name}: program}}`", len(row.pattern),
                )  # fmt: skip
