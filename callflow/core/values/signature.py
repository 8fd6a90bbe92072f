"""The answers that a flow gets of a value: two values of which all are the same lead to the same, whatever else happens.

A part of a guard that reads nothing else answers true or false; what a list makes of the value is a value in its turn, and is asked
on. Where something else is read as well the answer is the value itself: nothing more is known than that it is this one.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from callflow.core.expressions import TEXT, Context
from callflow.core.expressions.compile import compiled
from callflow.core.expressions.expression import SURPRISES
from callflow.core.expressions.nodes import nodes
from callflow.core.expressions.problems import Failed
from callflow.core.statechart.descriptors import matches
from callflow.core.values.choices import choices
from callflow.core.values.demand import Demand
from callflow.core.values.facts import OF_FAR_END
from callflow.core.values.readings import COMPUTED, FAILED, TIME, Place, Reading, chains, names_in
from callflow.core.values.turning import can_fail
from callflow.core.values.wants import Want, same

Answers = tuple[Any, ...]


class Signatures:
    """The answers of one flow."""

    def __init__(self, demand: Demand, outcomes: frozenset[str]) -> None:
        self._demand = demand
        self._outcomes = outcomes
        self._readings = demand.readings
        self._tried: dict[Place, frozenset[Any]] = {}
        self._opening = demand.opening

    def of(self, place: Place, value: Any) -> Answers:
        """The answers to a value at one place."""
        return (value is None, *self._of(place, value, {}))

    def of_event(self, name: str, data: Mapping[str, Any], there: Container[str] | None = None) -> Answers:
        """Those to an event's payload, of all rows that hear it; of those of some states, where no others are `there`."""
        found: list[Any] = []
        for one in self._heard(name):
            if there is not None and one.here.state not in there:
                continue
            places = one.places
            known = {
                place: data.get(place[2], name if place[2] == "name" else None)
                for place in places.values()
                if place[0] == "event"
            }
            found.append(self._answer(one, known, {"name": name, **data}, {}))
        if name in OF_FAR_END:
            said = (place for place in self._demand.wants if place[0] == "call" and place not in COMPUTED)
            found += (self.of(place, data.get(place[2])) for place in said)
        return tuple(found)

    def _heard(self, name: str) -> Iterator[Reading]:
        for one in self._readings.all:
            if any(place[0] == "event" and matches(place[1], name) for place in one.places.values()):
                yield one

    def _of(self, place: Place, value: Any, seen: Mapping[Place, Any]) -> Iterator[Any]:
        for one in self._reading(place):
            yield self._answer(
                one, {place: value}, {place[2]: value} if place[0] == "event" else {}, {**seen, place: same(value)}
            )

    def _reading(self, place: Place) -> Iterator[Reading]:
        """What reads a place; of an event's field, what hears that event."""
        if place[0] != "event":
            yield from self._readings.by_place.get(place, ())
            return
        for other, readings in self._readings.by_place.items():
            if other[0] == "event" and other[2] == place[2] and matches(other[1], place[1]):
                yield from readings

    def _answer(
        self, one: Reading, known: Mapping[Place, Any], event: Mapping[str, Any], seen: Mapping[Place, Any]
    ) -> Any:
        others = {
            place
            for name, place in one.places.items()
            if place not in known
            and not self._is_constant(one, name)
            and not (place[0] == "event" and place[2] in event)
        }
        if others and one.is_told and not any(can_fail(node) for part in one.trees for node in nodes(part)):
            return self._shown(one, known, event)
        if others - {TIME} or (others and not one.is_told):
            return tuple(sorted((place, repr(self._told(place, value))) for place, value in known.items()))
        value = one.answer(self._context(one, known, event))
        if one.decides or value is FAILED:
            return value
        if one.is_told:
            return value is None or (one.what == "segment" and value == "")
        if one.what == "outcome":
            return value in self._outcomes, value if self._outcome_is_read else None
        if one.what == "key" or one.goes is None:
            return same(value)
        if one.goes in seen:  # round and round: where it becomes another, nobody knows what comes of it
            return None if seen[one.goes] == same(value) else same(value)
        if one.inside:
            inner = value
            for step in reversed(one.inside):
                inner = {step: inner} if isinstance(step, str) else [inner]
            return self._part(one.goes, one.inside, value, inner, seen)
        return (value is None, *self._of(one.goes, value, seen))

    def _told(self, place: Place, value: Any) -> Any:
        """A value; of a text that is only compared with others, and is none of those that they are tried as, that it is none."""
        want = self._demand.of(place)
        if not isinstance(value, str) or want is None or not want.compared or not want.followed:
            return same(value)
        tried = self._tried.get(place)
        if tried is None:
            tried = self._tried[place] = frozenset(map(same, choices(TEXT, want)))
        return value if value in tried else None

    def _shown(self, one: Reading, known: Mapping[Place, Any], event: Mapping[str, Any]) -> Answers:
        """Of a text that shows others as well: whether what it reads here is there, and can be written."""
        context = self._context(one, known, event)
        found: list[Any] = []
        for node in (node for part in one.trees for node in chains(part)):
            if any(one.here.place(name) not in known for name in names_in(node)):
                continue
            try:
                value = compiled(node)(context)
                refused = one.what == "segment" and value == ""
                written = None if value is None else isinstance(value, (list, tuple, Mapping))
                found.append(FAILED if refused else written)
            except (Failed, *SURPRISES):
                found.append(FAILED)
        return tuple(found)

    def _part(
        self, goes: Place, inside: tuple[str | int, ...], value: Any, whole: Any, seen: Mapping[Place, Any]
    ) -> Any:
        """A value that becomes a part of a record."""
        want: Want | None = self._demand.of(goes)
        for step in inside:
            want = None if want is None else want.inside.get(step)
        return value is None if want is None else (value is None, *self._of(goes, whole, seen))

    @property
    def _outcome_is_read(self) -> bool:
        return ("call", "", "outcome") in self._demand.wants

    def _is_constant(self, one: Reading, name: str) -> bool:
        root, _, field = name.partition(".")
        if root == "env":  # of times of the week none is opening hours that nobody knows
            return ("env", "", field) in self._opening
        return root == "vars" and field in self._readings.never_set.get(one.here.scope, {})

    def _context(self, one: Reading, known: Mapping[Place, Any], event: Mapping[str, Any]) -> Context:
        names: dict[str, dict[str, Any]] = {
            "vars": dict(self._readings.never_set.get(one.here.scope, {})),
            "event": {"time": 0.0, **event},
            "env": {name: values[0] for (_, _, name), values in self._opening.items()},
        }
        others: dict[str, Any] = {}
        for name, place in one.places.items():
            if place in known:
                root, _, field = name.partition(".")
                (names.setdefault(root, {}) if field else others)[field or root] = known[place]
        return Context(
            names["event"], names["vars"], names.get("call", {}), names.get("env", {}), names.get("state", {}), others
        )
