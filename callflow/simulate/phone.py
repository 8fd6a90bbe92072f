"""A telephone network that is a script: who answers when, who refuses, and who it is that has answered.

It knows nothing of rooms: whoever dials on it (a simulated room, a scenario) says what a ringing and an answered
telephone mean there.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from attrs import define, field, frozen

DialResult = Literal["answered", "busy", "no_answer", "declined", "invalid", "failed"]
Category = Literal["human", "machine-ivr", "machine-vm", "machine-unavailable", "uncertain"]

REACHED = 0.3
"""Seconds from the dial until the far telephone rings (180 Ringing)."""


@frozen
class FarEnd:
    """One telephone, and what becomes of a call to it. All times are in seconds.

    It rings for `rings` seconds, and then `result` is what happens; `math.inf` rings until the dialler gives up. Who
    answers is a `category` of LiveKit's answering machine detection, known `detected_after` seconds after the answer.
    """

    result: DialResult = "answered"
    rings: float = 4.0
    sip_status_code: int | None = None
    sip_status: str | None = None
    category: Category = "human"
    detected_after: float = 1.2
    transcript: str = ""


FAR_ENDS: Mapping[str, FarEnd] = {
    "answers": FarEnd(sip_status_code=200, sip_status="OK", transcript="Hello?"),
    "busy": FarEnd("busy", 0.5, 486, "Busy Here"),
    "no-answer": FarEnd("no_answer", math.inf),
    "declines": FarEnd("declined", 3.0, 603, "Decline"),
    "invalid": FarEnd("invalid", 0.0, 404, "Not Found"),
    "fails": FarEnd("failed", 0.0, 503, "Service Unavailable"),
    "voicemail": FarEnd(
        "answered", 18.0, 200, "OK", "machine-vm", 5.0, "You have reached my voicemail, please leave a message."
    ),
    "menu": FarEnd("answered", 2.0, 200, "OK", "machine-ivr", 4.0, "For sales press one."),
}
"""Telephones to call, by what they do."""


@define(eq=False)
class PhoneNetwork:
    """Numbers and the telephones behind them; `otherwise` is behind every other number. `dialled` lists the calls."""

    numbers: Mapping[str, FarEnd] = field(factory=dict)
    otherwise: FarEnd = FAR_ENDS["invalid"]
    dialled: list[str] = field(factory=list, init=False)

    def far_end(self, number: str) -> FarEnd:
        return self.numbers.get(number, self.otherwise)

    async def ring(self, number: str, ringing_timeout: float, on_ringing: Callable[[], None]) -> Mapping[str, Any]:
        """One call to `number`, until it is answered or refused: the result's fields, as a `dial` has them.

        `on_ringing` is called when its telephone rings. Cancelling it is the dialler's CANCEL.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.dialled.append(number)
        far = self.far_end(number)
        result, code, status = far.result, far.sip_status_code, far.sip_status
        reached = min(REACHED, far.rings)
        await asyncio.sleep(reached)
        if far.rings > REACHED:
            on_ringing()
        if far.rings <= ringing_timeout:
            await asyncio.sleep(far.rings - reached)
        else:
            await asyncio.sleep(ringing_timeout - reached)
            result, code, status = "no_answer", None, None
        fields = {"result": result, "sip_status_code": code, "sip_status": status, "elapsed": loop.time() - began}
        return fields | {"cause": _CAUSES[result]}

    def detection(self, number: str, timeout: float) -> tuple[float, Mapping[str, Any]]:
        """Who has answered: how many seconds after the answer that is known, and an `amd.*` event's fields."""
        far = self.far_end(number)
        if far.detected_after > timeout:
            return timeout, _detected("uncertain", "detection_timeout", "", timeout)
        return far.detected_after, _detected(far.category, "llm", far.transcript, far.detected_after)


_CAUSES: Mapping[str, str] = {
    "answered": "answered",
    "busy": "the line is busy",
    "no_answer": "nobody answered",
    "declined": "the far end refused",
    "invalid": "there is no such number",
    "failed": "the network could not place the call",
}


def _detected(category: str, reason: str, transcript: str, delay: float) -> Mapping[str, Any]:
    return {"category": category, "reason": reason, "transcript": transcript, "delay": delay}
