"""Tools: a row that waits for one needs a state that offers it."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.verify.places import defect


def offered_tools(flow: Flow) -> Iterator[Defect]:
    """A tool of the flow's that a row waits for is offered to the model by some state; the agent's own are its business."""
    offered = {name for state in flow.states.values() for name in state.tools}
    for state in flow.states.values():
        for row in state.rows:
            name = row.pattern.removeprefix("tool.")
            tool = flow.tools.get(name) if row.pattern.startswith("tool.") else None
            if tool is not None and not tool.own and name not in offered:
                message = f"no state offers the tool `{name}`, so that the model can never call it"
                hint = f"add `tools: [{name}]` to a state, or declare it with `own: true` if the agent brings it"
                yield defect("tool-not-offered", message, row.position, hint, len(row.pattern))
