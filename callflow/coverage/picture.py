"""Coverage in the picture of a flow."""

from __future__ import annotations

from callflow.core.flow import Flow
from callflow.coverage.measure import Coverage
from callflow.coverage.things import inventory_of


def uncovered(coverage: Coverage, flow: Flow) -> frozenset[str | int]:
    """The paths of states and the numbers of rows that are not covered, for `diagram.draw(flow, missing=…)`."""
    known, counted = inventory_of(flow), coverage.counted
    parts = (known.rows.items(), known.states.items())
    return frozenset(key for part in parts for key, thing in part if thing not in counted or not counted[thing].counts)
