"""What the step does itself, at once: `set`, `outcome`, `emit`, `log`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callflow.core.content import Prepared, fit, log_line, scope_of, set_variables
from callflow.core.events import NO_DATA, Event, Queued
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import ActionList
from callflow.errors import EffectError


def carry_out(macrostep: Macrostep, one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    """`set`, `outcome`, `emit`, `log`."""
    _AT_ONCE[prepared.verb.name](macrostep, one, prepared, arguments)


def _set(macrostep: Macrostep, one: ActionList, _: Prepared, arguments: Mapping[str, Any]) -> None:
    scope = scope_of(macrostep, one)
    variables = macrostep.flow.scopes[scope].variables
    values = {
        # `name: null` empties a variable: from then on its value is absent.
        name: None if value is None else fit(macrostep, variables[name].type, value, f"set.{name}")
        for name, value in arguments["values"].items()
    }
    set_variables(macrostep, one, values)
    for name, value in values.items():
        macrostep.note("set", scope=scope, name=name, value=value)


def _outcome(macrostep: Macrostep, _one: ActionList, _prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    set_outcome(macrostep, str(arguments["name"]))


def _emit(macrostep: Macrostep, _one: ActionList, _prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    event = Event(arguments["event"], arguments.get("data") or NO_DATA, macrostep.time)
    macrostep.note("emitted", event=event.name, data=event.data)
    if macrostep.live:
        macrostep.queue += (Queued(event),)


def _log(macrostep: Macrostep, _one: ActionList, prepared: Prepared, arguments: Mapping[str, Any]) -> None:
    macrostep.notes.append(prepared.line or log_line(arguments, prepared.private))


_AT_ONCE: Mapping[str, Callable[[Macrostep, ActionList, Prepared, Mapping[str, Any]], None]] = {
    "set": _set,
    "outcome": _outcome,
    "emit": _emit,
    "log": _log,
}


def set_outcome(macrostep: Macrostep, name: str) -> None:
    """The first outcome stays (rule 14). Raises EffectError for a word that is none of the flow's outcomes."""
    if name not in macrostep.flow.outcomes:
        raise EffectError(f"{name!r} is no outcome of this flow")
    if macrostep.outcome is None:
        macrostep.outcome = name
        macrostep.note("outcome", name=name)
    else:
        macrostep.note("late_outcome", name=name, stands=macrostep.outcome)
