"""What the step does itself, at once: `set`, `outcome`, `emit`, `log`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callflow.core.content import Prepared, fit, log_line, scope_of, set_variables
from callflow.core.events import NO_DATA, Event, Queued
from callflow.core.snapshot import ActionList
from callflow.core.turn import Turn
from callflow.errors import EffectError


def carry_out(turn: Turn, one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    """`set`, `outcome`, `emit`, `log`."""
    _AT_ONCE[prepared.verb.name](turn, one, prepared, arguments)


def _set(turn: Turn, one: ActionList, _: Prepared, arguments: Mapping[str, Any]) -> None:
    scope = scope_of(turn, one)
    variables = turn.flow.scopes[scope].variables
    values = {
        # `name: null` empties a variable: from then on its value is absent.
        name: None if value is None else fit(turn, variables[name].type, value, f"set.{name}")
        for name, value in arguments["values"].items()
    }
    set_variables(turn, one, values)
    for name, value in values.items():
        turn.note("set", scope=scope, name=name, value=value)


def _outcome(turn: Turn, _one: ActionList, _prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    set_outcome(turn, str(arguments["name"]))


def _emit(turn: Turn, _one: ActionList, _prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    event = Event(arguments["event"], arguments.get("data") or NO_DATA, turn.time)
    turn.note("emitted", event=event.name, data=event.data)
    if turn.live:
        turn.queue += (Queued(event),)


def _log(turn: Turn, _one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    turn.notes.append(prepared.line or log_line(arguments, prepared.private))


_AT_ONCE: Mapping[str, Callable[[Turn, ActionList, Prepared, Mapping[str, Any]], None]] = {
    "set": _set,
    "outcome": _outcome,
    "emit": _emit,
    "log": _log,
}


def set_outcome(turn: Turn, name: str) -> None:
    """The first outcome stays (rule 14). Raises EffectError for a word that is none of the flow's outcomes."""
    if name not in turn.flow.outcomes:
        raise EffectError(f"{name!r} is no outcome of this flow")
    if turn.outcome is None:
        turn.outcome = name
        turn.note("outcome", name=name)
    else:
        turn.note("late_outcome", name=name, stands=turn.outcome)
