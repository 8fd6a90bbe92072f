"""Lists of actions that are on their way, and wait behind each other: what can pile up is counted, and told apart no more than it has
to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from callflow.core.actions import verb_of
from callflow.core.events import NO_DATA, Event
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import ActionList
from callflow.core.statechart.action_lists import list_at
from callflow.core.statechart.descriptors import heard, matches
from callflow.core.values.reads import Reads
from callflow.core.values.wants import same
from callflow.proof.ending import AtTheEnd, reads_of
from callflow.proof.setting import Setting

_T = TypeVar("_T")

MANY = 2
"""So many lists, or kept events, of one kind that wait behind each other are as good as more."""


class Waiting:
    """What is left of the lists of one flow's calls."""

    def __init__(self, flow: Flow, read: Reads, at_the_end: AtTheEnd) -> None:
        self._hears_failures = any(matches(pattern, "failed") for pattern in heard(flow.states))
        self._began_with = _BeganWith(flow, read)
        self._setting = Setting(flow)
        outcome = read.call.get("outcome")
        self._matters = _Matters(flow, at_the_end, outcome=outcome is not None and outcome.decides)

    def left_of(
        self, lists: Mapping[int, ActionList], before: Mapping[int, ActionList], *, ending: bool
    ) -> Sequence[ActionList]:
        """What is left of lists of actions, but for those that stood there before."""
        left_of = self._began_with.left_of
        left = [one if one is before.get(seq) else left_of(one) for seq, one in lists.items()]
        if len(left) < 2:
            return left
        if ending:
            left = self._matters.left_at_the_end(left)
        left = self._setting.left_of(left)
        return [*self._in_one_order(no_more_than_many(left, _waiting_alike), ending=ending)]

    def _in_one_order(self, lists: Sequence[ActionList], *, ending: bool) -> Iterator[ActionList]:
        """Of lists that wait behind each other, and only say something, it does not matter which comes first, nor are more than so many
        told apart; in the ending that is so also where they change how a leg or the session stands. What they set beside that, and
        nothing reads in the ending, changes nothing about which comes first."""
        for (_, _, words), run in groupby(
            lists, key=lambda one: (one.owner, self._told_to(one), self._makes_no_difference(one, ending=ending))
        ):
            each = [*run]
            if words and len(each) > 1:
                alike = [one for one in each if not self._matters.sets(one)]
                first = sorted(alike, key=_order)[:MANY]
                then = sorted([one for one in each if self._matters.sets(one)], key=_order)
                each = [two.numbered(one.seq) for one, two in zip(each, [*first, *then], strict=False)]
            yield from each

    def _told_to(self, one: ActionList) -> str:
        """Who is told of a failure, where any state hears of one by itself."""
        return one.writer if self._hears_failures else ""

    def _makes_no_difference(self, one: ActionList, *, ending: bool) -> bool:
        return _waits(one) and (self._matters.only_stands(one) if ending else self._matters.only_says(one))


class _BeganWith:
    """Of the event with which a list began only what its actions read; the rest is that of the first one seen."""

    def __init__(self, flow: Flow, read: Reads) -> None:
        self._flow = flow
        self._read = read
        self._fields: dict[tuple[str, str | int], frozenset[str]] = {}
        self._known: dict[Hashable, Event] = {}
        self._left: dict[int, tuple[str, str | int]] = {}  # by the ids of those: what they are for

    def left_of(self, one: ActionList) -> ActionList:
        event = one.event
        if event is None or one.kind == "tool":  # a call of the model's, which is answered
            return one
        if self._left.get(id(event)) == (one.kind, one.key):
            return one
        fields = self._fields_of(one)
        read = {field: value for field, value in event.data.items() if field in fields}
        data = self._read.payload(event.name, read) if read else NO_DATA
        which = one.kind, one.key, same(data), event.name if "name" in fields else None
        known = self._known.get(which)
        if known is None:
            known = self._known[which] = event._replace(data=data, effect=None)
            self._left[id(known)] = one.kind, one.key
        return one._replace(event=known._replace(time=event.time) if "time" in fields else known)

    def _fields_of(self, one: ActionList) -> frozenset[str]:
        which = one.kind, one.key
        if which not in self._fields:
            read = reads_of([list_at(self._flow, one.kind, one.key)], "event.")
            self._fields[which] = frozenset(name.partition(".")[2] for name in read)
        return self._fields[which]


class _Matters:
    """What lists of actions come to that have yet to begin."""

    def __init__(self, flow: Flow, at_the_end: AtTheEnd, *, outcome: bool) -> None:
        self._flow = flow
        self._at_the_end = at_the_end
        self._outcome = outcome  # whether it is asked for
        self._known: dict[Hashable, bool] = {}
        self._sets_of: dict[Hashable, frozenset[str]] = {}

    def only_says(self, one: ActionList) -> bool:
        """Whether it says something, and nothing else."""
        return self._all("says", one, lambda action: verb_of(action.verb).speech)

    def only_stands(self, one: ActionList) -> bool:
        """Whether it says something, changes how a leg or the session stands, or what nothing reads in the ending."""
        return self._all("stands", one, lambda action: self._stands(action) or self._is_vain(action))

    def sets(self, one: ActionList) -> bool:
        """Whether anything that it does is vain in the ending."""
        return not self._all("plain", one, lambda action: not self._is_vain(action))

    def left_at_the_end(self, lists: Sequence[ActionList]) -> list[ActionList]:
        """Without those that have yet to begin, and change only what nothing reads in the ending, nor any other of them."""
        vain = [one for one in lists if _waits(one) and self._all("changes", one, self._only_changes)]
        if not vain:
            return [*lists]
        kept = {one.seq for one in lists} - {one.seq for one in vain}
        read = self._at_the_end.read(one for one in lists if one.seq in kept)
        while more := [one for one in vain if one.seq not in kept and not read.isdisjoint(self._changed(one))]:
            kept |= {one.seq for one in more}
            read |= self._at_the_end.read(more)
        return [one for one in lists if one.seq in kept]

    def _only_changes(self, action: Action) -> bool:
        """Whether it sets variables, or an outcome that nobody asks for."""
        verb = verb_of(action.verb)
        if "outcome" in verb.roles:
            return not self._outcome
        return isinstance(verb.given("variables", action.arguments), Mapping)

    def _changed(self, one: ActionList) -> frozenset[str]:
        """What it sets, as templates name it."""
        which = one.kind, one.key
        known = self._sets_of.get(which)
        if known is None:
            values = (
                verb_of(action.verb).given("variables", action.arguments)
                for action in list_at(self._flow, one.kind, one.key)
            )
            names = (name for each in values if isinstance(each, Mapping) for name in each)
            known = self._sets_of[which] = frozenset(f"vars.{name}" for name in names)
        return known

    def _all(self, what: str, one: ActionList, holds: Callable[[Action], bool]) -> bool:
        which = what, one.kind, one.key
        known = self._known.get(which)
        if known is None:
            actions = list_at(self._flow, one.kind, one.key)
            known = self._known[which] = all(action.save_as is None and holds(action) for action in actions)
        return known

    def _stands(self, action: Action) -> bool:
        verb = verb_of(action.verb)
        return verb.speech or verb.mutes is not None or verb.leg_after is not None

    def _is_vain(self, action: Action) -> bool:
        verb = verb_of(action.verb)
        if "outcome" in verb.roles:
            return not self._outcome
        values = verb.given("variables", action.arguments)
        return isinstance(values, Mapping) and not any(map(self._at_the_end.asks, values))


def no_more_than_many(items: Sequence[_T], alike: Callable[[_T], Hashable]) -> Sequence[_T]:
    """Without the third and all later ones of those that are alike; what is like nothing (None) stays."""
    if len(items) <= MANY:
        return items
    count: Counter[Hashable] = Counter()
    left = []
    for one in items:
        which = alike(one)
        count[which] += which is not None
        if count[which] <= MANY:
            left.append(one)
    return left


def _waiting_alike(one: ActionList) -> Hashable:
    """Lists that have yet to begin are alike if they are of one kind."""
    return (one.kind, one.owner, one.key, one.event and same(one.event.data)) if _waits(one) else None


def _waits(one: ActionList) -> bool:
    """Whether a list has yet to begin."""
    begins = one.effect is None and not one.stopped and one.position == 0
    return begins and one.kind in ("exit", "stay", "do", "rest", "late")


def _order(one: ActionList) -> tuple[str, str, str]:
    return one.kind, str(one.key), "" if one.event is None else repr(same(one.event.data))
