"""What of a call's memory can matter to whatever comes next: which values are read, and which of them make the same difference."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple

from callflow.core.events import STATE_EVENTS
from callflow.core.flow import Flow
from callflow.core.statechart.descriptors import matches
from callflow.core.values.demand import Demand
from callflow.core.values.facts import OBSERVED, observes
from callflow.core.values.readings import Place
from callflow.core.values.representatives import representatives_of
from callflow.core.values.wants import Want, between, is_number, same


class Read(NamedTuple):
    """How a value is read. `decides`: by guards, at once or by way of others, or by a text that cannot be rendered for some values;
    else it is only shown, and it matters whether it is there. `least` and `most`: a smaller or a larger number makes no other
    difference; None where that is not known, or there is no such bound."""

    decides: bool
    least: float | None = None
    most: float | None = None

    def held(self, number: float) -> float:
        """A number within its bounds."""
        if self.most is not None and number > self.most:
            return self.most
        return self.least if self.least is not None and number < self.least else number


class Reads:
    """What is ever read in one flow, and what is left of a value without what nobody asks. One that is not in here is never read.

    `history` are the history states that something leads to.
    """

    def __init__(self, flow: Flow) -> None:
        found = representatives_of(flow)
        self._demand: Demand = found.demand
        self._signatures = found.signatures
        self.variables: dict[str, dict[str, Read]] = {path: {} for path in flow.scopes}
        self.visits: dict[str, Read] = {}
        self.call: dict[str, Read] = {}
        self.env: dict[str, Read] = {}
        for place in self._demand.wants:
            root, scope, name = place
            if root == "vars":
                self.variables.setdefault(scope, {})[name] = self._read(place)
            elif root == "visits":
                self.visits[scope] = self._read(place)
            elif root in ("call", "env"):
                (self.call if root == "call" else self.env)[name] = self._read(place)
        targets = {move.target for move in flow.transitions} | {state.initial for state in flow.states.values()}
        self.history = frozenset(path for path in targets if path is not None and flow.states[path].kind == "history")
        self._known: dict[Hashable, Any] = {}
        self._alike: dict[Hashable, Any] = {}

    def fields(self, event: str) -> Mapping[str, Read]:
        """The fields of an event's payload that are read, by its name."""
        return {
            place[2]: self._read(place)
            for place in self._demand.wants
            if place[0] == "event" and matches(place[1], event)
        }

    def value(self, scope: str, name: str, value: Any) -> Any:
        """What is left of a variable's value: the first one that has been asked about here and makes the same difference; None for one
        that nobody reads."""
        key = scope, name, same(value), type(value)
        if key not in self._known:
            self._known[key] = self._left_of(("vars", scope, name), value)
        return self._known[key]

    def count(self, state: str, visits: int) -> int:
        """What is left of how often a state was entered."""
        one = self.visits.get(state)
        return 0 if one is None else int(one.held(visits))

    def of_call(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is left of what is known of the call, or of its far end."""
        return {
            field: self._alike.setdefault(("call", field, self._signatures.of(("call", "", field), value)), value)
            for field, value in data.items()
            if field in self.call
        }

    @property
    def elapsed(self) -> tuple[float, ...]:
        """The seconds that a call has lasted at which some guard decides otherwise."""
        want = self._demand.of(("call", "", "elapsed"))
        return () if want is None else tuple(sorted({cut.at for cut in want.cuts}))

    def payload(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is left of the payload of an event whose rows, or lists, have yet to read it."""
        key = name, same(data), repr([type(value) for value in data.values()])
        if key not in self._known:
            self._known[key] = self._left_of_payload(name, data)
        found: Mapping[str, Any] = self._known[key]
        return found

    def _left_of_payload(self, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if " " in name or name in STATE_EVENTS:  # timers, and what is for one state
            return data
        kept = {*self.fields(name), "leg", *([OBSERVED[name].field] if name in OBSERVED else ())}
        left = {field: value for field, value in data.items() if field in kept}
        alike = name, self._signatures.of_event(name, left), data.get("leg"), observes(name, data)
        found: Mapping[str, Any] = self._alike.setdefault(alike, left)
        return found

    def _left_of(self, place: Place, value: Any) -> Any:
        one = self.variables.get(place[1], {}).get(place[2])
        if one is None:
            return None
        if is_number(value) and (one.least is not None or one.most is not None):
            held = one.held(value)
            return type(value)(held) if held != value else value
        if (
            is_number(value) and not one.decides
        ):  # one is shown as well as another, also where each is made of the one before
            return self._alike.setdefault(place, value)
        kind = type(value)
        return self._alike.setdefault((place, kind, self._signatures.of(place, value)), value)

    def _read(self, place: Place) -> Read:
        demand = self._demand
        around = demand.rounds.together(place)
        decides = any(_decides(want) for other in demand.rounds.reach(place) if (want := demand.of(other)) is not None)
        numbers = [*self._bounds(around)]
        if not numbers or not all(_in_numbers(demand.wants[other]) for other in around if other in demand.wants):
            return Read(decides)
        least = min(numbers) if demand.rounds.holds(place, up=False) else None
        return Read(decides, least, max(numbers) if demand.rounds.holds(place, up=True) else None)

    def _bounds(self, places: frozenset[Place]) -> Iterator[float]:
        """Numbers on both sides of all that is asked."""
        cuts = {cut for place in places if (want := self._demand.of(place)) is not None for cut in want.cuts}
        whole = all(float(cut.at).is_integer() for cut in cuts)
        yield from between(cuts, whole=whole)


def _decides(want: Want) -> bool:
    return (
        bool(want.values or want.cuts or want.lengths or want.beyond or want.compared)
        or any(step for step in want.inside if isinstance(step, int))
        or any(_decides(one) for one in want.inside.values())
    )


def _in_numbers(want: Want) -> bool:
    """Whether nothing else is asked than how large a number is."""
    return not (want.beyond or want.compared or want.lengths or want.inside or want.values)


def reads(flow: Flow) -> Reads:
    """What is read in a flow. What values were asked about is remembered by this object alone."""
    return Reads(flow)
