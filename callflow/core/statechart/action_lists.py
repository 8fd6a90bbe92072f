"""Which rows a state writes, which lists of actions stand where, and which action an effect was started for.

A list is found by its kind and key (`snapshot.ListKind`): a state's path, the number of a transition, the name of a tool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, NO_DATA
from callflow.core.flow import NOWHERE, ROOT, Action, Flow, Row, State, TimerRow, Transition
from callflow.core.verbs.verb import Role

OF_ROWS = frozenset({"do", "stay", "rest", "late"})
"""Lists that are the `do` of a transition: their key is its number."""

CLOSE = Action("close", NO_DATA, 30.0, NOWHERE)
"""What a final state of the top level finds still open is closed (rule 13): the step's own, in no file."""

Source = tuple[str, str | int, int]
"""Where the action of an effect stands: its list's kind and key, and its place in it."""


# -- rows


Trigger = Row | TimerRow | None
"""What sets a transition off: an event, a timer, None for `always`."""


def triggers(state: State) -> Iterator[tuple[Trigger, Transition]]:
    """All transitions that a state writes, each with what sets it off: first events, then timers, then `always`."""
    for row in state.rows:
        for move in row.transitions:
            yield row, move
    for timer in state.timers:
        for move in timer.transitions:
            yield timer, move
    for move in state.always:
        yield None, move


def transitions(state: State) -> Iterator[Transition]:
    """All transitions that a state writes: under events, timers and `always`."""
    return (move for _, move in triggers(state))


# -- lists


class Written(NamedTuple):
    """A list as an author has written it: where its names mean something, the event on which it stands (a descriptor, "" for
    none), and the state that writes it."""

    actions: tuple[Action, ...]
    scope: str
    event: str
    state: str


def lists_of(state: State) -> Iterator[Written]:
    """`entry`, `exit` and the `do` of each row of one state, where there is something in them."""
    if state.entry:
        yield Written(state.entry, state.scope, "", state.path)
    if state.exit:
        yield Written(state.exit, state.scope, "", state.path)
    for row, move in triggers(state):
        if move.actions:
            yield Written(move.actions, move.scope, row.pattern if isinstance(row, Row) else "", state.path)


def lists_during(flow: Flow) -> Iterator[Written]:
    """All lists of a flow's states, in document order: what is done while the call lasts."""
    return (written for state in flow.states.values() for written in lists_of(state))


def every_list(flow: Flow) -> Iterator[Written]:
    """Those, `wrap_up`, and what the flow's tools run."""
    yield from lists_during(flow)
    yield Written(flow.wrap_up, ROOT, "", ROOT)
    for name, tool in flow.tools.items():
        if tool.run is not None:
            yield Written((tool.run,), ROOT, f"tool.{name}", ROOT)


def actions_in(state: State) -> Iterator[Action]:
    """All actions in the lists of one state."""
    yield from state.entry
    yield from state.exit
    for move in transitions(state):
        yield from move.actions


def actions_during(flow: Flow) -> tuple[Action, ...]:
    """All actions in the lists of a flow's states, looked up once."""
    found: tuple[Action, ...] | None = flow.made.get("actions")
    if found is None:
        found = flow.made["actions"] = tuple(action for state in flow.states.values() for action in actions_in(state))
    return found


def every_action(flow: Flow) -> Iterator[Action]:
    """All actions of a flow, those of `wrap_up` and of its tools included."""
    return (action for written in every_list(flow) for action in written.actions)


def dials_first(states: Mapping[str, State]) -> bool:
    """Whether a flow of these states dials its far end itself, and does not wait for it."""
    return any(calls_far_end(action) for state in states.values() for action in actions_in(state))


def calls_far_end(action: Action) -> bool:
    """Whether this is the dial that brings the far end on the line."""
    verb = verb_of(action.verb)
    return verb.dials and verb.given("called", action.arguments) == MAIN_LEG


def given(actions: Iterable[Action], role: Role) -> list[Any]:
    """What actions are given in the arguments of one role: the events that they raise, the outcomes, the legs."""
    return [
        action.arguments[name]
        for action in actions
        for name, argument in verb_of(action.verb).arguments.items()
        if argument.role == role and action.arguments.get(name) is not None
    ]


# -- by kind and key


def list_at(flow: Flow, kind: str, key: str | int) -> tuple[Action, ...]:
    """The actions of a list. Raises LookupError or ValueError where the flow has no such list."""
    if kind in OF_ROWS:
        return flow.transitions[int(key)].actions
    if kind == "wrap_up":
        return flow.wrap_up
    if kind == "closing":
        return (CLOSE,)
    if kind == "tool":
        run = flow.tools[str(key)].run
        return () if run is None else (run,)
    state = flow.states[str(key)]
    if kind == "task":
        return task_of(state)
    return state.entry if kind == "entry" else state.exit


def task_of(state: State) -> tuple[Action, ...]:
    """A state's `task` as the list of one action that it is for the step; empty where it has none."""
    task = state.task
    if task is None:
        return ()
    return (Action("task", {"name": task.name, "arguments": task.arguments}, None, task.position),)


def scope_at(flow: Flow, kind: str, key: str | int) -> str:
    """The sub-flow whose variables a list reads and sets."""
    if kind in OF_ROWS:
        return flow.transitions[int(key)].scope
    return ROOT if kind in ("wrap_up", "closing", "tool") else flow.states[str(key)].scope


def writer_at(flow: Flow, kind: str, key: str | int) -> str:
    """The state that writes a list, and hears of its failures."""
    return flow.transitions[int(key)].source if kind in OF_ROWS else str(key)


def action_at(flow: Flow, source: Source) -> Action | None:
    """The action that an effect was started for; None for what the runtime has started by itself, and where a journal of
    another flow names a place that this one does not have."""
    kind, key, index = source
    try:
        return list_at(flow, kind, key)[index]
    except (LookupError, ValueError):
        return None


def place_at(flow: Flow, source: Source) -> str:
    """Where an author looks for that action, `file:line`; empty for what nobody has written. Of what a tool runs it is the place
    of the tool, of a task that of its state."""
    places: dict[Source, str] = flow.made.setdefault("places", {})
    place = places.get(source)
    if place is None:
        place = _place_at(flow, source)
        if place:  # what a journal of another flow names has no end
            places[source] = place
    return place


def _place_at(flow: Flow, source: Source) -> str:
    kind, key, _ = source
    if kind == "tool" and key in flow.tools:
        return flow.tools[str(key)].position.place
    if kind == "task" and key in flow.states:
        return flow.states[str(key)].position.place
    action = action_at(flow, source)
    return "" if action is None or action.position is NOWHERE else action.position.place
