"""Sub-flows: what a file returns needs a state that it is the inside of."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import ROOT, Flow
from callflow.errors import Defect
from callflow.verify.places import defect, named


def returns_to_nobody(flow: Flow) -> Iterator[Defect]:
    """A final state of the main flow ends the call: there is no `done` that could bring what it returns to anybody."""
    for path, state in flow.states.items():
        if state.returns and state.parent == ROOT:
            yield defect(
                "returns-to-nobody", f"{named(path)} ends the call, and nobody gets what it `returns`", state.position,
                "take it out; a sub-flow is checked together with the flow that uses it, or by itself with `callflow check --sub-flow`",
                len(state.name),
            )  # fmt: skip
