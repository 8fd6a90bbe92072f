"""Lists that only set variables, and wait behind each other: they run through in one step, so that nothing sees what one of them sets
and a later one sets again before anything reads it (dead assignments, as compilers know them)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.events import Event
from callflow.core.expressions import BOOLEAN, INTEGER, NUMBER, TEXT, Template, Type
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import ActionList
from callflow.core.statechart.action_lists import every_action, list_at, scope_at
from callflow.core.values.wants import is_number, same

_FIELD = re.compile(r"\s*\{\{\s*event\.(\w+)\s*\}\}\s*")
_COUNTED = re.compile(r"\s*\{\{\s*vars\.(\w+)\s*[+-]\s*\d{1,6}\s*\}\}\s*")


class _Set(NamedTuple):
    """What a list does to one variable. `field`: it takes a field of its event as it is; `fails`: it may, whatever the event;
    `reads`: what it reads, as templates name it."""

    name: str
    type: Type
    field: str
    fails: bool
    reads: frozenset[str]


class Setting:
    """What is left of lists of one flow that only set variables."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._emptied = frozenset(_emptied(flow))
        self._known: dict[tuple[str, str | int], tuple[tuple[_Set, ...], ...] | None] = {}
        self._shown: dict[tuple[Any, ...], Any] = {}
        self._fresh: dict[tuple[Any, ...], Event] = {}

    def left_of(self, lists: Sequence[ActionList]) -> list[ActionList]:
        """Of lists in their order those that come to something, with what their events come to. They wait behind what is owed."""
        left: list[ActionList] = []
        for which, run in groupby(lists, self._runs_with):
            each = [*run]
            left += each if which is None or len(each) < 2 else self._left_of(each)
        return left

    def _runs_with(self, one: ActionList) -> tuple[Any, ...] | None:
        """Lists of which this is the same run through one after the other; None for one that does anything else."""
        if one.kind not in ("exit", "do") or one.position or one.effect is not None or one.stopped:
            return None
        if self._sets(one) is None:
            return None
        return one.owner, one.instance, scope_at(self._flow, one.kind, one.key)

    def _left_of(self, run: Sequence[ActionList]) -> list[ActionList]:
        """Beginning with the last: what is set anew by it, and not read in between, is dead before it."""
        anew: frozenset[str] = frozenset()
        left: list[ActionList] = []
        later: set[tuple[str, str | int]] = set()
        for one in reversed(run):
            actions = self._sets(one) or ()
            data = {} if one.event is None else one.event.data
            alive: list[_Set] = []
            for action in reversed(actions):
                sure = [each for each in action if _is_sure(each, data)]
                if len(sure) < len(action):  # who hears of that may read all that was set before
                    anew = frozenset()
                mine = [each for each in action if each.name not in anew or each not in sure]
                read = {name.partition(".")[2] for each in mine for name in each.reads if name.startswith("vars.")}
                anew = (anew | {each.name for each in sure}) - read
                alive += mine
            if alive or (one.kind, one.key) not in later:
                left.append(self._with_what_is_read(one, actions, alive))
            later.add((one.kind, one.key))
        return left[::-1]

    def _with_what_is_read(
        self, one: ActionList, actions: Sequence[Sequence[_Set]], alive: Sequence[_Set]
    ) -> ActionList:
        """Fields of its event that only go where they are dead are those of the first one seen."""
        if one.event is None:
            return one
        dead = {each.field for action in actions for each in action if each not in alive} - {""}
        dead -= {name.partition(".")[2] for each in alive for name in each.reads if name.startswith("event.")}
        if not dead:
            return one
        data = {
            name: self._shown.setdefault((one.kind, one.key, name, type(value)), value) if name in dead else value
            for name, value in one.event.data.items()
        }
        which = one.kind, one.key, one.event.name, one.event.time, one.event.state, same(data)
        return one._replace(event=self._fresh.setdefault(which, one.event._replace(data=data)))

    def _sets(self, one: ActionList) -> tuple[tuple[_Set, ...], ...] | None:
        which = one.kind, one.key
        if which not in self._known:
            actions = list_at(self._flow, one.kind, one.key)
            scope = self._flow.scopes[scope_at(self._flow, one.kind, one.key)]
            types = {name: variable.type for name, variable in scope.variables.items()}
            made = [self._set_by(action, types) for action in actions]
            self._known[which] = None if None in made else tuple(each for each in made if each is not None)
        return self._known[which]

    def _set_by(self, action: Action, types: Mapping[str, Type]) -> tuple[_Set, ...] | None:
        values = verb_of(action.verb).given("variables", action.arguments)
        if not isinstance(values, Mapping) or action.save_as is not None or not values.keys() <= types.keys():
            return None
        return tuple(self._one(name, types, value) for name, value in values.items())

    def _one(self, name: str, types: Mapping[str, Type], value: Any) -> _Set:
        reads = frozenset(read for each in templates_in(value) for read in each.reads)
        if not reads:
            return _Set(name, types[name], "", False, reads)
        source = value.source if isinstance(value, Template) else ""
        field, counted = _FIELD.fullmatch(source), _COUNTED.fullmatch(source)
        counts = counted is not None and types.get(counted[1]) == types[name] == INTEGER
        counts = counts and counted is not None and counted[1] not in self._emptied
        return _Set(name, types[name], field[1] if field else "", field is None and not counts, reads)


def _is_sure(one: _Set, data: Mapping[str, Any]) -> bool:
    """Whether nothing can go wrong with it, given what its event carries."""
    if not one.field:
        return not one.fails
    value = data.get(one.field)
    if one.type == TEXT:
        return isinstance(value, str)
    if one.type == BOOLEAN:
        return isinstance(value, bool)
    return is_number(value) and (one.type == NUMBER or (one.type == INTEGER and isinstance(value, int)))


def _emptied(flow: Flow) -> Iterator[str]:
    """Variables that may hold nothing, by their names alone."""
    for action in every_action(flow):
        values = verb_of(action.verb).given("variables", action.arguments)
        if isinstance(values, Mapping):
            yield from (name for name, value in values.items() if value is None)
        if action.save_as is not None:
            yield action.save_as
