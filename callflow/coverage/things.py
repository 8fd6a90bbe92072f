"""What of a flow scenarios can take: its states and rows, what guards say, how actions end, its timers and tools, each by its place in
a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import inf
from typing import Literal, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import EVENTS, MAIN_LEG, NO_DATA
from callflow.core.flow import ROOT, Action, Flow, Position, Row, TimerRow, Transition
from callflow.core.lasts import Status, lasts
from callflow.core.snapshot import Running
from callflow.core.statechart.action_lists import Source, Trigger, task_of, triggers
from callflow.core.values.representatives import representatives_of
from callflow.core.verbs.verb import Verb

Kind = Literal["row", "state", "guard", "result", "timer", "tool"]

KINDS: Mapping[Kind, str] = {
    "row": "rows", "state": "states", "guard": "guards", "result": "results", "timer": "timers", "tool": "tools",
}  # fmt: skip
"""What there is to take, and how many of it are called."""

VERDICTS = tuple(name for name in EVENTS if name.startswith("amd."))
"""What a dial tells beside its result that asks who has answered."""


class Thing(NamedTuple):
    """One thing to take, by its place: a row of a sub-flow is one, however many hosts have it. `what` tells it apart from others of
    its kind in this place: what a guard says, how an action ends; of the others it is their name."""

    kind: Kind
    file: str
    line: int
    column: int
    what: str


class Inventory(NamedTuple):
    """All there is to take in a flow that its author has written, by what a call tells of it."""

    rows: Mapping[int, Thing]  # by the number of a transition
    guards: Mapping[int, tuple[Thing, Thing]]  # the same: false, true
    states: Mapping[str, Thing]
    timers: Mapping[tuple[str, int], Thing]  # by state, and number there
    tools: Mapping[str, Thing]
    results: Mapping[tuple[Position, str], Thing]  # by the place of an action, and how it ends

    @property
    def things(self) -> list[Thing]:
        """Each once, in the order of the files."""
        pairs = (one for pair in self.guards.values() for one in pair)
        parts = (self.rows, self.states, self.timers, self.tools, self.results)
        return sorted({*pairs, *(one for part in parts for one in part.values())}, key=lambda one: one[1:4])


def inventory_of(flow: Flow) -> Inventory:
    """Looked up once."""
    found: Inventory | None = flow.made.get("inventory")
    if found is None:
        found = flow.made["inventory"] = _inventory(flow)
    return found


def _inventory(flow: Flow) -> Inventory:
    rows: dict[int, Thing] = {}
    guards: dict[int, tuple[Thing, Thing]] = {}
    timers: dict[tuple[str, int], Thing] = {}
    written = [state for state in flow.states.values() if not state.supplied]
    for state in written:
        for trigger, move in triggers(state):
            if move.supplied:
                continue
            rows[move.id] = _thing("row", move.position, trigger_name(trigger))
            if isinstance(trigger, TimerRow):
                timers[state.path, trigger.index] = _thing("timer", trigger.position, trigger_name(trigger))
            if move.guard is not None:
                guards[move.id] = (_thing("guard", move.position, "false"), _thing("guard", move.position, "true"))
    states = {
        state.path: _thing("state", state.position, state.name)
        for state in written
        if state.path != ROOT and state.kind != "history"
    }
    tools = {name: _thing("tool", tool.position, name) for name, tool in flow.tools.items()}
    results = {
        (action.position, word): _thing("result", action.position, word)
        for source, action in _actions(flow)
        for word in _endings(flow, source, action)
    }
    return Inventory(rows, guards, states, timers, tools, results)


def _thing(kind: Kind, position: Position, what: str) -> Thing:
    return Thing(kind, _real(position.file), position.line, position.column, what)


@lru_cache(maxsize=1024)
def _real(file: str) -> str:
    """One file by one name, whoever uses it."""
    return file if file.startswith("<") else os.path.realpath(file)


def trigger_name(trigger: Trigger) -> str:
    """As an author writes it: `tool.end_call`, `after 20s`, `always`."""
    if trigger is None:
        return "always"
    return trigger.pattern if isinstance(trigger, Row) else f"{trigger.kind} {trigger.text}"


# -- how actions end


def _actions(flow: Flow) -> Iterator[tuple[Source, Action]]:
    """What the author has written that asks somebody outside: a telephone, a person, a server."""
    lists: list[tuple[str, str | int, tuple[Action, ...]]] = [("wrap_up", "", flow.wrap_up)]
    for state in flow.states.values():
        lists += [
            ("entry", state.path, state.entry),
            ("exit", state.path, state.exit),
            ("task", state.path, task_of(state)),
        ]
        lists += [(_list_kind(move), move.id, move.actions) for _, move in triggers(state) if not move.supplied]
    lists += [("tool", name, (tool.run,)) for name, tool in flow.tools.items() if tool.run is not None]
    for kind, key, actions in lists:
        for place, action in enumerate(actions):
            if asks_outside(verb_of(action.verb)):
                yield (kind, key, place), action


def _list_kind(move: Transition) -> str:
    return "stay" if move.target is None else "do"


def asks_outside(verb: Verb) -> bool:
    """Whether how it ends is somebody's answer."""
    return bool(verb.results) or verb.asks_outside


def _endings(flow: Flow, source: Source, action: Action) -> Iterator[str]:
    """Each way in which this action can come to its end by itself."""
    verb = verb_of(action.verb)
    effect = Running(0, verb.name, None, None, source, 0.0, leg=verb.leg(action.arguments))  # type: ignore[arg-type] # one of the lists' kinds
    if not verb.results:
        ways: tuple[Status, ...] = ("ok", "failed", "timed_out")
        yield from (status for status in ways if lasts(effect, action, status).least < inf)
        return
    for event in verb.results:
        said = {"result": event.partition(".")[2], "leg": MAIN_LEG}
        least = lasts(effect, action, "ok", said).least
        if least < inf and representatives_of(flow).results(source, verb.name, event):
            yield event
    if verb.given("detection", action.arguments) is not None:
        yield from VERDICTS


def ending_of(effect: Running, status: str, result: Mapping[str, object] = NO_DATA) -> str:
    """How that is called here; "" for what was cancelled."""
    verb = verb_of(effect.verb)
    if effect.stopping or status == "cancelled" or not asks_outside(verb):
        return ""
    if not verb.results:
        return status
    return verb.result_event(result) if status == "ok" else verb.error_result(status == "timed_out") or ""
