"""Variables that are made of themselves, at once or by way of others: counters, and what grows or shrinks with them.

A number that only grows need not be known exactly once it is above all that it is compared with: that is where it is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from callflow.core.expressions.nodes import Arithmetic, Field, Name, Negative, Node
from callflow.core.expressions.nodes import Literal as Constant
from callflow.core.values.readings import Place, Reading
from callflow.core.values.wants import is_number

Way = Literal["same", "up", "down", "turned", "else"]
"""What becomes of a number on its way to another place: it is the same there, larger, smaller, of the other sign (`4 - x`), or
nobody knows what."""


def way_of(reading: Reading) -> Way:
    """What a template makes of the one value that it reads."""
    return _way(reading.parts[0]) if len(reading.parts) == 1 and isinstance(reading.parts[0], Node) else "else"


def _way(node: Node) -> Way:
    match node:
        case Field(base=Name()):
            return "same"
        case Negative(operand=Field(base=Name())):
            return "turned"
        case Arithmetic(operator="+", left=Field(base=Name()), right=Constant(value=number)) if is_number(number):
            return _moved(number)
        case Arithmetic(operator="+", left=Constant(value=number), right=Field(base=Name())) if is_number(number):
            return _moved(number)
        case Arithmetic(operator="-", left=Field(base=Name()), right=Constant(value=number)) if is_number(number):
            return _moved(-number)
        case Arithmetic(operator="-", left=Constant(value=number), right=Field(base=Name())) if is_number(number):
            return "turned"
    return "else"


def _moved(number: float) -> Way:
    return "up" if number > 0 else "down" if number < 0 else "same"


class Rounds:
    """How the values of a flow's variables go round. `leading` are the readings by which one becomes another on its way back to
    where it was."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._edges: dict[Place, list[tuple[Way, Place, Reading]]] = {}
        for one in readings:
            if one.goes is not None:
                for place in one.places.values():
                    self._edges.setdefault(place, []).append((way_of(one), one.goes, one))
        self._reach: dict[Place, frozenset[Place]] = {}
        self.leading = frozenset(
            id(one)
            for place, edges in self._edges.items()
            for way, goes, one in edges
            if way != "same" and place in self.reach(goes)
        )

    def reach(self, place: Place) -> frozenset[Place]:
        """A place, and all to which its value goes."""
        found = self._reach.get(place)
        if found is None:
            seen, waiting = {place}, [place]
            while waiting:
                for _, goes, _ in self._edges.get(waiting.pop(), ()):
                    if goes not in seen:
                        seen.add(goes)
                        waiting.append(goes)
            found = self._reach[place] = frozenset(seen)
        return found

    def worked_out(self, place: Place) -> bool:
        """Whether a value becomes another on its way to here."""
        return any(
            way != "same" and place in self.reach(goes) for edges in self._edges.values() for way, goes, _ in edges
        )

    def together(self, place: Place) -> frozenset[Place]:
        """The places from which a value comes back to this one, itself as well."""
        return frozenset(other for other in self.reach(place) if place in self.reach(other))

    def leads_round(self, place: Place) -> bool:
        """Whether a value becomes another on its way back to here."""
        return any(
            id(one) in self.leading for other in self.together(place) for _, _, one in self._edges.get(other, ())
        )

    def holds(self, place: Place, up: bool) -> bool:
        """Whether a number may be held where nothing asks for a larger one, or, not `up`, for a smaller one: whatever is made of it
        moves that way alone."""
        return self._holds(place, up, frozenset())

    def _holds(self, place: Place, up: bool, seen: frozenset[Place]) -> bool:
        if place in seen:
            return True
        if place[0] == "visits" and not up:
            return False
        around = self.together(place)
        seen = seen | around
        for other in around:
            for way, goes, _ in self._edges.get(other, ()):
                if goes in around:
                    if way not in ("same", "up" if up else "down"):
                        return False
                elif way == "else":
                    if any(self.leads_round(one) for one in self.reach(goes)):
                        return False
                elif not self._holds(goes, up is not (way == "turned"), seen):
                    return False
        return True
