"""Values that are the same on both sides of a comparison: whatever can come of the narrower one.

Two values from outside that are compared have to be tried both equal and not. Keys that are pressed are digits, and as many as are
asked for, a word is one of a few, a number to be called has a form: what they are compared with is tried as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.events import CALL_FIELDS
from callflow.core.expressions import ANY, TEXT, Type
from callflow.core.expressions.types import is_textual
from callflow.core.flow import Field, Flow
from callflow.core.statechart.action_lists import every_list
from callflow.core.statechart.descriptors import matches
from callflow.core.values import facts
from callflow.core.values.choices import others
from callflow.core.values.readings import Place, Readings
from callflow.core.values.rounds import Rounds
from callflow.core.values.wants import Want

_KEYED = "dtmf.input"
_KEYS = ("1", "2")


class Examples:
    """Of one flow."""

    def __init__(self, flow: Flow, readings: Readings, rounds: Rounds) -> None:
        self._flow = flow
        self._readings = readings
        self._rounds = rounds

    def of(self, places: Iterable[Place]) -> Want:
        """Two values, at least, that all of these places can have, by where they have them from; nothing of numbers, which are tried
        alike everywhere."""
        goals = {*places}
        sources = [one for one in self._sources() if not goals.isdisjoint(self._rounds.reach(one))]
        found = [value for source in sources for value in self._narrow(source)]
        texts = any(self._type(source) in (TEXT, ANY) for source in sources)
        return Want(examples=found or (others(TEXT)[:2] if texts else ()))

    def _sources(self) -> Iterator[Place]:
        yield from self._readings.by_place
        yield from (place for place in self._readings.by_goal if place not in self._readings.by_place)

    def _narrow(self, place: Place) -> Iterator[Any]:
        root, descriptor, field = place
        if (root, field) == ("event", "digits"):
            yield from self._pressed() if matches(descriptor, _KEYED) else ()
        elif (root, field) == ("event", "digit"):
            yield from _KEYS
        elif root == "vars" and place in self._saved_keys:
            yield from self._pressed()
        elif (words := self._declared(place)) is not None:
            yield from words[:2]
        else:
            kind = self._type(place)
            yield from others(kind)[:2] if is_textual(kind) and kind != TEXT else ()

    def _pressed(self) -> Iterator[str]:
        """Keys of two kinds, as many as are asked for somewhere."""
        for written in every_list(self._flow):
            for action in written.actions:
                verb = verb_of(action.verb)
                if verb.takes_keys:
                    usual = facts.usual(verb, action, _KEYED)["digits"]
                    yield from [keys for keys in usual if facts.may_give(verb, action, _KEYED, "digits", keys)][:2]

    @property
    def _saved_keys(self) -> frozenset[Place]:
        return frozenset(
            ("vars", written.scope, action.save_as)
            for written in every_list(self._flow)
            for action in written.actions
            if action.save_as is not None and verb_of(action.verb).takes_keys
        )

    def _declared(self, place: Place) -> Sequence[Any] | None:
        """The few values that a field of the flow's own may have."""
        root, descriptor, field = place
        one = facts.fields_of(self._flow, descriptor).get(field) if root == "event" else None
        return one.enum or None if isinstance(one, Field) else None

    def _type(self, place: Place) -> Type:
        root, descriptor, field = place
        if root == "vars":
            return self._readings.type_of(place)
        if root == "call":
            return CALL_FIELDS[field][0] if field in CALL_FIELDS else ANY
        if root == "env":
            return TEXT
        one: Field | Type = facts.fields_of(self._flow, descriptor).get(field, ANY) if root == "event" else ANY
        return facts.type_of(one)
