"""Calls of all shipped flows, as they come out of real sessions in simulated rooms: what a step costs that users have.

Each call is played once, and its steps are kept; what is measured carries them out again, one after the other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import callflow
from callflow.core.events import EffectEnded, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Snapshot
from callflow.simulate.clock import VirtualTimeLoop
from callflow.simulate.phone import FAR_ENDS, PhoneNetwork
from callflow.testing import Caller, SimulatedServer, Tool
from callflow.testing.models import Turn
from callflow.testing.play import Script, Stage, silent, talks

FLOWS = Path(__file__).parents[1] / "flows"
NUMBER, OTHER = "+15550123456", "+15550100100"
ENV = {
    "SIP_OUTBOUND_TRUNK_ID": "ST_1",
    "FRONT_DESK_NUMBER": OTHER,
    "DESK_NUMBER": OTHER,
    "COLLEAGUE_NUMBER": OTHER,
    "OPERATOR_NUMBER": OTHER,
    "SHOP_URL": "https://shop.example",
}
EVENING = 1_795_287_600.0  # Saturday, 21 November 2026, 20:00 in Berlin: the front desk is closed


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


async def presses(caller: Caller, *keys: str) -> None:
    for key in keys:
        await caller.hear()
        for one in key:
            caller.press(one)


CALLS: Sequence[tuple[str, Sequence[Turn], Script, Mapping[str, Any]]] = (
    ("smallest", ("Good day.", ["All right."], Tool("end_call")), talks("One question.", "That is all."), {}),
    (
        "inbound",
        (
            "What can I do for you?",
            Tool("speak_to_person"),
            "Who may I say called?",
            Tool("message_is_complete", {"caller": "Ada Byron", "text": "Her loom needs a repair."}),
            Tool("message_is_right"),
        ),
        talks("I would like to speak to a person.", "Ada Byron, my loom.", "That is right."),
        {},
    ),
    ("inbound", ("What can I do for you?",), silent, {}),
    (
        "look-up",
        (
            "Good day, what is your number?",
            Tool("find_order", {"number": "4711"}),
            "It is on its way.",
            Tool("end_call"),
        ),
        talks("It is 4711.", "Thank you."),
        {"http": {"https://shop.example/orders": {"state": "sent"}}},
    ),
    (
        "silence-ladder",
        ("Good day.", Tool("wait_for_caller"), Tool("end_call")),
        talks("One moment.", "I am done."),
        {},
    ),
    (
        "maximum-duration",
        ("Your number, please?", Tool("caller_is_known", {"number": "12"}), "What can I do?", Tool("end_call")),
        talks("Twelve.", "Nothing."),
        {},
    ),
    (
        "cold-transfer",
        ("How can I help?", Tool("speak_to_person")),
        talks("A person, please."),
        {"calls_in": "answers"},
    ),
    (
        "warm-transfer",
        (
            "How can I help?",
            Tool("speak_to_person", {"caller": "Ada", "reason": "A loom."}),
            "I am sorry.",
            Tool("end_call"),
        ),
        talks("A person, please.", "Bye."),
        {"phone": {OTHER: "busy"}},
    ),
    ("hand-over", (), silent, {}),
    (
        "outbound",
        ("Can you come?", "Wonderful.", Tool("end_call")),
        talks("Yes.", "Bye."),
        {"phone": {NUMBER: "answers"}},
    ),
    ("outbound", (), silent, {"phone": {NUMBER: "voicemail"}}),
    (
        "voicemail",
        ("Can you come?", "Wonderful.", Tool("end_call")),
        talks("Yes.", "Bye."),
        {"phone": {NUMBER: "answers"}},
    ),
    ("voicemail", (), silent, {"phone": {NUMBER: "busy"}}),
    ("keypad-menu", (), lambda caller: presses(caller, "2", "1", "1", "123456#", "5"), {"calls_in": "answers"}),
)
"""The flow, the model's turns, what the caller does, and what else there is."""


def played() -> list[Played]:
    """The steps of all calls."""
    found: list[Played] = []
    for name, model, caller, given in CALLS:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, patch.dict(os.environ, ENV):
            found += runner.run(_play(name, model, caller, dict(given)))
    return found


async def _play(name: str, model: Sequence[Turn], caller: Script, given: dict[str, Any]) -> list[Played]:
    flow = callflow.load(FLOWS / f"{name}.yaml")
    numbers = {number: FAR_ENDS[far] for number, far in given.pop("phone", {}).items()}
    if numbers:
        given["phone"] = PhoneNetwork(numbers)
    if "calls_in" in given:
        given["calls_in"] = FAR_ENDS[given["calls_in"]]
    variables = {"phone_number": NUMBER} if "phone_number" in flow.scopes[""].variables else None
    async with SimulatedServer(epoch=EVENING) as server:
        stage = Stage(flow, server, model, caller, vars=variables, **given)
        await asyncio.wait_for(stage.play(), 3600)
    steps = stage.steps
    return [
        Played(flow, before.snapshot, after.event, len(after.exited))
        for before, after in pairwise(steps)
        if after.event is not None
    ]
