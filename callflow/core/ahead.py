"""What a call goes on with: the actions that its lists have yet to carry out, as a snapshot has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callflow.core.flow import Action, Flow
from callflow.core.snapshot import OF_ROWS, Snapshot

ADDRESSED = frozenset({"say", "play", "send_data"})
"""The verbs whose `to` is a leg."""


def addresses(action: Action, leg: str) -> bool:
    """Whether an action is for this leg alone."""
    return action.verb in ADDRESSED and action.arguments.get("to") == leg


def ahead(flow: Flow, snapshot: Snapshot) -> Iterator[Action]:
    """The actions of lists that are on their way, the one that runs included, and those that run beside them."""
    memory = snapshot.memory
    for one in memory.lists:
        yield from _actions(flow, one.kind, one.key)[max(one.position, 0) :]
    for effect in memory.effects.values():
        if effect.list is None and not effect.stopping:
            kind, key, position = effect.source
            yield from _actions(flow, kind, key)[position : position + 1]


def _actions(flow: Flow, kind: str, key: str | int) -> Sequence[Action]:
    """The list of this kind and key; empty for what no author writes as a list."""
    if kind in OF_ROWS:
        return flow.transitions[int(key)].actions
    if kind in ("entry", "exit"):
        state = flow.states[str(key)]
        return state.entry if kind == "entry" else state.exit
    return ()
