"""The calls that are recorded, of every flow to copy: callers who get what they want, and those who hang up, are silent, are
refused or cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import evolve

from callflow.telephony.network import FAR_ENDS, FarEnd, HangUp, Hear, Press, Wait
from callflow.testing import Caller, Tool
from callflow.testing.models import Turn
from callflow.testing.play import Script, Stage, hangs_up, silent, talks

NUMBER, OTHER = "+15550123456", "+15550100100"
EVENING = 1_795_287_600.0  # Saturday, 21 November 2026, 20:00 in Berlin: the front desk is closed
MORNING = EVENING - 34 * 3600.0  # Friday, 10:00: it is open


class Recorded(NamedTuple):
    """One call: the flow, the model's turns, what the caller does, and what else there is.

    `phone`: who is at which number; `calls_in`: the caller's own telephone; `meanwhile`: what happens so many seconds after
    the job has begun.
    """

    flow: str
    model: Sequence[Turn]
    caller: Script
    calls_in: FarEnd | None = None
    phone: Mapping[str, FarEnd] = {}
    http: Mapping[str, Any] | None = None
    begins: float = EVENING
    meanwhile: Sequence[tuple[float, Callable[[Stage], object]]] = ()


async def presses(caller: Caller, *keys: str) -> None:
    for key in keys:
        await caller.hear()
        for one in key:
            caller.press(one)


async def looks_something_up(caller: Caller) -> None:
    """Asks for a moment, is away for one, and is back."""
    await talks("One moment.")(caller)
    await asyncio.sleep(70)
    await talks("Here I am.", "That is all.")(caller)


def shuts_down(stage: Stage) -> None:
    stage.job.request_shutdown()


def loses_the_room(stage: Stage) -> None:
    stage.server.delete_room(stage.room)


def colleague_joins(stage: Stage) -> None:
    Caller(stage.server, stage.room, "colleague").join()


def colleague(*acts: Any) -> FarEnd:
    """A telephone that listens to a briefing first."""
    return FarEnd(rings=2.0, acts=(Hear(), *acts))


ANSWERS, REFUSES = FAR_ENDS["answers"], FAR_ENDS["refuses_transfer"]
HELP = talks("One question.", "That is all.")
A_PERSON = talks("I would like to speak to a person.", "Ada Byron, my loom.", "That is right.", "Thank you.")
TAKES_A_MESSAGE: Sequence[Turn] = (
    "Who may I say called?",
    Tool("message_is_complete", {"caller": "Ada Byron", "text": "Her loom needs a repair."}),
    Tool("message_is_right"),
)
BRIEFED = Tool("speak_to_person", {"caller": "Ada", "reason": "A loom."})

CALLS: Sequence[Recorded] = (
    Recorded("smallest", ("Good day.", ["All right."], Tool("end_call")), HELP),
    Recorded("smallest", ("Good day.", "Let me see."), talks("One question.", then_leaves=True)),
    Recorded("smallest", ("Good day.", "Let me see."), HELP, meanwhile=[(4.0, shuts_down)]),
    # a front desk
    Recorded("inbound", ("What can I do for you?", Tool("speak_to_person"), *TAKES_A_MESSAGE), A_PERSON),
    Recorded("inbound", ("What can I do for you?", Tool("end_call")), HELP),
    Recorded("inbound", ("What can I do for you?",), silent),
    Recorded("inbound", ("What can I do for you?",), hangs_up(after=6.0)),
    Recorded(
        "inbound", ("What can I do for you?", Tool("leave_message"), "Yes?"), HELP, meanwhile=[(13.0, loses_the_room)]
    ),
    Recorded(
        "inbound",
        ("What can I do for you?", Tool("speak_to_person"), *TAKES_A_MESSAGE),
        A_PERSON,
        REFUSES,
        {OTHER: ANSWERS},
        begins=MORNING,
    ),
    # a shop
    Recorded(
        "look-up",
        ("Your number?", Tool("find_order", {"number": "4711"}), "It is on its way.", Tool("end_call")),
        talks("It is 4711.", "Thank you."),
        http={"https://shop.example/orders": {"state": "sent"}},
    ),
    Recorded("look-up", ("Your number?", "Take your time."), talks("Let me see.", then_leaves=True)),
    # callers who are silent, and those who talk too long
    Recorded(
        "silence-ladder", ("Good day.", Tool("wait_for_caller"), "Welcome back.", Tool("end_call")), looks_something_up
    ),
    Recorded("silence-ladder", ("Good day.",), silent),
    Recorded(
        "maximum-duration",
        ("Your number, please?", Tool("caller_is_known", {"number": "12"}), "What can I do?", Tool("end_call")),
        talks("Twelve.", "Nothing."),
    ),
    Recorded("maximum-duration", ("Your number, please?", "Well?"), talks("I do not know it.")),
    # transfers
    Recorded("cold-transfer", ("How can I help?", Tool("speak_to_person")), A_PERSON, ANSWERS, {OTHER: ANSWERS}),
    Recorded(
        "cold-transfer",
        ("How can I help?", Tool("speak_to_person"), "Shall they call you back?", Tool("call_back")),
        A_PERSON,
        REFUSES,
    ),
    Recorded(
        "cold-transfer",
        ("How can I help?", Tool("speak_to_person"), "Try again later?"),
        A_PERSON,
        evolve(ANSWERS, hangs_up=30.0),
        {OTHER: FAR_ENDS["busy"]},
    ),
    Recorded(
        "warm-transfer",
        ("How can I help?", BRIEFED),
        A_PERSON,
        phone={OTHER: colleague(Press("1"), Wait(8.0), HangUp())},
    ),
    Recorded(
        "warm-transfer",
        ("How can I help?", BRIEFED, "I am sorry.", Tool("end_call")),
        A_PERSON,
        phone={OTHER: colleague(Press("2"))},
    ),
    Recorded(
        "warm-transfer",
        ("How can I help?", BRIEFED, "I am sorry.", Tool("end_call")),
        A_PERSON,
        phone={OTHER: FAR_ENDS["busy"]},
    ),
    Recorded("hand-over", (), silent, meanwhile=[(60.0, colleague_joins)]),
    Recorded("hand-over", (Tool("give_up"),), talks("I have to go.")),
    Recorded("hand-over", (), silent),
    # out
    Recorded(
        "outbound", ("Can you come?", "Wonderful.", Tool("end_call")), talks("Yes.", "Bye."), phone={NUMBER: ANSWERS}
    ),
    Recorded("outbound", ("Can you come?", "Wonderful."), talks("Yes.", then_leaves=True), phone={NUMBER: ANSWERS}),
    Recorded("outbound", (), silent, phone={NUMBER: FAR_ENDS["voicemail"]}),
    Recorded("outbound", (), silent, phone={NUMBER: FAR_ENDS["menu"]}),
    Recorded("outbound", (), silent, phone={NUMBER: FAR_ENDS["no_answer"]}, meanwhile=[(6.0, shuts_down)]),
    Recorded(
        "voicemail", ("Can you come?", "Wonderful.", Tool("end_call")), talks("Yes.", "Bye."), phone={NUMBER: ANSWERS}
    ),
    Recorded("voicemail", ("This is the practice.", "Can you come?"), silent, phone={NUMBER: FAR_ENDS["screening"]}),
    Recorded("voicemail", (), silent, phone={NUMBER: FAR_ENDS["busy"]}),
    # keys
    Recorded("keypad-menu", (), lambda caller: presses(caller, "2", "1", "1", "123456#", "5"), ANSWERS),
    Recorded("keypad-menu", (), lambda caller: presses(caller, "7", "0"), REFUSES, {OTHER: ANSWERS}),
)
