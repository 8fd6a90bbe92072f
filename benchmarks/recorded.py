"""Calls of all shipped flows, as they come out of real sessions in simulated rooms: what a step costs that users have.

Each call is played once, and its steps are kept; what is measured carries them out again, one after the other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import callflow
from benchmarks.calls import CALLS, NUMBER, OTHER, Recorded
from callflow.core.events import EffectEnded, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Snapshot
from callflow.telephony.network import PhoneNetwork
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage
from callflow.testing.virtual_time import VirtualTimeLoop

FLOWS = Path(__file__).parents[1] / "flows"
ENV = {
    "SIP_OUTBOUND_TRUNK_ID": "ST_1",
    "FRONT_DESK_NUMBER": OTHER,
    "DESK_NUMBER": OTHER,
    "COLLEAGUE_NUMBER": OTHER,
    "OPERATOR_NUMBER": OTHER,
    "SHOP_URL": "https://shop.example",
}


class Played(NamedTuple):
    """One step of a call: where it began, and with what, and how many states it left."""

    flow: Flow
    before: Snapshot
    event: Input
    left: int


def kind(played: Played) -> str:
    """What kind of input it is, as the table of results names it."""
    event = played.event
    if isinstance(event, EffectEnded):
        return "effect ends"
    if isinstance(event, TimerFired):
        return "timers"
    family = event.name.partition(".")[0]
    if family == "tool":
        return "tool calls that leave two states" if played.left > 1 else "tool calls"
    return {"session": event.name, "room": "room.*"}.get(family, "calls, keys, machines")


def played(calls: Sequence[Recorded] = CALLS) -> list[Played]:
    """The steps of all these calls."""
    found: list[Played] = []
    for call in calls:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, patch.dict(os.environ, ENV):
            found += runner.run(_play(call))
    return found


async def _play(call: Recorded) -> list[Played]:
    flow = callflow.load(FLOWS / f"{call.flow}.yaml")
    variables = {"phone_number": NUMBER} if "phone_number" in flow.scopes[""].variables else None
    async with SimulatedServer(epoch=call.begins) as server:
        stage = Stage(
            flow,
            server,
            call.model,
            call.caller,
            PhoneNetwork(call.phone),
            call.calls_in,
            vars=variables,
            http=call.http,
        )
        for seconds, happens in call.meanwhile:
            server.loop.call_later(seconds, happens, stage)
        await asyncio.wait_for(stage.play(), 3600)
    steps = stage.steps
    return [
        Played(flow, before.snapshot, after.event, len(after.exited))
        for before, after in pairwise(steps)
        if after.event is not None
    ]
