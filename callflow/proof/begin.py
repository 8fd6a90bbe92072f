"""How a call of a flow can begin: the first steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.events import CALL_FIELDS
from callflow.core.expressions import PHONE, Template
from callflow.core.flow import Flow
from callflow.core.forms import CALLED, REFERRED
from callflow.core.snapshot import Step
from callflow.core.statechart.action_lists import every_action
from callflow.core.step import start
from callflow.core.values.choices import plain
from callflow.core.values.facts import TOLD_LATER
from callflow.core.values.reads import reads
from callflow.core.values.representatives import representatives_of

_NUMBER = "+15550100100"
_ADDRESS = "https://example.com"


def first_steps(flow: Flow) -> list[Step]:
    """The first step of a call of this flow, with each of the values that it can begin with: the far end is yet to come, or to be
    called."""
    usual, known = environment(flow), _known_of_the_call(flow)
    return [
        start(
            flow, one.vars, env={**usual, **one.env}, call={**known, **one.call}, time=one.time, waiting=not flow.outbound,
        )
        for one in representatives_of(flow).beginnings()
    ]  # fmt: skip


def environment(flow: Flow) -> dict[str, str]:
    """A number for what is called, at once or by way of variables, hours in which somebody is there, an address for the rest: nobody starts a
    flow without them."""
    found = dict.fromkeys(flow.env, _ADDRESS)
    found |= {name: values[0] for (_, _, name), values in representatives_of(flow).demand.opening.items()}
    for template in _called(flow):
        for name in flow.env:
            if f"env.{name}" in template.reads:
                found[name] = _NUMBER.removeprefix("+") if template.source.lstrip().startswith("+") else _NUMBER
    return found


def _called(flow: Flow) -> Iterator[Template]:
    """The texts that a number is made of."""
    numbers, set_to = _numbers(flow), list(_set_to(flow))
    known: set[str] = set()
    while numbers:
        template = numbers.pop()
        yield template
        for read in template.reads - known:
            known.add(read)
            numbers += [value for name, value in set_to if read == f"vars.{name}"]


def _numbers(flow: Flow) -> list[Template]:
    """Those that are called, and those of a variable that holds a number."""
    return [value for _, value in _set_to(flow) if value.type == PHONE] + [
        template
        for action in every_action(flow)
        for name, value in action.arguments.items()
        if (argument := verb_of(action.verb).arguments.get(name)) is not None
        and (argument.type == PHONE or argument.form in (CALLED, REFERRED))
        for template in templates_in(value)
    ]


def _set_to(flow: Flow) -> Iterator[tuple[str, Template]]:
    """What variables are set to: by their names alone, also those of sub-flows."""
    given: list[Mapping[str, Any]] = [state.arguments for state in flow.states.values()]
    for action in every_action(flow):
        variables = verb_of(action.verb).given("variables", action.arguments)
        given += [variables] if isinstance(variables, Mapping) else []
    for values in given:
        for name, value in values.items():
            for template in templates_in(value):
                yield name, template


def _known_of_the_call(flow: Flow) -> dict[str, Any]:
    """What is known of each call as it begins, as far as the flow reads it."""
    asked = {name for name in reads(flow).call if name in CALL_FIELDS and ("call", "", name) not in TOLD_LATER}
    return {name: plain(CALL_FIELDS[name][0]) for name in sorted(asked)}
