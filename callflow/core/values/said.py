"""What has to be said of an event: of its payload what tells it from others of its name, and what its author declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callflow.core.events import Event
from callflow.core.expressions import TEXT
from callflow.core.flow import Flow
from callflow.core.values.choices import plain
from callflow.core.values.facts import fields_of, type_of
from callflow.core.values.representatives import representatives_of


def said(flow: Flow, event: Event) -> Mapping[str, Any]:
    """The fields of a payload that an author would write, in a tool's or an event's call of this flow."""
    fields = fields_of(flow, event.name)
    declared = event.name.startswith("tool.") or event.name in flow.events
    tell = telling(representatives_of(flow).payloads(event.name))
    data: dict[str, Any] = {}
    for name, value in event.data.items():
        if name in tell:
            data[name] = value
        elif declared and name in fields:
            empty = value == "" and type_of(fields[name]) == TEXT
            data[name] = plain(TEXT) if empty else value
    return data


def telling(payloads: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The fields in which they differ."""
    names = {name for one in payloads for name in one}
    return frozenset(name for name in names if any(one.get(name) != payloads[0].get(name) for one in payloads))
