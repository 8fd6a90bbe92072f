"""How a call of a flow can begin: the first steps."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.expressions import PHONE
from callflow.core.flow import Flow
from callflow.core.forms import CALLED, REFERRED
from callflow.core.render import templates_in
from callflow.core.snapshot import Step
from callflow.core.statechart.lists import every_action
from callflow.core.step import start
from callflow.core.values.representatives import representatives_of

_NUMBER = "+15550100100"
_ADDRESS = "https://example.com"


def first_steps(flow: Flow) -> list[Step]:
    """The first step of a call of this flow, with each of the values that it can begin with: the far end is yet to come, or to be
    called."""
    usual = _environment(flow)
    return [
        start(
            flow, one.vars, env={**usual, **one.env}, call=one.call, time=one.time, waiting=not flow.outbound,
        )
        for one in representatives_of(flow).beginnings()
    ]  # fmt: skip


def _environment(flow: Flow) -> dict[str, str]:
    """A number for what is called, an address for the rest: nobody starts a flow without them."""
    called = {
        read
        for action in every_action(flow)
        for name, value in action.arguments.items()
        if (argument := verb_of(action.verb).arguments.get(name)) is not None
        and (argument.type == PHONE or argument.form in (CALLED, REFERRED))
        for template in templates_in(value)
        for read in template.reads
    }
    return {name: _NUMBER if f"env.{name}" in called else _ADDRESS for name in flow.env}
