"""A flow's structure as a `transitions` HierarchicalMachine: the engine of record from which the tables are read off.

With `table`, the only importer of `transitions`. What transitions has no word for is said differently: a history state's target is
its parent, `always` and timers are triggers of their own names, and the top level's rows stand behind those of each
outermost state. The row itself travels as the first condition, so that nothing is lost.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen
from transitions.extensions import HierarchicalMachine
from transitions.extensions.nesting import NestedEvent, NestedState, NestedTransition

from callflow.core.flow import ROOT, Flow, Row, Transition
from callflow.core.statechart.action_lists import Trigger, triggers

ALWAYS = "always"


class PathState(NestedState):
    """A state whose full name is its path."""

    separator = "."


class PathTransition(NestedTransition):
    """One row; `row` reads it off its first condition."""

    @property
    def row(self) -> Transition:
        holds = self.conditions[0].func
        if not isinstance(holds, Holds):
            raise TypeError("this transition was not made from a flow's row")
        return holds.transition


class FlowMachine(HierarchicalMachine):
    """The structure alone: no model, no convenience triggers. Add a model of your own to play with it."""

    state_cls = PathState
    transition_cls = PathTransition
    event_cls = NestedEvent


@frozen
class Holds:
    """A row's guard as a condition of transitions. The step evaluates guards itself, with the call's variables; here an
    event's keyword argument `verdicts` (row id to boolean) decides, and without one every guard holds."""

    transition: Transition

    def __call__(self, *_: Any, verdicts: dict[int, bool] | None = None, **__: Any) -> bool:
        return True if verdicts is None else verdicts.get(self.transition.id, True)


def build_machine(flow: Flow) -> FlowMachine:
    """The structure of a flow as a machine of transitions, for whoever uses its tools. Raises nothing for a flow that the
    loader has accepted."""
    return machine_with(flow, outermost(flow))


def outermost(flow: Flow) -> list[str]:
    """The states of the top level, behind whose rows those of the top level itself stand."""
    return [child for child in flow.root.children if flow.states[child].kind != "history"]


def machine_with(flow: Flow, behind: list[str]) -> FlowMachine:
    """The same with the top level's rows behind these states alone: where all rows are only read, one is enough."""

    def describe(path: str) -> dict[str, Any]:
        state = flow.states[path]
        inner = [describe(child) for child in state.children if flow.states[child].kind != "history"]
        described: dict[str, Any] = {"name": state.name}
        if state.kind == "parallel":
            described["parallel"] = inner
        elif inner:
            described["children"] = inner
            if state.initial is not None:
                described["initial"] = _visible(flow, state.initial).removeprefix(path + ".")
        return described

    root = flow.root
    machine = FlowMachine(
        model=None,
        states=[describe(child) for child in outermost(flow)],
        initial=_visible(flow, root.initial) if root.initial else None,
        auto_transitions=False,
        send_event=False,
        queued=True,
    )
    for path, state in flow.states.items():
        sources = behind if path == ROOT else [path]
        for trigger, row in _rows(flow, path) if state.kind != "history" else ():
            target = None if row.target is None else _visible(flow, row.target)
            machine.add_transition(trigger, sources, target, conditions=Holds(row))
    return machine


def _rows(flow: Flow, path: str) -> list[tuple[str, Transition]]:
    return [(_trigger(row), move) for row, move in triggers(flow.states[path])]


def _trigger(row: Trigger) -> str:
    if row is None:
        return ALWAYS
    return row.pattern if isinstance(row, Row) else f"{row.kind} {row.text}"


def _visible(flow: Flow, path: str) -> str:
    state = flow.states[path]
    return state.parent or "" if state.kind == "history" else path
