"""What nothing can read again is dropped from a snapshot, so that calls that go on in the same way are the same.

Dropped are variables that are set anew before anything reads them; the values of variables, of visits and of the legs that no guard reads; of the outcome, unless a guard asks for it, but
whether there is one; how the call was at fault. What is dropped of a value leaves one of its kind: a text that shows it renders all
the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.clocks import is_timer
from callflow.core.configuration import configuration_of
from callflow.core.events import NO_DATA, Event
from callflow.core.flow import ROOT, Flow, State, Transition
from callflow.core.macrostep import LIVE
from callflow.core.occurs import Facts, Leaving
from callflow.core.possible import heard_again
from callflow.core.snapshot import Memory, Snapshot
from callflow.core.statechart.action_lists import transitions
from callflow.core.statechart.descriptors import candidates, heard
from callflow.core.statechart.structure import ancestors, ends_the_call, within
from callflow.core.table import table_of
from callflow.core.values.reads import reads
from callflow.core.values.wants import same
from callflow.proof.ending import AtTheEnd, EndingState, facts_for
from callflow.proof.living import Living
from callflow.proof.waiting import Waiting, no_more_than_many

NOTHING = Memory()
"""What nothing was left of."""


class Forgetting:
    """What is left of the calls of one flow without what nothing can read again."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._table = table_of(flow)
        self._read = reads(flow)
        self._asked = frozenset(name for name, one in self._read.call.items() if one.decides)
        self._ending = EndingState(flow)
        self._decisive = _Decisive(flow, self._ending)
        self._last = _LastState(flow, self._ending)
        self._living = Living(flow)
        self._at_the_end = AtTheEnd(flow, self._ending, self._read)
        self._unheard = _NO_MATTER - facts_for(heard(flow.states))
        self._waiting = Waiting(flow, self._read, self._at_the_end)

    def snapshot(self, snapshot: Snapshot, before: Memory = NOTHING) -> Snapshot:
        """What is left of a snapshot. `before` is what was left of the one that led to it: what both share is looked at no more."""
        memory = snapshot.memory
        changed = self._unread(snapshot, before)
        if memory.closing & memory.closed:
            changed["closing"] = memory.closing - memory.closed
        kept = self._last.kept(snapshot)
        if kept is not memory.kept or kept is not before.kept:
            kept = self._decisive.up_to(kept)
            left = [one._replace(data=self._read.payload(one.name, one.data)) for one in kept]
            changed["kept"] = tuple(no_more_than_many(left, _kept_alike))
        ending = self._in_the_end(snapshot)
        if memory.lists is not before.lists:
            lists = self._waiting.left_of(memory.lists, before.lists, ending=ending)
            changed["lists"] = {one.seq: one for one in lists} or NO_DATA
        if memory.phase not in LIVE:
            legs = (
                changed.get("legs", memory.legs) if self._at_the_end.asks_for_legs(memory.lists.values()) else NO_DATA
            )
            changed |= {**_OVER, "legs": legs}
        elif ending:
            changed |= self._in_ending(
                memory._replace(kept=changed.get("kept", memory.kept), legs=changed.get("legs", memory.legs))
            )
            if not any(path in self._ending.states for path in self._read.visits):
                changed["visits"] = NO_DATA
        elif any(timer.kind == "stop" for timer in memory.timers):  # what is cancelled stops at once
            changed["timers"] = tuple([timer for timer in memory.timers if timer.kind != "stop"])
        if memory.vars and (ending or memory.phase not in LIVE):
            changed["vars"] = self._at_the_end.left_of(changed.get("vars", memory.vars), memory.lists.values())
        if not changed.get("silences", memory.silences):
            changed |= _VOICES
        timers = changed.get("timers", memory.timers)
        if len(timers) > 1:  # in an order of their own, which is not that in which they are due
            changed["timers"] = tuple(sorted(timers, key=_WHOSE))
        return Snapshot(snapshot.configuration, memory._replace(**changed), 0)

    def facts(self, snapshot: Snapshot, facts: Facts) -> Facts:
        """What is left of what is so beside a snapshot."""
        if snapshot.memory.phase not in LIVE:
            return frozenset()
        facts = heard_again(snapshot, facts) - self._unheard
        if any(map(self._decisive.decides, snapshot.memory.kept)):
            facts -= _NO_MATTER - self._ending.facts
        if not self._in_the_end(snapshot):
            return facts
        asked = _IN_THE_END | self._ending.facts
        return frozenset(fact for fact in facts if fact in asked or isinstance(fact, Leaving))

    def _in_ending(self, memory: Memory) -> dict[str, Any]:
        return self._ending.left_of(memory, legs=self._at_the_end.asks_for_legs(memory.lists.values()))

    def _in_the_end(self, snapshot: Snapshot) -> bool:
        return self._ending.alone and configuration_of(self._table, snapshot.configuration).in_ending

    def _unread(self, snapshot: Snapshot, before: Memory) -> dict[str, Any]:
        """The values of a memory without what nobody asks."""
        read, memory = self._read, snapshot.memory
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
        if memory.vars:
            changed["vars"] = self._living.left_of(snapshot.configuration, memory, changed.get("vars", memory.vars))
        return changed


class _LastState:
    """States that must finish, and after which only the ending comes: what they keep but the model's calls matters no more."""

    def __init__(self, flow: Flow, ending: EndingState) -> None:
        self._flow = flow
        self._table = table_of(flow)
        self._ending = ending
        ends = (path for path, state in flow.states.items() if ends_the_call(state))
        self._over = ending.states.union(ends) if ending.alone else frozenset[str]()
        self._known: dict[tuple[str, ...], bool] = {}

    def kept(self, snapshot: Snapshot) -> tuple[Event, ...]:
        """The kept events that matter."""
        leaves, kept = snapshot.configuration, snapshot.memory.kept
        if not kept:
            return kept
        if leaves not in self._known:
            self._known[leaves] = self._is_last(leaves)
        last = self._known[leaves] and not snapshot.memory.finished
        if not last:
            return kept
        return tuple([one for one in kept if one.name.startswith("tool.") or self._ending.hears(one)])

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


class _Decisive:
    """Kept events after which no other matters but for those that are heard in the ending: wherever they return, they lead there, and
    from there nothing leads back."""

    def __init__(self, flow: Flow, ending: EndingState) -> None:
        self._ending = ending
        self._flow = flow
        self._known: dict[Hashable, bool] = {}
        self._first: Event | None = None

    def decides(self, event: Event) -> bool:
        which = event.name, event.state, event.data.get("row")
        if which not in self._known:
            self._known[which] = self._ending.alone and self._decides(event)
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
                return (*kept[:place], self._first, *filter(self._ending.hears, kept[place + 1 :]))
        return kept


def _kept_alike(event: Event) -> Hashable:
    return event.name, event.state, same(event.data)


_VOICES: Mapping[str, bool] = dict.fromkeys(
    ("caller_speaks", "agent_busy", "others_speak", "muted", "caller_muted", "cut_off"), False
)
"""Where no silence counts nobody asks who speaks."""


_OVER: Mapping[str, Any] = {
    "silences": NO_DATA, "timers": (), "kept": (), "held": (), "history": NO_DATA,
    "visits": NO_DATA, "faults": 0,
}  # fmt: skip
"""Of a call that is over only what runs goes on, and asks who was on the line."""


_NO_MATTER: Facts = frozenset({"job", "away"})
"""Facts of events alone that a row hears: also of those that a state which must finish would but keep behind the one that decides."""

_IN_THE_END: Facts = frozenset({"session", "room", "line"})


_WHOSE = itemgetter(1, 2, 3)
"""What a timer is, whenever it is due."""


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
