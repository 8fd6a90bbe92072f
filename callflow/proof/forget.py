"""What nothing can read again is dropped from a snapshot, so that calls that go on in the same way are the same.

Dropped are the values of variables, of visits and of the legs that no guard reads; of the outcome, unless a guard asks for it, but
whether there is one; how the call was at fault. What is dropped of a value leaves one of its kind: a text that shows it renders all
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import NO_DATA
from callflow.core.expressions import Template
from callflow.core.flow import Flow
from callflow.core.occurs import Facts
from callflow.core.render import templates_in
from callflow.core.snapshot import Memory, Silence, Snapshot
from callflow.core.statechart.lists import every_list, transitions
from callflow.core.statechart.structure import ends_the_call, inside
from callflow.core.table import table_of
from callflow.core.turn import LIVE

Forget = Callable[[Snapshot], Snapshot]

_SOME = "completed"


def forgetting(flow: Flow) -> Forget:
    """What a snapshot of this flow is without what nothing can read again."""
    guards = _read_by_guards(flow)
    variables = _deciding(flow, guards)
    visits = any(name.startswith("state.visits") for name in guards | _read_by_texts(flow))
    outcome = "call.outcome" in guards
    legs = any(name.startswith("call.") and name != "call.outcome" for name in guards)
    shown: dict[tuple[str, str], Any] = {}
    table = table_of(flow)
    over = ends_alone(flow)

    def scope(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        path = name.partition("#")[0]
        return {
            one: value if value is None or (path, one) in variables else shown.setdefault((path, one), value)
            for one, value in values.items()
        }

    def forget(snapshot: Snapshot) -> Snapshot:
        memory = snapshot.memory
        changed: dict[str, Any] = {}
        if memory.outcome is not None and not outcome and memory.outcome != _SOME:
            changed["outcome"] = _SOME
        if memory.fault and not outcome:
            changed["fault"] = None
        if memory.closing & memory.closed:
            changed["closing"] = memory.closing - memory.closed
        if memory.phase not in LIVE:
            changed |= _OVER
        elif over and configuration_of(table, snapshot.configuration).in_ending:
            changed |= _of_the_end(flow, memory)
        silences = changed.get("silences", memory.silences)
        if not silences:
            changed |= _VOICES
        if memory.visits and not visits:
            changed["visits"] = NO_DATA
        if not legs and any(leg.data for leg in memory.legs.values()):
            changed["legs"] = {name: leg._replace(data=NO_DATA) for name, leg in memory.legs.items()}
        if memory.vars and len(shown) + len(variables) >= 0:
            values = {name: scope(name, values) for name, values in memory.vars.items()}
            if values != memory.vars:
                changed["vars"] = values
        if memory.needless is not None:
            changed["needless"] = None
        if memory.call is not NO_DATA and not legs:
            changed["call"] = NO_DATA
        if memory.final is not None:
            changed["final"] = "closed"
        if not changed and not snapshot.entered:
            return snapshot
        return Snapshot(snapshot.configuration, memory._replace(**changed) if changed else memory, 0)

    return forget


_VOICES: Mapping[str, bool] = dict.fromkeys(
    ("caller_speaks", "agent_busy", "others_speak", "muted", "caller_muted", "cut_off"), False
)
"""Where no silence counts nobody asks who speaks."""


_OVER: Mapping[str, Any] = {"legs": NO_DATA, "silences": NO_DATA, "timers": (), "kept": (), "held": (), "history": NO_DATA, "faults": 0}
"""Of a call that is over only what runs goes on."""


def _of_the_end(flow: Flow, memory: Memory) -> dict[str, Any]:
    """In an ending from which nothing leads but the end, what stands outside of it has no say any more."""
    within = {path for path in flow.states if inside(path, flow.ending)} | {flow.ending}
    return {
        "kept": tuple(event for event in memory.kept if event.name.startswith("tool.")) or (),
        "timers": tuple(one for one in memory.timers if one.state in within or one.kind in ("stop", "settle")),
        "silences": {path: one for path, one in memory.silences.items() if path in within} or NO_DATA,
    }


def ends_alone(flow: Flow) -> bool:
    """Whether the state that `ending:` names leads to the end of the call alone, whatever happens."""
    return all(
        move.target is None
        or inside(move.target, flow.ending)
        or move.target == flow.ending
        or ends_the_call(flow.states[move.target])
        for path, state in flow.states.items()
        if path == flow.ending or inside(path, flow.ending)
        for move in transitions(state)
    )


def knowing(flow: Flow) -> Callable[[Snapshot, Facts], Facts]:
    """What of the facts can matter to whatever comes next."""
    table = table_of(flow)
    over = ends_alone(flow)

    def know(snapshot: Snapshot, facts: Facts) -> Facts:
        if snapshot.memory.phase not in LIVE:
            return frozenset()
        return facts & _IN_THE_END if over and configuration_of(table, snapshot.configuration).in_ending else facts

    return know


_IN_THE_END: Facts = frozenset({"session", "room"})


def canonical(memory: Memory) -> Memory:
    """With its timers in an order of their own, which is not that in which they are due."""
    timers = memory.timers
    if len(timers) < 2:
        return memory
    return memory._replace(timers=tuple(sorted(timers, key=lambda timer: timer[1:4])))


def _read_by_guards(flow: Flow) -> frozenset[str]:
    return frozenset[str]().union(*(row.guard.reads for row in flow.transitions if row.guard is not None))


def _read_by_texts(flow: Flow) -> frozenset[str]:
    return frozenset[str]().union(*(template.reads for _, template in _texts(flow)))


def _texts(flow: Flow) -> Iterator[tuple[str, Template]]:
    for written in every_list(flow):
        for action in written.actions:
            for template in templates_in(action.arguments):
                yield written.scope, template


def _deciding(flow: Flow, guards: frozenset[str]) -> frozenset[tuple[str, str]]:
    """The variables, each by its scope and name, that guards read, and those that are set into these."""
    found = {
        (row.scope, name.split(".")[1])
        for row in flow.transitions
        if row.guard is not None
        for name in row.guard.reads
        if name.startswith("vars.")
    }
    while True:
        more = {
            (written.scope, read.split(".")[1])
            for written in every_list(flow)
            for action in written.actions
            for name, value in (verb_of(action.verb).given("variables", action.arguments) or {}).items()
            if (written.scope, name) in found
            for template in templates_in(value)
            for read in template.reads
            if read.startswith("vars.")
        }
        for path, state in flow.states.items():  # what a sub-flow is given, and what it returns
            more |= {
                (state.scope, read.split(".")[1])
                for name, value in state.arguments.items()
                if (path, name) in found
                for template in templates_in(value)
                for read in template.reads
                if read.startswith("vars.")
            }
            more |= {
                (state.scope, read.split(".")[1])
                for value in state.returns.values()
                for template in templates_in(value)
                for read in template.reads
                if read.startswith("vars.")
            }
        if more <= found:
            return frozenset(found)
        found |= more


__all__ = ["Forget", "Silence", "canonical", "forgetting"]
