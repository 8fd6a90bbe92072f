"""Opening hours that are read from the environment: those that nobody knows before, and that are tried both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callflow.core.expressions.nodes import Call, Node, nodes
from callflow.core.values.readings import Place, Reading, names_in

OPEN = "daily 00:00-24:00"
SHUT = "Sun 03:00-03:01"
"""Open for so short a time in a week that a call meets it only where it begins on purpose then."""

_ZONE = "UTC"


def opening(readings: Iterable[Reading]) -> Mapping[Place, tuple[str, ...]]:
    """What the places of the environment hold that are the hours, or the zone, of an `in_hours`, in the order in which it is tried."""
    found: dict[Place, tuple[str, ...]] = {}
    for one in readings:
        for call in _asked(one):
            for argument, values in zip(call.arguments[1:], ((OPEN, SHUT), (_ZONE,)), strict=False):
                found |= dict.fromkeys(_environment(one, argument), values)
    return found


def _asked(one: Reading) -> Iterable[Call]:
    for tree in one.trees:
        for node in nodes(tree):
            if isinstance(node, Call) and node.function == "in_hours":
                yield node


def _environment(one: Reading, argument: Node) -> Iterable[Place]:
    return (place for place in map(one.here.place, names_in(argument)) if place[0] == "env")
