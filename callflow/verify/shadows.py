"""Fields that hide what every event has."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.verify.places import warning

EVERY_EVENT = {"name": "its own name", "time": "when it came"}
"""What an expression reads of each event, unless its payload has a field of that name."""


def hidden_names(flow: Flow) -> Iterator[Defect]:
    """A warning for each event and each tool that declares a field `name` or `time`."""
    for one in flow.declared:
        if one.key == "tools":
            fields, event = flow.tools[one.name].parameters, f"tool.{one.name}"
        elif one.key == "events":
            fields, event = flow.events[one.name], one.name
        else:
            continue
        for name in EVERY_EVENT.keys() & fields.keys():
            yield warning(
                "hides-the-event",
                f"in the rows of `{event}`, `event.{name}` is this field, and not {EVERY_EVENT[name]}",
                one.position, f"give the field another name: `caller_{name}`", len(one.name),
            )  # fmt: skip
