"""How a call begins that somebody wants to see: what its author does not say is made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.flow import ROOT, Flow
from callflow.core.values.choices import plain
from callflow.proof.begin import environment
from callflow.scenario import Scenario, Step
from callflow.scenario.model import Occurs
from callflow.scenario.reading import BEGINS


def beginning(
    flow: Flow,
    *,
    name: str = "a call",
    start: float | None = None,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the language's own word
    env: Mapping[str, str] | None = None,
) -> Scenario:
    """A call without steps, at `start` (seconds since the epoch; None: when scenarios begin that do not say): with these variables, and with made-up ones where they must be
    given; the same of the environment. A flow that decides whether it takes a call has it ring."""
    variables = flow.scopes[ROOT].variables
    given = {one: plain(variable.type) for one, variable in variables.items() if variable.required}
    waits = flow.answer == "manual"
    return Scenario(
        name,
        flow,
        [Step(Occurs("call.offered"), "now")] if waits else [],
        BEGINS if start is None else start,
        {**given, **(vars or {})},
        {**environment(flow), **(env or {})},
        waiting=waits,
    )
