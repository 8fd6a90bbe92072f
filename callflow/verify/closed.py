"""What drops the line leads on: the room's end, which it has brought about itself, is no event, so that nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callflow.core.actions import verb_of
from callflow.core.flow import Action, Flow, State
from callflow.core.statechart.action_lists import transitions
from callflow.core.statechart.reach import driven
from callflow.core.statechart.structure import around, begins, beside, in_ending
from callflow.errors import Defect
from callflow.verify.places import defect, named

DONE = frozenset({"done"})


def stays_without_a_line(flow: Flow) -> Iterator[Defect]:
    """Each action that drops the line of a call that then waits in a state which nothing leads out of any more."""
    for path, state in flow.states.items():
        yield from _stays(flow, path, state.entry)
        for move in transitions(state):
            if move.target is None:
                yield from _stays(flow, path, move.actions)
            else:
                yield from _stays(flow, _first(flow, move.target), (*move.actions, *state.exit))


def _stays(flow: Flow, path: str, actions: Iterable[Action]) -> Iterator[Defect]:
    """The same for one list that runs while, or before, the call is in a state."""
    listed = tuple(actions)
    drops = next((action for action in listed if _drops(action)), None)
    if drops is None or any("event" in verb_of(action.verb).roles for action in listed) or _leads_on(flow, path):
        return
    yield defect(
        "line-down-and-stays", f"`{drops.verb}` drops the line, and nothing leads out of {named(path)} then",
        drops.position, "write `target: ending` in the row, or `on: {done: ending}` in the state", len(drops.verb),
    )  # fmt: skip


def _drops(action: Action) -> bool:
    """Whether nobody is on the line after an action that has gone well: `stand_by` stays until then by itself."""
    verb = verb_of(action.verb)
    return "line" in verb.closes and not verb.parties_end and not verb.leaves(action.arguments)


def _leads_on(flow: Flow, path: str) -> bool:
    """Whether a state is left, or ends the call, without anybody outside."""
    state = flow.states[path]
    if state.kind == "final" or in_ending(flow, path):
        return True
    together = (*around(flow.states, path), *beside(flow.states, path))
    return any(_left_by_itself(flow.states[one]) for one in together)


def _left_by_itself(state: State) -> bool:
    return any(move.target is not None and not move.supplied for _, move in driven(state, DONE))


def _first(flow: Flow, path: str) -> str:
    """The innermost state in which a state begins."""
    return list(begins(flow.states, path))[-1]
