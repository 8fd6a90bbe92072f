"""The questions that guards ask, traced back to where values come from: of `vars.n == "1"` whatever a list sets `n` to is asked as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from callflow.core.flow import ROOT, Flow, Position
from callflow.core.statechart.action_lists import every_list
from callflow.core.statechart.descriptors import matches
from callflow.core.values.examples import Examples
from callflow.core.values.inverse import equals
from callflow.core.values.opening import opening
from callflow.core.values.readings import Place, Reading, Readings
from callflow.core.values.rounds import Rounds
from callflow.core.values.turning import BEYOND, Turning
from callflow.core.values.wants import Path, Want


class Demand:
    """What is asked of every value of a flow. `beyond` are the places of the file in which something could not be followed; `opening`
    what those of the environment hold of which hours are made."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.readings = Readings(flow)
        self.opening = opening(self.readings.all)
        self.rounds = Rounds(self.readings.all)
        self._examples = Examples(flow, self.readings, self.rounds)
        self.wants: dict[Place, Want] = {}
        self.beyond: dict[Place, dict[Position, str]] = {}
        self._grown: list[Place] = []
        self._equal: dict[Place, set[Place]] = {}
        outcomes = Want(*sorted(flow.outcomes))
        for one in self.readings.all:
            turn = Turning(self, one)
            for place in one.places.values():
                self.wants.setdefault(place, Want())
            if one.decides:
                turn.condition(*one.parts)  # type: ignore[arg-type]
            elif one.what == "outcome":
                turn.value(outcomes)
            elif one.what == "key":
                turn.value(Want(beyond=True))
            else:
                turn.failures()
            if one.what == "segment":
                turn.value(Want(""))
        self._spread()

    def of(self, place: Place) -> Want | None:
        """What is asked of a value; None where nothing reads it."""
        return self.wants.get(place)

    def of_event(self, name: str) -> Mapping[str, Want]:
        """What is asked of the payload of an event, by field."""
        found: dict[str, Want] = {}
        for (root, descriptor, field), want in self.wants.items():
            if root == "event" and matches(descriptor, name):
                found.setdefault(field, Want()).take(want)
        return found

    def ask(self, place: Place, path: Path, want: Want, reading: Reading) -> None:
        """Asks something of a value."""
        if want.beyond:
            self.beyond.setdefault(place, {})[reading.position] = reading.source
        known = self.wants.setdefault(place, Want())
        before = path and not _has(known, path)
        if known.at(path).take(want) or before:
            self._grown.append(place)

    @cached_property
    def from_outside(self) -> frozenset[Place]:
        """The places whose values come from outside, as they are or through lists."""
        readings = self.readings
        found = {place for place in self.wants if place[0] in ("event", "call", "env", "time", "result")}
        variables = self._flow.scopes[ROOT].variables
        found |= {("vars", ROOT, name) for name, one in variables.items() if one.required or name in readings.given}
        for written in every_list(self._flow):
            found |= {("vars", written.scope, one.save_as) for one in written.actions if one.save_as is not None}
        while True:
            more = {
                one.goes
                for one in readings.all
                if one.goes is not None and one.goes not in found and not found.isdisjoint(one.places.values())
            }
            if not more:
                return frozenset(found)
            found |= more

    def equal(self, one: Place, other: Place) -> bool:
        """Two values that are compared: each is asked what the other is. False: one of them is worked out."""
        self._equal.setdefault(one, set()).add(other)
        self._equal.setdefault(other, set()).add(one)
        return not any(self.rounds.worked_out(place) for place in (one, other))

    def written(self, place: Place) -> Want:
        """Whether a value equals one of those that the flow itself has written at a place, or where that has its values from."""
        sources = [source for source in self.readings.written if place in self.rounds.reach(source)]
        values = [value for source in sources for value in self.readings.written[source]]
        return equals(*values, *(item for value in values if isinstance(value, (list, tuple)) for item in value))

    def examples(self, places: Iterable[Place]) -> Want:
        """Values that all of these places can have."""
        return self._examples.of(places)

    def constants(self, scope: str) -> Mapping[str, Any]:
        """The variables that are what they are by default."""
        return self.readings.never_set.get(scope, {})

    def _spread(self) -> None:
        """Until nothing more is asked."""
        goals: dict[Place, list[Reading]] = {}
        for one in self.readings.all:
            if one.goes is not None:
                goals.setdefault(one.goes, []).append(one)
        self._grown = [*self.wants]
        while self._grown:
            place = self._grown.pop()
            want = self.wants[place]
            for other in sorted(self._equal.get(place, ())):
                if self.wants.setdefault(other, Want()).take(want):
                    self._grown.append(other)
            for one in self._into(goals, place):
                inner = _found(want, one.inside)
                if inner is not None and id(one) not in self.rounds.leading:
                    Turning(self, one).value(inner)
                elif inner is not None:
                    for other in one.places.values():
                        if other not in self.rounds.together(place):
                            self.ask(other, (), BEYOND, one)

    def _into(self, goals: Mapping[Place, list[Reading]], place: Place) -> Iterator[Reading]:
        root, descriptor, field = place
        if root != "event":
            yield from goals.get(place, ())
            return
        for (kind, event, name), readings in goals.items():
            if kind == "event" and name == field and matches(descriptor, event):
                yield from readings


def _has(want: Want, path: Path) -> bool:
    return _found(want, path) is not None


def _found(want: Want, path: Path) -> Want | None:
    """What is asked of a part, None where nothing asks for it."""
    found: Want | None = want
    for step in path:
        found = None if found is None else found.inside.get(step)
    return found
