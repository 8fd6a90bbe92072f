"""What a program sends into a call, held to what the flow declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.expressions import ANY, coerce
from callflow.core.flow import Field, Flow
from callflow.core.suggest import did_you_mean


def payload(flow: Flow, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of one of the flow's own events. Raises ValueError with all that is wrong with it."""
    fields = flow.events.get(name)
    if fields is None:
        what = did_you_mean(name, flow.events) or "declare it under `events:`"
        raise ValueError(f"{name} is no event that {flow.name} declares ({what})")
    problems = []
    for given in data:
        if given not in fields:
            hint = did_you_mean(given, fields)
            problems.append(f"{given} is not declared" + (f" ({hint})" if hint else ""))
    fitted: dict[str, Any] = {}
    for field_name, one in fields.items():
        problem = _fit(fitted, one, data.get(field_name))
        if problem is not None:
            problems.append(f"{field_name} {problem}")
    if problems:
        raise ValueError(f"{name}: {'; '.join(problems)}")
    return fitted


def _fit(fitted: dict[str, Any], one: Field, value: Any) -> str | None:
    if value is None:
        return "is missing" if one.required else None
    try:
        fitted[one.name] = value if one.type is ANY else coerce(one.type, value)
    except ValueError as error:
        return str(error)
    if one.enum and fitted[one.name] not in one.enum:
        return f"takes one of {', '.join(map(str, one.enum))}"
    return None
