"""Calls to telephones, live in all but the network: LiveKit's own client, the simulated server's SIP API, its bridge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import callflow
from callflow.core.events import EffectEnded, Event
from callflow.telephony.network import FarEnd, PhoneCall, PhoneNetwork
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage

NUMBER = "+15550123456"

OUTBOUND = """
callflow: 1
name: outbound
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 10s}}]
    on:
      dial.answered: talking
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  talking:
    entry: [{say: Hello there.}]
    after: {40s: ending}
"""


def outbound(
    server: SimulatedServer,
    far: FarEnd | Sequence[FarEnd] | Mapping[str, FarEnd | Sequence[FarEnd]],
    flow: str = OUTBOUND,
    **parts: Any,
) -> Stage:
    """A call of this flow; `far` is who has NUMBER, or who has which number."""
    numbers = far if isinstance(far, Mapping) else {NUMBER: far}
    options = {"telephony": {}, **parts.pop("options", {})}
    return Stage(callflow.loads(flow), server, phone=PhoneNetwork(numbers), options=options, **parts)


def network(stage: Stage) -> PhoneNetwork:
    assert stage.phone is not None
    return stage.phone


def calls(stage: Stage) -> list[PhoneCall]:
    """What the telephones saw, one for each INVITE."""
    return network(stage).calls


def rings_on(call: PhoneCall) -> bool:
    """Whether this telephone rings, or is on the line, when all is over."""
    ended = {"CANCEL", "BYE"} & set(call.messages) or {"> BYE"} & set(call.messages)
    refused = any(signal.by_telephone and signal.message >= "300" for signal in call.signals)
    reached = any(signal.by_telephone for signal in call.signals)
    return reached and not (ended or refused)


def dials(stage: Stage) -> list[Mapping[str, Any]]:
    """What each dial brought, in order."""
    return [step.event.result for step in stage.steps if _is_dial(step.event)]  # type: ignore[union-attr]


def story(stage: Stage) -> list[str]:
    """What happened to the legs, in order: `call.ringing`, `dial.busy`, `leg.human.hangup` …"""
    told = []
    for step in stage.steps:
        if isinstance(step.event, Event) and step.event.name.startswith(("call.", "leg.")):
            told.append(step.event.name)
        elif _is_dial(step.event):
            told.append(f"dial.{step.event.result['result']}")  # type: ignore[union-attr]
    return told


def told(stage: Stage, name: str) -> list[Mapping[str, Any]]:
    """The payloads of the events of this name."""
    return [s.event.data for s in stage.steps if isinstance(s.event, Event) and s.event.name == name]


def _is_dial(event: Any) -> bool:
    return isinstance(event, EffectEnded) and {"result", "elapsed", "leg"} <= event.result.keys()
