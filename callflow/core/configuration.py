"""The active states between two moves (W3C SCXML: a configuration), and what follows from them and the flow alone: which rows
an event may take, which states a row leaves and enters. Worked out when it is first asked for, then looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from callflow.core.events import Event
from callflow.core.flow import ROOT, Transition
from callflow.core.snapshot import ActionList
from callflow.core.statechart.structure import ends_the_call, inside, within
from callflow.core.table import CACHE_LIMIT, StateTable, Table

History = Mapping[str, tuple[str, ...]]
Rows = tuple[Transition | None, ...]
"""Rows in the order in which they are tried; None: from here on the event is ignored."""


class Selected(NamedTuple):
    """The rows to take. `ignored`: somebody handles the event by ignoring it. `barred`: a row that holds may not leave a state
    that must finish."""

    rows: tuple[Transition, ...] = ()
    ignored: bool = False
    barred: bool = False


NOTHING = Selected()


class Heard(NamedTuple):
    """What a configuration has for an event: for each region its rows from the innermost state outward, and what is selected
    of them where no guard and no state that must finish has a say."""

    rows: tuple[Rows, ...]
    sure: Selected | None


class Way(NamedTuple):
    """What rows make of a configuration: the states that they leave and enter, in the order in which that happens.

    `left` are they and, at the end, the top level. `exits` and `entries` are their lists; `leaving` and `entering` are those of
    them for which there is something else to do then. `cut` are the rows without a target whose state is left all the same,
    by another region's row or by the end. With `remembers` a history state takes down what is left.
    """

    taken: tuple[int, ...]
    exited: tuple[str, ...]
    entered: tuple[str, ...]
    left: tuple[str, ...]
    exits: tuple[ActionList, ...]
    leaving: tuple[StateTable, ...]
    entering: tuple[StateTable, ...]
    entries: tuple[ActionList, ...]
    after: Configuration
    final: str | None  # the final state of the top level that is entered
    cut: frozenset[int]
    remembers: bool
    ends_scope: bool  # a sub-flow is left


class Configuration:
    """`leaves` are the active states without a child, in document order; `active` are all but the top level."""

    def __init__(self, table: Table, leaves: tuple[str, ...]) -> None:
        self.table = table
        self.leaves = leaves
        self.active = frozenset(table.expand(leaves))
        self.must_finish = table.must_finish & self.active
        self.in_ending = table.flow.ending in self.active
        self.says_goodbye = not table.goodbyes.isdisjoint(self.active)
        self._chains = tuple((leaf, *table.states[leaf].ancestors) for leaf in leaves) or ((ROOT,),)
        self.always = self._outward(lambda path: table.states[path].always) if leaves else ()
        self._heard: dict[str, Heard] = {}
        self._ways: dict[tuple[int, ...], Way] = {}
        states = table.flow.states
        outward = sorted(self.active, key=lambda path: (-len(table.states[path].ancestors), table.order(path)))
        self._offering = {name: path for path in reversed(outward) for name in states[path].tools}
        self.tools = frozenset(self._offering)

    def offering(self, tool: str) -> str | None:
        """The innermost state that offers a tool to the model."""
        return self._offering.get(tool)

    def heard(self, name: str) -> Heard:
        """What there is for an event that everybody may hear."""
        found = self._heard.get(name)
        if found is None:
            if len(self._heard) >= CACHE_LIMIT:
                self._heard.clear()
            states = self.table.states
            rows = self._outward(lambda path: states[path].candidates(name))
            found = self._heard[name] = Heard(rows, self._sure([chain[0] for chain in rows]))
        return found

    def _sure(self, first: list[Transition | None]) -> Selected | None:
        """What is selected whatever the call's values are, given what each region asks first."""
        if self.must_finish or any(row is not None and row.guard is not None for row in first):
            return None
        rows = {row.id: row for row in first if row is not None}
        return Selected(self.optimal(rows.values()), None in first)

    def _outward(self, rows_of: Callable[[str], Rows]) -> tuple[Rows, ...]:
        chains = (tuple(row for path in chain for row in rows_of(path)) for chain in self._chains)
        return tuple(rows for rows in chains if rows)

    def exit_set(self, row: Transition) -> frozenset[str]:
        """The active states that a row leaves; none without a target."""
        if row.target is None:
            return frozenset()
        domain = self.table.domain(row)
        return frozenset(path for path in self.active if inside(path, domain))

    def optimal(self, rows: Iterable[Transition]) -> tuple[Transition, ...]:
        """Of rows that would leave the same state, the inner one, else the first (W3C SCXML, removeConflictingTransitions)."""
        kept: list[Transition] = []
        for row in rows:
            leaving = self.exit_set(row)
            beaten: list[Transition] = []
            for other in kept:
                if leaving & self.exit_set(other):
                    if inside(row.source, other.source):
                        beaten.append(other)
                    else:
                        break
            else:
                kept = [other for other in kept if all(other is not one for one in beaten)] + [row]
        return tuple(kept)

    def leaving(self, rows: Iterable[Transition]) -> frozenset[str]:
        return frozenset[str]().union(*(self.exit_set(row) for row in rows))

    def known_way(self, rows: tuple[Transition, ...]) -> Way | None:
        """What these rows make of this configuration; None where that is not known yet, or depends on a history state."""
        return self._ways.get(tuple([row.id for row in rows]))

    def way(self, rows: tuple[Transition, ...], leaving: frozenset[str], history: History) -> Way:
        """The same worked out, given what they leave and what the history states stand for."""
        entry = _EntrySet(self.table, history)
        entry.add(rows)
        way = self._make(rows, leaving, entry.found)
        if not entry.remembered:
            if len(self._ways) >= CACHE_LIMIT:
                self._ways.clear()
            self._ways[tuple([row.id for row in rows])] = way
        return way

    def initial_way(self, history: History) -> Way:
        """Into the initial state of the top level, when nothing is active yet."""
        known = self._ways.get(())
        if known is not None:
            return known
        entry = _EntrySet(self.table, history)
        entry.add_initial(ROOT)
        way = self._make((), frozenset(), entry.found)
        if not entry.remembered:
            self._ways[()] = way
        return way

    def way_out(self) -> Way:
        """Out of everything, and nowhere."""
        return self._make((), self.active, set())

    def _make(self, rows: Iterable[Transition], leaving: frozenset[str], entering: set[str]) -> Way:
        table = self.table
        stay = self.active - leaving
        exited = tuple(sorted(leaving, key=table.order, reverse=True))
        entered = tuple(sorted(entering - stay, key=table.order))
        out, into = [table.states[path] for path in exited], [table.states[path] for path in entered]
        final = next((path for path in entered if ends_the_call(table.states[path].state)), None)
        cut = (row.id for row in rows if row.target is None and (row.source in leaving or final is not None))
        return Way(
            taken=tuple(row.id for row in rows if row.id >= 0),  # the ways that nobody wrote have no number
            exited=exited,
            entered=entered,
            left=exited if final is None else (*exited, ROOT),
            exits=tuple(state.exit for state in out if state.state.exit),
            leaving=tuple(state for state in out if state.is_scope or state.timers or state.state.must_finish),
            entering=tuple(state for state in into if state.is_scope or state.timers or state.counts_visits),
            entries=tuple(state.entry for state in into if state.acts_on_entry),
            after=configuration_of(table, table.leaves(stay | entering)),
            final=final,
            cut=frozenset(cut),
            remembers=any(table.states[path].history for path in exited),
            ends_scope=any(table.states[path].is_scope for path in exited),
        )


def configuration_of(table: Table, leaves: tuple[str, ...]) -> Configuration:
    """The configuration with these leaves, remembered with the tables."""
    found: Configuration | None = table.configurations.get(leaves)
    if found is None:
        if len(table.configurations) >= CACHE_LIMIT:
            table.configurations.clear()
        found = table.configurations[leaves] = Configuration(table, leaves)
    return found


def offered_in(table: Table, call: Event) -> Configuration:
    """Where the model was offered the tool that it has called."""
    known = [leaf for leaf in call.offered_in or () if leaf in table.states]
    return configuration_of(table, tuple(sorted(known, key=table.order)))


class _EntrySet:
    """The states that rows enter, with default insides, regions and histories (W3C SCXML, computeEntrySet)."""

    def __init__(self, table: Table, history: History) -> None:
        self._table = table
        self._history = history
        self.found: set[str] = set()
        self.remembered = False  # it depends on what a history state remembers

    def add(self, rows: Iterable[Transition]) -> None:
        for row in rows:
            if row.target is None:
                continue
            domain = self._table.domain(row)
            self._enter_all(self._effective(row.target), domain)
            if self._table.states[domain].kind == "parallel":
                self._enter_regions(domain)

    def add_initial(self, path: str) -> None:
        self._enter_all(self._effective(self._table.states[path].state.initial or ROOT), path)

    def _enter_all(self, targets: Iterable[str], domain: str) -> None:
        """All targets before what is around them: a region that has a target gets no default."""
        for target in targets:
            self._enter_inside(target)
        for target in targets:
            self._enter_around(target, domain)

    def _effective(self, target: str) -> tuple[str, ...]:
        """The target, or the states that a history state stands for now."""
        state = self._table.states[target].state
        if state.kind != "history":
            return (target,)
        self.remembered = True
        return self._history.get(target) or self._effective(state.initial or ROOT)

    def _enter_inside(self, path: str) -> None:
        self.found.add(path)
        state = self._table.states[path]
        if state.kind == "compound":
            self._enter_all(self._effective(state.state.initial or ROOT), path)
        elif state.kind == "parallel":
            self._enter_regions(path)

    def _enter_around(self, path: str, domain: str) -> None:
        for outer in self._table.states[path].ancestors:
            if outer in (domain, ROOT):
                return
            self.found.add(outer)
            if self._table.states[outer].kind == "parallel":
                self._enter_regions(outer)

    def _enter_regions(self, path: str) -> None:
        for region in self._table.states[path].children:
            if not any(within(other, region) for other in self.found):
                self._enter_inside(region)
