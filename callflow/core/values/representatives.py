"""What comes from outside, by representatives: payloads, results and beginnings that stand for all others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import CALL_FIELDS
from callflow.core.expressions import ANY, TEXT, Type
from callflow.core.flow import ROOT, Field, Flow
from callflow.core.statechart.action_lists import Source, action_at, scope_at, writer_at
from callflow.core.statechart.structure import around, beside, subtree
from callflow.core.values import facts
from callflow.core.values.choices import choices, combined, plain
from callflow.core.values.demand import Demand
from callflow.core.values.readings import CLOCKS, TIME, Place
from callflow.core.values.signature import Signatures
from callflow.core.values.wants import Want
from callflow.core.verbs.verb import Verb

MOST = 32
"""Representatives of one payload, result or beginning; where there would be more, the others are not followed."""

_QUARTERS = 7 * 24 * 4

Payload = Mapping[str, Any]
Fields = Mapping[str, Field | Type]


class Unfollowed(NamedTuple):
    """An expression that puts more questions to what comes from outside than the representatives answer: its text, and where it
    stands (`file:line`)."""

    place: str
    source: str


class Beginning(NamedTuple):
    """What a call begins with: the main flow's variables, what guards ask of the environment, what the program knows of the call,
    and when, in seconds since the epoch."""

    vars: Mapping[str, Any]
    env: Mapping[str, str]
    call: Mapping[str, Any]
    time: float


class _Told(NamedTuple):
    """What tells payloads apart, and what is told apart by it."""

    payloads: tuple[Payload, ...]
    signatures: frozenset[Hashable]
    signature: Callable[[Payload], Hashable]
    compared: bool  # with what is only known in a call

    def has(self, data: Payload) -> bool:
        return self.compared or self.signature(data) in self.signatures


class Representatives:
    """Of one flow: see `representatives_of`. All are worked out when they are first asked for, and then known."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.demand = Demand(flow)
        self.signatures = Signatures(self.demand, flow.outcomes)
        self._payloads: dict[str, _Told] = {}
        self._results: dict[tuple[Source, str], _Told] = {}
        self._crowded: dict[Unfollowed, None] = {}

    def payloads(self, name: str) -> tuple[Payload, ...]:
        """Payloads of an event from outside, by its name: of the catalogue, of a leg, of the flow's own, of a tool."""
        return self._of_event(name).payloads

    def results(self, source: Source, verb: str, event: str) -> tuple[Payload, ...]:
        """What an effect may give that was started for the action at `source`: with the result that is this event, "" for a verb
        without named results."""
        return self._of_result(source, verb, event).payloads

    def has_payload(self, name: str, data: Payload) -> bool:
        """Whether an event with this payload leads where one of the representatives does."""
        return self._of_event(name).has(data)

    def has_result(self, source: Source, verb: str, event: str, data: Payload) -> bool:
        """Whether what an effect has given leads where one of the representatives does."""
        return self._of_result(source, verb, event).has(data)

    def errors(self, verb: str) -> tuple[str, ...]:
        """The sentences with which an effect of this verb may fail; empty where nobody asks."""
        entry, asked = verb_of(verb), Want()
        events = [
            event for event in ("failed", entry.error_result(False), entry.error_result(True)) if event is not None
        ]
        for event in events:
            asked.take(self.demand.of_event(event).get("error", Want()))
        places: list[Place] = [("event", event, "error") for event in events]
        return tuple(self._alone(places, choices(TEXT, asked))) if asked.asks else ()

    def beginnings(self) -> tuple[Beginning, ...]:
        """What a call may begin with: the variables that must be given, and those that may be, if guards ask for them; with their
        defaults first."""
        variables = self.flow.scopes[ROOT].variables
        given = {name for name in self.demand.readings.given if self._is_asked(("vars", ROOT, name))}
        begun = {name: one for name, one in variables.items() if one.required or name in given}
        kinds: dict[Place, Type] = {("vars", ROOT, name): one.type for name, one in begun.items()}
        kinds |= {("env", "", name): TEXT for name in self.flow.env if self._is_asked(("env", "", name))}
        kinds |= {
            ("call", "", name): kind
            for name, (kind, _) in CALL_FIELDS.items()
            if ("call", "", name) in self.demand.wants
        }
        for place in facts.TOLD_LATER:
            kinds.pop(place, None)
        asked = {
            str(number): [*self.demand.opening.get(place, ())] or choices(kind, self.demand.of(place))
            for number, (place, kind) in enumerate(kinds.items())
        }
        for number, (root, _, name) in enumerate(kinds):
            if root == "vars" and not begun[name].required:
                asked[str(number)].insert(0, begun[name].default)
        asked["time"] = self._times()

        def signature(made: Payload) -> Hashable:
            answers = [self.signatures.of(place, made[str(number)]) for number, place in enumerate(kinds)]
            return (*answers, made["time"])

        found = self._told_apart(combined({}, asked), signature, "the beginning of a call", {})
        return tuple(self._beginning(list(kinds), made) for made in found.payloads)

    @property
    def not_followed(self) -> tuple[Unfollowed, ...]:
        """Where values from outside are asked more than the representatives answer."""
        beyond = self.demand.beyond
        outside = self.demand.from_outside - CLOCKS
        found = {
            Unfollowed(at.place, text): None
            for place in beyond
            if place in outside
            for at, text in beyond[place].items()
        }
        for one in self.demand.readings.all:  # what goes round and round
            if id(one) in self.demand.rounds.leading and one.goes in outside:
                found[Unfollowed(one.position.place, one.source)] = None
        return tuple(self._crowded | found)

    @property
    def by_the_clock(self) -> tuple[Unfollowed, ...]:
        """Where it is asked what time it is, or how long the call has lasted: of that only how it is as the call begins is tried."""
        reading = (one for place in sorted(CLOCKS) for one in self.demand.readings.by_place.get(place, ()))
        return tuple(dict.fromkeys(Unfollowed(one.position.place, one.source) for one in reading if not one.is_told))

    def _is_asked(self, place: Place) -> bool:
        want = self.demand.of(place)
        return want is not None and want.asks

    def _beginning(self, places: list[Place], made: Payload) -> Beginning:
        values = {place: made[str(number)] for number, place in enumerate(places)}
        of = {
            root: {place[2]: value for place, value in values.items() if place[0] == root}
            for root in ("vars", "env", "call")
        }
        return Beginning(of["vars"], of["env"], of["call"], made["time"])

    def _times(self) -> list[Any]:
        """Times of the week: the first of each at which guards answer alike."""
        if TIME not in self.demand.wants:
            return [0.0]
        week = (900.0 * quarter for quarter in range(_QUARTERS))
        return [*{self.signatures.of(TIME, time): time for time in reversed([*week])}.values()]

    def _of_event(self, name: str) -> _Told:
        found = self._payloads.get(name)
        if found is None:
            found = self._payloads[name] = self._payloads_of(name)
        return found

    def _of_result(self, source: Source, verb: str, event: str) -> _Told:
        found = self._results.get((source, event))
        if found is None:
            found = self._results[source, event] = self._results_of(source, verb, event)
        return found

    def _payloads_of(self, name: str) -> _Told:
        fields = facts.fields_of(self.flow, name)
        asked = dict(self.demand.of_event(name))
        if name in facts.OF_FAR_END:
            for field in fields:
                want = self.demand.of(("call", "", field))
                if want is not None:
                    asked.setdefault(field, Want()).take(want)
        if name.startswith("tool.") and not facts.is_own(self.flow, name[5:]):
            asked.pop("result", None)  # what its `run` gives
        observed = facts.OBSERVED.get(name)
        values = self._values(name, fields, asked)
        for field, many in values.items():
            if observed is None or field != observed.field:
                values[field] = self._alone(self._places(name, field), many)
        if observed is not None:
            values[observed.field] = [*observed.values, *values.get(observed.field, ())]

        def signature(data: Payload) -> Hashable:
            return facts.observes(name, data), self.signatures.of_event(name, data)

        return self._told_apart(_together(fields, values), signature, name, asked)

    def _alone(self, places: Iterable[Place], values: Iterable[Any]) -> list[Any]:
        """Of one field's values those to which the answers differ, whatever the other fields hold. It stands at all these places."""
        found: dict[Hashable, Any] = {}
        for value in values:
            found.setdefault(tuple([self.signatures.of(place, value) for place in places]), value)
        return [*found.values()]

    def _places(self, name: str, field: str) -> list[Place]:
        """Where the value of an event's field stands."""
        return [("event", name, field), *([("call", "", field)] if name in facts.OF_FAR_END else [])]

    def _results_of(self, source: Source, verb: str, event: str) -> _Told:
        kind, key, _ = source
        entry, action = verb_of(verb), action_at(self.flow, source)
        fields: Fields = facts.result_fields(self.flow, entry, action, event)
        places: list[Place] = []
        if action is not None and action.save_as is not None:
            places.append(("vars", scope_at(self.flow, kind, key), action.save_as))
        if kind == "tool":
            places.append(("event", f"tool.{key}", "result"))
        asked = self._asked_of_result(entry, places, event)
        values = self._values(event, fields, asked)
        for field, usual in facts.usual(entry, action, event).items():
            values[field] = [*values.get(field, ()), *usual]
        for field, many in values.items():
            values[field] = [one for one in many if facts.may_give(entry, action, event, field, one)]
            if not places and not entry.value_alone:
                values[field] = self._alone(self._places(event, field), values[field])
        there = self._beside(writer_at(self.flow, kind, key)) if kind in ("entry", "stay", "task") else None

        def signature(data: Payload) -> Hashable:
            told = {"result": data.get("value")} if entry.value_alone else data
            answers = [self.signatures.of(place, data) for place in places]
            return tuple(answers), self.signatures.of_event(event, told, there) if event else None

        return self._told_apart(_together(fields, values), signature, f"a result of {verb}", asked)

    def _asked_of_result(self, verb: Verb, places: Iterable[Place], event: str) -> Mapping[str, Want]:
        """What is asked of a result, by field: where `as:` keeps it, and as the event that it becomes."""
        asked: dict[str, Want] = {}
        for place in places:
            whole = self.demand.of_event(place[1]).get(place[2]) if place[0] == "event" else self.demand.of(place)
            for step, want in ({} if whole is None else whole.inside).items():
                asked.setdefault(str(step), Want()).take(want)
        for field, want in self.demand.of_event(event).items() if event else ():
            asked.setdefault("value" if verb.value_alone and field == "result" else field, Want()).take(want)
        return asked

    def _beside(self, path: str) -> frozenset[str]:
        """The states that may be active while this one is: what it begins ends before it is left."""
        states = self.flow.states
        return frozenset({*around(states, path), *subtree(states, path), *beside(states, path)})

    def _values(self, name: str, fields: Fields, asked: Mapping[str, Want]) -> dict[str, list[Any]]:
        """The values of each field that is asked for, or of which something is known."""
        known = facts.known(name, fields)
        found: dict[str, list[Any]] = {}
        for field in dict.fromkeys((*fields, *asked)):
            one, want = fields.get(field), asked.get(field)
            if field in known:
                found[field] = known[field]
            elif one is None:
                if field == "sender" and name in self.flow.events:
                    found[field] = facts.senders(self.flow, name)
                elif facts.is_open(self.flow, name):
                    found[field] = choices(ANY, want, lacking=True)
            elif isinstance(one, Field) and one.enum:
                found[field] = [
                    *(one.enum if want is not None else one.enum[:1]),
                    *([] if one.required or want is None else [None]),
                ]
            elif want is not None:
                kind = facts.kind_of(name, field, facts.type_of(one), want)
                found[field] = choices(kind, want, lacking=facts.may_lack(name, field, one))
        return found

    def _told_apart(
        self,
        made: Iterable[Payload],
        signature: Callable[[Payload], Hashable],
        what: str,
        asked: Mapping[str, Want],
    ) -> _Told:
        """The first of those to which the flow's answers are the same."""
        found: dict[Hashable, Payload] = {}
        for data in made:
            found.setdefault(signature(data), data)
        if len(found) > MOST:
            self._crowded[Unfollowed(self.flow.file, f"{what}: {len(found)} representatives")] = None
        compared = any(want.compared for want in asked.values())
        return _Told(tuple([*found.values()][:MOST]), frozenset(found), signature, compared)


def _together(fields: Fields, values: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """All payloads: the values of the fields in all combinations. A text of the catalogue's that nobody reads is empty: there may be
    nothing to say."""
    return combined({field: "" if one == TEXT else plain(facts.type_of(one)) for field, one in fields.items()}, values)


def representatives_of(flow: Flow) -> Representatives:
    """Those of a flow, worked out once."""
    found: Representatives | None = flow.made.get("representatives")
    if found is None:
        found = flow.made["representatives"] = Representatives(flow)
    return found
