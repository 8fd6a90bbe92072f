"""The two telephone networks of these tests, behind one interface: far ends in, what the telephones saw out.

The stand-in (`network_stand_in`) always runs; the real one (`network_real`) where its programs are at hand. A network
lives as long as the pytest process, in threads and processes of its own: what it has seen may be read at any time, and
is only ever added to. All times are monotonic, the clock of the tests and of the jobs' notes.

A scenario dials `telephone.number` on `telephone.trunk`. Who calls in lands in the room that the test names.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import Factory, define, field

from callflow.telephony import network as telephony
from callflow.telephony.network import FarEnd, Signal
from tests.e2e.sound import Hearing


@define(eq=False)
class PhoneCall(telephony.PhoneCall):
    """One call, as the telephone saw it. `heard`: what came as sound; `shown`: what the INVITE shows: `number`, `name`, and its headers
    that begin with `X-`."""

    heard: Hearing = field(factory=Hearing, repr=False)
    shown: Mapping[str, str] = Factory(dict)

    @property
    def answered_at(self) -> float | None:
        """When its 200 to the INVITE went out, or, calling in, when LiveKit's came."""
        return next((one.at for one in list(self.signals) if (one.message, one.about) == ("200", "INVITE")), None)

    async def wait_for(self, message: str, *, within: float) -> Signal:
        """The first such message from LiveKit. Raises AssertionError that tells what was seen instead."""
        await until(lambda: self.got(message), within=within, what=lambda: f"{message}; seen: {self.signals}")
        return self.got(message)[0]

    async def over(self, *, within: float) -> Signal:
        """The first message that ended it: a BYE or a CANCEL of either side, or the final refusal. Raises AssertionError."""
        await until(self._ends, within=within, what=lambda: f"the call's end; seen: {self.signals}")
        return self._ends()[0]

    def _ends(self) -> list[Signal]:
        return [
            one
            for one in list(self.signals)
            if one.message in ("BYE", "CANCEL")
            or (one.about == "INVITE" and one.message.isdigit() and int(one.message) >= 300)
        ]


class Telephone(Protocol):
    """A telephone that can be called."""

    number: str
    """E.164, of this telephone alone."""
    trunk: str
    """The trunk on which it is reached: the `trunk` of a `dial`."""

    @property
    def calls(self) -> list[PhoneCall]:
        """One for each INVITE, in their order."""


class Network(Protocol):
    """A telephone network. `name` is for messages."""

    name: str

    async def telephone(self, *far_ends: FarEnd) -> Telephone:
        """A new telephone: its nth call meets the nth of these, further ones the last."""

    async def call_in(self, room: str, far: FarEnd, *, caller: str = "+15550199") -> PhoneCall:
        """A telephone calls; its call is put into `room`. Returns when the INVITE has been sent."""

    async def kill_bridge(self) -> None:
        """Every SIP bridge of this network dies at once (SIGKILL); only for a network of the test's own."""

    async def left(self) -> list[str]:
        """The legs that the bridge still has, whatever they are called; empty when all is over."""


async def call_of(telephone: Telephone, *, within: float = 20) -> PhoneCall:
    """The first call to this telephone, once it has the INVITE. Raises AssertionError."""
    await until(lambda: telephone.calls, within=within, what=lambda: f"a call to {telephone.number}")
    return telephone.calls[0]


async def until(holds: Callable[[], object], *, within: float, what: Callable[[], str]) -> None:
    """Until it holds. Raises AssertionError with `what` was waited for."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within} s for {what()}")
        await asyncio.sleep(0.01)
