"""Which variables of the main flow can still be read: one that is set anew before anything reads it is dead until then (liveness,
as compilers know it; Bozga, Fernandez and Ghirvu 1999 on what it saves an exploration).

States are looked at, and not places in lists: whatever a state reads may be read while it is active. Only one way of setting is
taken for certain: a leaf's `entry` has kept a result by `as`, and the leaf is left by its own `done`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.flow import ROOT, Action, Flow, Row, State
from callflow.core.snapshot import Memory
from callflow.core.statechart.action_lists import Trigger, list_at, triggers
from callflow.core.statechart.descriptors import matches
from callflow.core.statechart.structure import around, beside, subtree

Names = frozenset[str]
_NONE: Names = frozenset()


class Living:
    """The variables that can still be read, by the states that are active and the lists that are on their way."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._certain = not any(_goes_on(row) for state in flow.states.values() for row in state.rows)
        self._declared = frozenset(flow.scopes[ROOT].variables)
        self._at = self._while_active()
        self._always = self._everywhere()
        self._known: dict[tuple[str, ...], Names] = {}
        self._of_a_list: dict[tuple[str, str | int], Names] = {}
        self._shown: dict[str, Any] = {}

    def left_of(
        self, configuration: tuple[str, ...], memory: Memory, scopes: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Mapping[str, Any]]:
        """The variables without those that are dead; of one that is declared the first value that was seen stays."""
        values = scopes.get(ROOT)
        if not values or not configuration:  # nothing is entered yet, and all may be read
            return scopes
        dead = values.keys() - self._read_in(configuration)
        if dead:
            dead -= self._on_the_way(memory)
        if not dead:
            return scopes
        left = {
            name: self._shown.setdefault(name, value) if name in dead else value
            for name, value in values.items()
            if name not in dead or name in self._declared
        }
        return {**scopes, ROOT: left}

    def _read_in(self, configuration: tuple[str, ...]) -> Names:
        known = self._known.get(configuration)
        if known is None:
            active = {path for leaf in configuration for path in around(self._flow.states, leaf)}
            known = self._known[configuration] = self._always.union(*(self._at[path] for path in active))
        return known

    def _on_the_way(self, memory: Memory) -> Names:
        """What is read by lists that are on their way, and by those whose actions run on."""
        lists = {(one.kind, one.key) for one in memory.lists.values()}
        lists |= {one.source[:2] for one in memory.effects.values()}
        return _NONE.union(*(self._read_by(*one) for one in lists))

    def _read_by(self, kind: Any, key: str | int) -> Names:
        which = kind, key
        if which not in self._of_a_list:
            self._of_a_list[which] = _in_actions(list_at(self._flow, kind, key))
        return self._of_a_list[which]

    # -- by states ---------------------------------------------------------------------------------------------------

    def _everywhere(self) -> Names:
        """What may be read in whatever state: by tools, by what is done after the call, and in the ending, to which whatever fails
        leads."""
        flow = self._flow
        actions = [*flow.wrap_up, *(tool.run for tool in flow.tools.values() if tool.run is not None)]
        rest = [dict(flow.agent), dict(flow.session), dict(flow.legs), *(tool.result for tool in flow.tools.values())]
        endings = {flow.ending, *(scope.ending for scope in flow.scopes.values() if scope.ending is not None)}
        at_the_end = (self._at[one] for path in endings for one in _entered(flow, path))
        return (_in_actions(actions) | _in_values(rest)).union(self._at[ROOT], *at_the_end)

    def _while_active(self) -> dict[str, Names]:
        """Of each state what is read while it is active, and after it, until that is set anew."""
        states = self._flow.states
        read = {path: _read_in_state(state) for path, state in states.items()}
        entered = {move.target: _entered(self._flow, move.target) for move in self._flow.transitions if move.target}
        kept = {path: self._kept_by(state) for path, state in states.items()}
        onto = {path: self._read_afresh(state) for path, state in states.items()}
        leads = {
            path: [
                (entered[move.target], kept[path] if _is_done(row) else _NONE)
                for row, move in triggers(state)
                if move.target is not None
            ]
            for path, state in states.items()
        }
        changes = True
        while changes:
            changes = False
            for path, ways in leads.items():
                found = onto[path].union(*(onto[one] - kills for targets, kills in ways for one in targets))
                changes |= len(found) > len(onto[path])
                onto[path] = found
        return {
            path: read[path].union(onto[path], *(onto[one] for targets, _ in ways for one in targets))
            for path, ways in leads.items()
        }

    def _kept_by(self, state: State) -> Names:
        """What is set anew for certain when a leaf is done: a failure leads elsewhere."""
        if state.kind != "atomic" or state.subflow is not None or state.task is not None or state.scope != ROOT:
            return _NONE
        return frozenset(action.save_as for action in state.entry if action.save_as and self._sets(action))

    def _sets(self, action: Action) -> bool:
        verb = verb_of(action.verb)
        return self._certain and not action.optional and not verb.results and not verb.timeout_is_success

    def _read_afresh(self, state: State) -> Names:
        """What a state reads of what was there when it was entered."""
        kept = self._kept_by(state)
        if not kept:
            return _read_in_state(state)
        found = _in_values([state.instructions]) | _in_actions(state.exit)
        set_anew: Names = _NONE
        for action in state.entry:
            found |= _in_actions([action]) - set_anew
            set_anew |= {action.save_as} & kept if action.save_as else _NONE
        for row, move in triggers(state):
            read = _in_actions(move.actions) | _in_names(move.guard.reads if move.guard else ())
            found |= read - kept if _is_done(row) else read
        return found


def _goes_on(row: Row) -> bool:
    """Whether a failure leaves its state as it is."""
    return matches(row.pattern, "failed") and (
        not row.transitions or any(move.target is None for move in row.transitions)
    )


def _is_done(trigger: Trigger) -> bool:
    return isinstance(trigger, Row) and trigger.pattern == "done"


def _entered(flow: Flow, target: str) -> frozenset[str]:
    """All states that may come to be active with a target: around it, inside it, in other regions; of a history all that it can
    stand for."""
    states = flow.states
    if states[target].kind == "history":
        parent = states[target].parent or ROOT
        return frozenset({*around(states, target), *subtree(states, parent), *beside(states, target)})
    return frozenset({*around(states, target), *subtree(states, target), *beside(states, target)})


def _read_in_state(state: State) -> Names:
    """What a state reads, whenever: by names alone, so that a sub-flow's variable of the same name counts as well."""
    found = _in_values([state.instructions, dict(state.returns), dict(state.arguments)])
    if state.task is not None:
        found |= _in_values([dict(state.task.arguments)])
    moves = [move for _, move in triggers(state)]
    guards = (name for move in moves if move.guard is not None for name in move.guard.reads)
    return found.union(
        _in_actions((*state.entry, *state.exit)), _in_names(guards), *(_in_actions(move.actions) for move in moves)
    )


def _in_actions(actions: Iterable[Action]) -> Names:
    return _in_values([dict(action.arguments) for action in actions])


def _in_values(values: Iterable[Any]) -> Names:
    return _in_names(name for value in values for one in templates_in(value) for name in one.reads)


def _in_names(names: Iterable[str]) -> Names:
    return frozenset(_variables(names))


def _variables(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        root, _, rest = name.partition(".")
        if root == "vars":
            yield rest.partition(".")[0]
