"""What of a running call has which name in a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.events import DIGITS, KEYS, MAIN_LEG, OUT_OF_REACH, PROGRAM
from callflow.core.flow import Flow
from callflow.core.snapshot import Running, Timer


def oldest(effects: Mapping[int, Running], verb: str, leg: str | None, *, stopping: bool) -> Running | None:
    """The effect that is meant where its verb alone is named: the one that runs for the longest time, or is being stopped."""
    fitting = (
        one for one in effects.values() if one.verb == verb and leg in (None, one.leg) and one.stopping == stopping
    )
    return next(fitting, None)


def timer_name(flow: Flow, timer: Timer) -> str:
    """As an author writes it: `after 30s`; for the step's own timers what they are for."""
    if timer.kind in ("after", "every", "silence"):
        return f"{timer.kind} {flow.states[timer.state].timers[timer.row].text}"
    return timer.kind


def usual(name: str) -> Mapping[str, Any]:
    """What an event's payload says where a scenario does not."""
    family, _, rest = name.partition(".")
    leg = MAIN_LEG
    if family == "leg":
        leg, _, rest = rest.partition(".")
    if family == "app":
        return {"sender": PROGRAM}
    if rest == "hangup":
        return {"leg": leg, "by": "caller", "cause": "hung_up"}
    if family in ("call", "leg") and not rest.startswith("dtmf."):
        return {"leg": leg}
    key = rest.removeprefix("dtmf.")
    if key in DIGITS and (family == "dtmf" or rest.startswith("dtmf.")):
        return {"digit": {name: sign for sign, name in KEYS.items()}.get(key, key), "leg": leg}
    return {}


def is_given_up(event: object) -> bool:
    """Whether it tells that our own connection has been away for too long: that comes by itself, `limits.reconnecting` after
    `room.reconnecting`, and a step that says so only waits for it."""
    name, data = getattr(event, "name", ""), getattr(event, "data", {})
    return name == "room.disconnected" and data.get("reason") == OUT_OF_REACH
