"""What a call goes on with: the actions that its lists have yet to carry out, as a snapshot has them."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Snapshot
from callflow.core.statechart.action_lists import OF_ROWS, list_at

GOES_ON = OF_ROWS | {"entry", "exit"}
"""The lists of states and rows: not what a tool runs, nor what follows the end."""


def addresses(action: Action, leg: str) -> bool:
    """Whether an action is for this leg alone."""
    return bool(verb_of(action.verb).given("listener", action.arguments) == leg)


def ahead(flow: Flow, snapshot: Snapshot) -> Iterator[Action]:
    """The actions of lists that are on their way, the one that runs included, and those that run beside them."""
    memory = snapshot.memory
    for one in memory.lists.values():
        yield from _actions(flow, one.kind, one.key)[max(one.position, 0) :]
    for effect in memory.effects.values():
        if effect.list is None and not effect.stopping:
            kind, key, position = effect.source
            yield from _actions(flow, kind, key)[position : position + 1]


def _actions(flow: Flow, kind: str, key: str | int) -> tuple[Action, ...]:
    """The list of this kind and key; empty for what a call does not go on with."""
    return list_at(flow, kind, key) if kind in GOES_ON else ()
