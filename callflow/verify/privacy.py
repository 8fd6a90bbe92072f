"""Private values stay where they can be hidden: not in LiveKit's own logs, nor in words that others count by."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import EVERY_VERB
from callflow.core.flow import Flow
from callflow.core.privacy import may_be_private, privacy_of
from callflow.core.statechart.action_lists import actions_during
from callflow.errors import Defect
from callflow.verify.places import defect, warning

_SHOWN = {
    verb.name: ({name: one.shown for name, one in verb.arguments.items() if one.shown}, verb.roles.get("line"))
    for verb in EVERY_VERB.values()
}
"""Of each verb: the arguments that are seen outside, each with why, and the one that is a line of the log."""


def private_values_shown(flow: Flow) -> Iterator[Defect]:
    """What is private, or made of it, is written to no place that cannot hide it."""
    for action in (*actions_during(flow), *flow.wrap_up):
        shown, line = _SHOWN[action.verb]
        if not (shown or line) or not may_be_private(action.arguments):
            continue
        made = privacy_of(flow).of(action)
        for name, why in shown.items():
            if name in made:
                yield defect(
                    "private-value-shown", f"`{action.verb}` would show a private value: {why}", action.position,
                    "write a word of your own, or decide with guards which", len(action.verb),
                )  # fmt: skip
        if line is not None and line in made and made[line].opaque:
            yield warning(
                "private-line", "this line holds what is made of a private value, and will be one digest", action.position,
                "leave the value out, or write the private variable itself: then only its place in the line is hidden",
                len(action.verb),
            )  # fmt: skip
