"""What nothing can read again is dropped from a snapshot, so that calls that go on in the same way are the same.

Dropped are the values of variables, of visits and of the legs that no guard reads; of the outcome, unless a guard asks for it, but
whether there is one; how the call was at fault. What is dropped of a value leaves one of its kind: a text that shows it renders all
the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from callflow.core.actions import verb_of
from callflow.core.clocks import is_timer
from callflow.core.configuration import configuration_of
from callflow.core.events import NO_DATA, Event
from callflow.core.flow import ROOT, Action, Flow, State, Transition
from callflow.core.occurs import Facts, Leaving, LegIs
from callflow.core.render import templates_in
from callflow.core.snapshot import ActionList, Memory, Snapshot
from callflow.core.statechart.descriptors import candidates, heard, matches
from callflow.core.statechart.lists import list_at, lists_of, transitions
from callflow.core.statechart.structure import ancestors, ends_the_call, in_ending, within
from callflow.core.table import table_of
from callflow.core.turn import LIVE
from callflow.core.values.reads import Reads, reads
from callflow.core.values.wants import same

_T = TypeVar("_T")

NOTHING = Memory()
"""What nothing was left of."""


class Forgetting:
    """What is left of the calls of one flow without what nothing can read again."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._table = table_of(flow)
        self._read = reads(flow)
        self._asked = frozenset(name for name, one in self._read.call.items() if one.decides)
        self._hears_failures = any(matches(pattern, "failed") for pattern in heard(flow.states))
        self._ends_alone = ends_alone(flow)
        self._decisive = _Decisive(flow)
        self._began_with = _BeganWith(flow, self._read)
        self._within = within_ending(flow)
        self._last = _LastState(flow, self._within)
        self._at_the_end = _AtTheEnd(flow, self._within)

    def snapshot(self, snapshot: Snapshot, before: Memory = NOTHING) -> Snapshot:
        """What is left of a snapshot. `before` is what was left of the one that led to it: what both share is looked at no more."""
        memory = snapshot.memory
        changed = self._unread(memory, before)
        if memory.closing & memory.closed:
            changed["closing"] = memory.closing - memory.closed
        kept = self._last.kept(snapshot)
        if kept is not memory.kept or kept is not before.kept:
            kept = self._decisive.up_to(kept)
            left = [one._replace(data=self._read.payload(one.name, one.data)) for one in kept]
            changed["kept"] = _no_more_than_many(left, _kept_alike)
        if memory.lists is not before.lists:
            lists = _no_more_than_many(map(self._began_with.left_of, memory.lists.values()), _waiting_alike)
            ending = self._in_the_end(snapshot)
            changed["lists"] = {one.seq: one for one in self._in_one_order(lists, ending=ending)} or NO_DATA
        if memory.phase not in LIVE:
            changed |= _OVER
        elif self._in_the_end(snapshot):
            changed |= _of_the_end(memory, self._within)
            if not any(path in self._within for path in self._read.visits):
                changed["visits"] = NO_DATA
            if memory.vars:
                changed["vars"] = self._at_the_end.left_of(changed.get("vars", memory.vars), memory.lists.values())
        elif any(timer.kind == "stop" for timer in memory.timers):  # what is cancelled stops at once
            changed["timers"] = tuple([timer for timer in memory.timers if timer.kind != "stop"])
        if not changed.get("silences", memory.silences):
            changed |= _VOICES
        return Snapshot(snapshot.configuration, memory._replace(**changed), 0)

    def _in_one_order(self, lists: Sequence[ActionList], *, ending: bool) -> Iterator[ActionList]:
        """Of lists that wait behind each other, and only say something, it does not matter which comes first, nor are more than so many
        told apart; in the ending that is so also where they change how a leg or the session stands."""
        for (_, _, words), run in groupby(
            lists, key=lambda one: (one.owner, self._told_to(one), self._makes_no_difference(one, ending=ending))
        ):
            each = [*run]
            if words:
                each = [two.numbered(one.seq) for one, two in zip(each, sorted(each, key=_order)[:MANY], strict=False)]
            yield from each

    def _told_to(self, one: ActionList) -> str:
        """Who is told of a failure, where any state hears of one by itself."""
        return one.writer if self._hears_failures else ""

    def _makes_no_difference(self, one: ActionList, *, ending: bool) -> bool:
        if _waiting_alike(one) is None:
            return False
        for action in list_at(self._flow, one.kind, one.key):
            verb = verb_of(action.verb)
            stands = ending and (verb.mutes is not None or verb.leg_after is not None)
            if action.save_as is not None or not (verb.speech or stands):
                return False
        return True

    def facts(self, snapshot: Snapshot, facts: Facts) -> Facts:
        """What is left of what is so beside a snapshot."""
        if snapshot.memory.phase not in LIVE:
            return frozenset()
        if any(map(self._decisive.decides, snapshot.memory.kept)):
            facts -= _NO_MATTER
        if not self._in_the_end(snapshot):
            return facts
        return frozenset(fact for fact in facts if fact in _IN_THE_END or isinstance(fact, Leaving))

    def _in_the_end(self, snapshot: Snapshot) -> bool:
        return self._ends_alone and configuration_of(self._table, snapshot.configuration).in_ending

    def _unread(self, memory: Memory, before: Memory) -> dict[str, Any]:
        """The values of a memory without what nobody asks."""
        read = self._read
        changed: dict[str, Any] = {"needless": None, "final": None}
        if "outcome" not in self._asked:
            changed["outcome"] = changed["fault"] = None
        if memory.visits is not before.visits:
            changed["visits"] = {path: read.count(path, count) for path, count in memory.visits.items()}
        if memory.history:
            changed["history"] = {
                path: leaves for path, leaves in memory.history.items() if path in read.history
            } or NO_DATA
        if memory.call is not before.call:
            changed["call"] = read.of_call(memory.call) or NO_DATA
        if memory.legs is not before.legs:
            changed["legs"] = {name: leg._replace(data=read.of_call(leg.data)) for name, leg in memory.legs.items()}
        if memory.vars is not before.vars:
            changed["vars"] = {
                scope: {name: read.value(scope.partition("#")[0], name, value) for name, value in values.items()}
                for scope, values in memory.vars.items()
            }
        return changed


MANY = 2
"""So many lists, or kept events, of one kind that wait behind each other are as good as more."""


class _BeganWith:
    """Of the event with which a list began only what its actions read; the rest is that of the first one seen."""

    def __init__(self, flow: Flow, read: Reads) -> None:
        self._flow = flow
        self._read = read
        self._fields: dict[tuple[str, str | int], frozenset[str]] = {}
        self._known: dict[Hashable, Event] = {}

    def left_of(self, one: ActionList) -> ActionList:
        event = one.event
        if event is None or one.kind == "tool":  # a call of the model's, which is answered
            return one
        fields = self._fields_of(one)
        read = {field: value for field, value in event.data.items() if field in fields}
        data = self._read.payload(event.name, read) if read else NO_DATA
        which = one.kind, one.key, same(data), event.name if "name" in fields else None
        known = self._known.setdefault(which, event._replace(data=data, effect=None))
        return one._replace(event=known._replace(time=event.time))

    def _fields_of(self, one: ActionList) -> frozenset[str]:
        which = one.kind, one.key
        if which not in self._fields:
            read = _reads_of([list_at(self._flow, one.kind, one.key)], "event.")
            self._fields[which] = frozenset(name.partition(".")[2] for name in read)
        return self._fields[which]


class _LastState:
    """States that must finish, and after which only the ending comes: what they keep but the model's calls matters no more."""

    def __init__(self, flow: Flow, ending: frozenset[str]) -> None:
        self._flow = flow
        self._table = table_of(flow)
        ends = (path for path, state in flow.states.items() if ends_the_call(state))
        self._over = ending.union(ends) if ends_alone(flow) else frozenset[str]()
        self._known: dict[tuple[str, ...], bool] = {}

    def kept(self, snapshot: Snapshot) -> tuple[Event, ...]:
        """The kept events that matter."""
        leaves, kept = snapshot.configuration, snapshot.memory.kept
        if not kept:
            return kept
        if leaves not in self._known:
            self._known[leaves] = self._is_last(leaves)
        last = self._known[leaves] and not snapshot.memory.finished
        return tuple([one for one in kept if one.name.startswith("tool.")]) if last else kept

    def _is_last(self, leaves: tuple[str, ...]) -> bool:
        at = configuration_of(self._table, leaves)
        if len(leaves) != 1 or len(at.must_finish) != 1 or at.in_ending:
            return False
        (last,) = at.must_finish
        states = self._flow.states
        inside = {path for path in states if within(path, last)}
        own = [move for path in inside for move in transitions(states[path])]
        outer = [row for path in ancestors(states, last) for row in _at_once(states[path])]
        done = [move for row in states[last].rows if row.pattern == "done" for move in row.transitions]
        return (
            bool(done)
            and done[-1].guard is None
            and all(move.target is not None for move in done)
            and all(move.target is None or move.target in inside | self._over for move in own)
            and all(move is None or move.target is None or move.target in self._over for move in outer)
        )


def _at_once(state: State) -> Iterator[Transition | None]:
    """The rows of a state further out that may leave one which must finish, or that wait for no event."""
    yield from state.always
    yield from candidates(state.rows, "failed")


class _AtTheEnd:
    """Which variables the ending, what follows it, and lists that are on their way can still read."""

    def __init__(self, flow: Flow, within: frozenset[str]) -> None:
        self._flow = flow
        states = [flow.states[path] for path in within]
        guards = (move.guard for state in states for move in transitions(state) if move.guard is not None)
        lists = [written.actions for state in states for written in lists_of(state)]
        asked = (".".join(name.split(".")[:2]) for guard in guards for name in guard.reads)
        self._always = frozenset(asked) | _reads_of((*lists, flow.wrap_up))
        self._of_a_list: dict[tuple[str, str | int], frozenset[str]] = {}
        self._shown: dict[tuple[str, str], Any] = {}

    def left_of(
        self, scopes: Mapping[str, Mapping[str, Any]], lists: Iterable[ActionList]
    ) -> Mapping[str, Mapping[str, Any]]:
        """The variables, those that nothing reads any more with the first value that was seen."""
        read = self._always.union(*(self._read_by(one) for one in lists))
        return {
            scope: {
                name: value if f"vars.{name}" in read else self._shown.setdefault((scope, name), value)
                for name, value in values.items()
            }
            for scope, values in scopes.items()
        }

    def _read_by(self, one: ActionList) -> frozenset[str]:
        which = one.kind, one.key
        if which not in self._of_a_list:
            self._of_a_list[which] = _reads_of([list_at(self._flow, one.kind, one.key)])
        return self._of_a_list[which]


def _reads_of(lists: Iterable[Iterable[Action]], root: str = "") -> frozenset[str]:
    """The names that lists of actions read, each as `vars.name`; of one `root` alone."""
    reads = (name for each in lists for action in each for one in templates_in(action.arguments) for name in one.reads)
    return frozenset(".".join(name.split(".")[:2]) for name in reads if name.startswith(root))


class _Decisive:
    """Kept events after which no other matters: wherever they return, they lead to the ending, from which nothing leads back."""

    def __init__(self, flow: Flow) -> None:
        self._over = ends_alone(flow)
        self._flow = flow
        self._known: dict[Hashable, bool] = {}
        self._first: Event | None = None

    def decides(self, event: Event) -> bool:
        which = event.name, event.state, event.data.get("row")
        if which not in self._known:
            self._known[which] = self._over and self._decides(event)
        return self._known[which]

    def _decides(self, event: Event) -> bool:
        rows = [row for state in self._flow.states.values() for row in candidates(state.rows, event.name)]
        if is_timer(event):
            if event.state != ROOT:
                return False
            rows = list(table_of(self._flow).states[ROOT].timers[event.data["row"]].transitions)
        return [self._ends(row) for row in rows] == [True]

    def _ends(self, row: Transition | None) -> bool:
        return (
            row is not None
            and row.source == ROOT
            and row.guard is None
            and row.target == self._flow.ending
            and all(verb_of(action.verb).at_once and "outcome" in verb_of(action.verb).roles for action in row.actions)
        )

    def up_to(self, kept: tuple[Event, ...]) -> tuple[Event, ...]:
        """Those up to the first that decides, which stands for any other that does."""
        for place, event in enumerate(kept):
            if self.decides(event):
                if self._first is None:
                    self._first = event
                return (*kept[:place], self._first)
        return kept


def _no_more_than_many(items: Iterable[_T], alike: Callable[[_T], Hashable]) -> tuple[_T, ...]:
    """Without the third and all later ones of those that are alike; what is like nothing (None) stays."""
    count: Counter[Hashable] = Counter()
    left = []
    for one in items:
        which = alike(one)
        count[which] += which is not None
        if count[which] <= MANY:
            left.append(one)
    return tuple(left)


def _kept_alike(event: Event) -> Hashable:
    return event.name, event.state, same(event.data)


def _waiting_alike(one: ActionList) -> Hashable:
    """Lists that have yet to begin are alike if they are of one kind."""
    waits = (
        one.effect is None
        and not one.stopped
        and one.position == 0
        and one.kind in ("exit", "stay", "do", "rest", "late")
    )
    return (one.kind, one.owner, one.key, one.event and same(one.event.data)) if waits else None


def _order(one: ActionList) -> tuple[str, str, str]:
    return one.kind, str(one.key), "" if one.event is None else repr(same(one.event.data))


def within_ending(flow: Flow) -> frozenset[str]:
    """The state that `ending:` names, and those inside."""
    return frozenset(path for path in flow.states if in_ending(flow, path))


_VOICES: Mapping[str, bool] = dict.fromkeys(
    ("caller_speaks", "agent_busy", "others_speak", "muted", "caller_muted", "cut_off"), False
)
"""Where no silence counts nobody asks who speaks."""


_OVER: Mapping[str, Any] = {
    "legs": NO_DATA, "silences": NO_DATA, "timers": (), "kept": (), "held": (), "history": NO_DATA,
    "visits": NO_DATA, "faults": 0,
}  # fmt: skip
"""Of a call that is over only what runs goes on."""


def _of_the_end(memory: Memory, within: frozenset[str]) -> dict[str, Any]:
    """In an ending from which nothing leads but the end, what stands outside of it has no say any more. Who is away for a moment
    comes back, or has gone."""
    return {
        "kept": tuple([event for event in memory.kept if event.name.startswith("tool.")]),
        "timers": tuple([one for one in memory.timers if one.state in within or one.kind == "settle"]),
        "history": NO_DATA,
        "silences": {path: one for path, one in memory.silences.items() if path in within} or NO_DATA,
        "legs": {
            name: leg._replace(status=_AT_THE_END.get(leg.status, leg.status), data=NO_DATA)
            for name, leg in memory.legs.items()
        },
    }


_AT_THE_END: Mapping[str, LegIs] = {"dropped": "on_line", "absent": "gone", "ringing": "dialing"}


def ends_alone(flow: Flow) -> bool:
    """Whether the state that `ending:` names leads to the end of the call alone, whatever happens."""
    within = within_ending(flow)
    return all(
        move.target is None or move.target in within or ends_the_call(flow.states[move.target])
        for path in within
        for move in transitions(flow.states[path])
    )


_NO_MATTER: Facts = frozenset({"job", "away"})
"""Facts of the events that a state which must finish would but keep behind the one that decides."""

_IN_THE_END: Facts = frozenset({"session", "room", "line"})


def in_order(snapshot: Snapshot) -> Snapshot:
    """With its timers in an order of their own, which is not that in which they are due."""
    timers = snapshot.memory.timers
    if len(timers) < 2:
        return snapshot
    return snapshot._replace(memory=snapshot.memory._replace(timers=tuple(sorted(timers, key=itemgetter(1, 2, 3)))))


def canonical(snapshot: Snapshot, now: float) -> Snapshot:
    """The same call at times that stand for all others, since when things are due in them zones say: no timer is overdue, and every
    silence has counted for a while."""
    memory = snapshot.memory
    changed: dict[str, Any] = {}
    if any(one.due < now for one in memory.timers):
        changed["timers"] = tuple([one if one.due >= now else one._replace(due=now) for one in memory.timers])
    if memory.silences:
        changed["silences"] = {
            path: one._replace(counted=1.0, since=None if one.since is None else now)
            for path, one in memory.silences.items()
        }
    return snapshot._replace(memory=memory._replace(**changed)) if changed else snapshot
