"""How a call of a flow can begin: the first steps, with values that fit."""

from __future__ import annotations

from typing import Any

from callflow.core.actions import verb_of
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, PHONE, ListOf, OneOf, Record, Type
from callflow.core.flow import ROOT, Flow
from callflow.core.render import templates_in
from callflow.core.snapshot import Step
from callflow.core.statechart.lists import every_action
from callflow.core.step import start

_NUMBER = "+15550100100"
_ADDRESS = "https://example.com"
_GIVEN: dict[Type, Any] = {INTEGER: 1, NUMBER: 1.0, BOOLEAN: True, DURATION: 1.0, PHONE: _NUMBER}


def first_steps(flow: Flow) -> list[Step]:
    """The first step of a call of this flow: the far end is yet to come, or to be called."""
    required = {name: _value(one.type) for name, one in flow.scopes[ROOT].variables.items() if one.required}
    return [start(flow, required, env=_environment(flow), waiting=not flow.outbound)]


def _environment(flow: Flow) -> dict[str, str]:
    """A number for what is called, an address for the rest."""
    called = {
        read
        for action in every_action(flow)
        for name, value in action.arguments.items()
        if (argument := verb_of(action.verb).arguments.get(name)) is not None and argument.type == PHONE
        for template in templates_in(value)
        for read in template.reads
    }
    return {name: _NUMBER if f"env.{name}" in called else _ADDRESS for name in flow.env}


def _value(kind: Type) -> Any:
    if isinstance(kind, OneOf):
        return kind.words[0]
    if isinstance(kind, ListOf):
        return [_value(kind.item)]
    if isinstance(kind, Record):
        return {name: _value(one) for name, one in kind.fields.items()}
    return _GIVEN.get(kind, "x")
