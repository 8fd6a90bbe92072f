"""Guards of which it is not followed whether they hold."""

from __future__ import annotations

from callflow.core.expressions.nodes import Call, nodes
from callflow.core.flow import Flow, Position, Transition
from callflow.core.values.demand import Demand
from callflow.core.values.readings import TIME, Place, Reading
from callflow.core.values.representatives import representatives_of

_ELAPSED: Place = ("call", "", "elapsed")


class Unknown:
    """Those that ask how long the call lasts, what the environment holds beside hours, and more than the values that stand for all
    others answer."""

    def __init__(self, flow: Flow) -> None:
        known = representatives_of(flow)
        self._demand = known.demand
        self._outside = _outside(known.demand)
        self._places = {one.place for one in known.not_followed}
        self._at: set[Position] = {
            one.position for one in known.demand.readings.all if one.decides and self._asks_more(one)
        }

    def __contains__(self, row: Transition) -> bool:
        return row.guard is not None and (row.position in self._at or row.position.place in self._places)

    def _asks_more(self, one: Reading) -> bool:
        places = {*one.places.values()} - {*self._demand.opening}
        by_the_hour = any(isinstance(node, Call) and node.function == "in_hours" for node in nodes(one.trees[0]))
        return bool(places & self._outside) or (TIME in places and not by_the_hour)


def _outside(demand: Demand) -> frozenset[Place]:
    """What is one value in all calls that are followed, and wherever it is kept. Of the time of day it is only as the call begins."""
    sources = [_ELAPSED, TIME, *(place for place in demand.wants if place[0] == "env")]
    return frozenset().union(*map(demand.rounds.reach, sources)) - {TIME}
