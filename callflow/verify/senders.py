"""Who may send the flow's own events."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.core.statechart.descriptors import named
from callflow.core.statechart.lists import actions_during, given
from callflow.errors import Defect
from callflow.verify.places import warning


def senders_named(flow: Flow) -> Iterator[Defect]:
    """A flow that waits for an event from outside says who may send it: what is not said is the program's alone."""
    said = {*flow.senders, *given(actions_during(flow), "event")}
    unsaid = dict.fromkeys(name for name in flow.events if name not in said)
    for state in flow.states.values():
        for row in state.rows if unsaid else ():
            for name in named(row.pattern, unsaid) if row.transitions else ():
                del unsaid[name]
                yield warning(
                    "program-alone", f"`{name}` is taken from the program alone (`call.send`): nobody in the room may send it",
                    row.position, f"say who may: `senders: {{{name}: [far_end]}}`, or `senders: {{{name}: program}}`", len(row.pattern),
                )  # fmt: skip
