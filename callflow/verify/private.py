"""Private values stay where they can be hidden: not in LiveKit's own logs, nor in words that others count by."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.core.privacy import may_be_private
from callflow.core.statechart.lists import actions_during
from callflow.errors import Defect
from callflow.verify.places import defect, warning

_SHOWN = {
    "outcome": ("name", "an outcome is a word that calls are counted by"),
    "shutdown": ("reason", "LiveKit writes the reason into its own log"),
    "tag": ("tags", "LiveKit sends tags with its own report"),
}
"""Verbs whose argument leaves callflow in the clear, into what others keep."""
_LOOKED_AT = frozenset({*_SHOWN, "log"})


def private_values_shown(flow: Flow) -> Iterator[Defect]:
    """What is private, or made of it, is written to no place that cannot hide it."""
    for action in (*actions_during(flow), *flow.wrap_up):
        if action.verb not in _LOOKED_AT or not may_be_private(action.arguments):
            continue
        made = flow.privacy.of(action)
        if action.verb in _SHOWN:
            argument, why = _SHOWN[action.verb]
            if argument in made:
                yield defect(
                    "private-value-shown", f"`{action.verb}` would show a private value: {why}", action.position,
                    "write a word of your own, or decide with guards which", len(action.verb),
                )  # fmt: skip
        elif action.verb == "log" and "message" in made and made["message"].opaque:
            yield warning(
                "private-line", "this line holds what is made of a private value, and will be one digest", action.position,
                "leave the value out, or write the private variable itself: then only its place in the line is hidden", 3,
            )  # fmt: skip
