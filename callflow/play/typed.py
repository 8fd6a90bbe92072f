"""What is typed becomes what happens: a step as it stands in a scenario, or what is said with one of the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.flow import Flow
from callflow.errors import CallflowError, Defect
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.report import Report, Suggestions, plain_data
from callflow.flowfile.yaml import parse
from callflow.play.choices import Choice
from callflow.scenario.model import Act, Calls, Ends, Occurs, Presses, Replies, Speaks, Step
from callflow.scenario.steps import steps
from callflow.scenario.writing import step_written


class Unreadable(CallflowError):
    """What was typed is no step; the message says why, and what to write."""


def read_steps(flow: Flow, text: str) -> list[Step]:
    """The steps that stand in a line, as behind `- ` in a scenario. Raises Unreadable."""
    root, defects = parse(f"steps:\n- {text}\n", "<typed>")
    report = Report("<typed>", defects, Suggestions())
    found = [] if root is None else steps(report, flow, root.get("steps"), "steps", exactly=False)
    if report.defects or not found:
        raise Unreadable(_told(report.defects))
    return found


def said_with(flow: Flow, choice: Choice, text: str) -> Act:
    """What a choice is with what is said beside its number: the words, the keys, or the fields. Raises Unreadable."""
    act = choice.act
    if not text:
        return act
    if choice.takes == "words" and isinstance(act, (Speaks, Replies)):
        return act._replace(text=text)
    if choice.takes == "keys" and isinstance(act, Presses):
        return _read(flow, act._replace(keys=text.replace(" ", "")))
    if choice.takes == "fields":
        return _read(flow, _with_fields(act, _fields(text)))
    raise Unreadable(f"nothing is said with “{choice.words}”: the number alone is enough")


def _with_fields(act: Act, fields: Mapping[str, Any]) -> Act:
    if isinstance(act, Calls):
        [(name, arguments)] = act.tools
        return Calls(((name, {**arguments, **fields}),))
    if isinstance(act, Ends):
        return act._replace(ending=act.ending._replace(result={**act.ending.result, **fields}))
    if isinstance(act, Occurs):
        return act._replace(data={**act.data, **fields})
    return act


def _fields(text: str) -> Mapping[str, Any]:
    """`day: friday, seats: 2`, with or without braces."""
    inner = text if text.startswith("{") else f"{{{text}}}"
    root, defects = parse(f"fields: {inner}\n", "<typed>")
    node = None if root is None or defects else root.get("fields")
    if not isinstance(node, MappingNode):
        raise Unreadable(
            _told(defects) if defects else f"write the fields as `name: value`, with a comma between: {text}"
        )
    found: dict[str, Any] = plain_data(node)
    if any(value is None for value in found.values()) and ":" not in text:
        raise Unreadable(f"write the fields as `name: value`, with a comma between: {text}")
    return found


def _read(flow: Flow, act: Act) -> Act:
    """The same, as a scenario would have it."""
    try:
        text = step_written(Step(act))
    except ValueError as error:
        raise Unreadable(str(error)) from None
    return read_steps(flow, text)[0].act


def _told(defects: list[Defect]) -> str:
    told = [f"{one.message} ({one.hint})" if one.hint else one.message for one in defects]
    return "; ".join(told) or "nothing happens in that"


__all__ = ["Unreadable", "read_steps", "said_with"]
