"""What a SIP bridge does with a telephone's script: its part in the room, what the API answers, the SIP messages.

It behaves as livekit-sip 1.9.0 behind livekit-server 1.13.5 was measured to. It is independent of the room's transport:
whoever uses it puts a telephone's participant in a room (`Rooms`, `Presence`), and tells its leg what comes from there
(`Leg.removed`, `Leg.key`, `Leg.heard_a_track`). Times are in seconds on the running event loop's clock.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from typing import Any

from attrs import define, evolve, field

from callflow.telephony.leg import BridgeLeg, Rooms
from callflow.telephony.network import KEYS, FarEnd, PhoneCall, PhoneNetwork
from callflow.telephony.refusals import BridgeError
from callflow.telephony.requests import CallIn, Dial, Dialled, End, Entry, Presence, Transfer
from callflow.telephony.timing import NO_NODE, RETURNS, RETURNS_LATE, SHORT, TRANSFER_WITHIN

__all__ = ["KEYS", "Bridge", "BridgeLeg", "CallIn", "Dial", "Dialled", "Entry", "Presence", "Rooms", "Transfer"]


@define(eq=False)
class Bridge:
    """A SIP node. `rooms` are the server's, `network` the telephones. `host` is what a leg's `sip.hostname` says.
    A dial returns so long after `active` was set, `returns_after`: the two are not ordered on a real server."""

    network: PhoneNetwork
    rooms: Rooms
    host: str = "sip.simulated.invalid"
    returns_after: float = RETURNS
    legs: dict[tuple[str, str], BridgeLeg] = field(factory=dict, init=False)
    """By room and identity: the last of each."""
    dead: bool = False
    _numbers: Iterator[int] = field(factory=lambda: itertools.count(1), init=False)
    failures: list[Exception] = field(factory=list, init=False)  # of scripts that could not be carried out
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def dial(self, dial: Dial) -> Dialled:
        """Calls a telephone. With `wait` it returns when that has answered. Raises BridgeError.

        Cancelling it does not cancel the call.
        """
        if not dial.trunk or (self.network.trunks is not None and dial.trunk not in self.network.trunks):
            raise BridgeError("not_found", "object cannot be found")
        if not dial.to or "@" in dial.to or dial.to.startswith(("sip:", "sips:")):
            raise BridgeError("invalid_argument", "call_to should be a phone number or SIP user, not a full SIP URI")
        await self._service(self.network.far_end(dial.to), dial.to)
        far = self.network.meet(dial.to)
        dial = evolve(dial, identity=dial.identity or f"sip_{dial.to}")
        leg = BridgeLeg(self, far, PhoneCall(dial.to, far, dial), self._id("SCL"), dial.room, dial.identity)
        self._start(leg, leg.call_out(dial))
        await asyncio.shield(leg.entered)
        if dial.wait:
            await asyncio.shield(leg.answered)
            late = far.hangs_up is not None and far.hangs_up < SHORT
            await asyncio.sleep(RETURNS_LATE if late else self.returns_after)
        return Dialled(leg.participant_id, dial.identity, dial.room, leg.call_id)

    async def call_in(self, call: CallIn, far: FarEnd) -> BridgeLeg:
        """A telephone calls us; returns when it is in the room, ringing."""
        identity = f"sip_{call.number}"
        leg = BridgeLeg(
            self, far, PhoneCall(call.number, far, call, inbound=True), self._id("SCL"), call.room, identity
        )
        self._start(leg, leg.call_in(call))
        await asyncio.shield(leg.entered)
        return leg

    async def transfer(self, request: Transfer) -> None:
        """REFER. Returns when the target has answered, or when the leg is over once its telephone has accepted. Raises
        BridgeError."""
        if not request.to.startswith(("sip:", "sips:", "tel:")):
            raise BridgeError("invalid_argument", "transfer_to must be a sip:, sips: or tel: URI")
        leg = self.legs.get((request.room, request.identity))
        if not self.rooms.has(request.room, request.identity):
            raise BridgeError("not_found", "participant does not exist")
        if leg is None or leg.over:
            raise BridgeError("invalid_argument", "participant is not a SIP participant")
        if self.dead:
            await self._no_node()
        leg.call.transfers.append(request)
        await leg.transfer(request.to, request.ringing_timeout or TRANSFER_WITHIN)

    async def die(self) -> None:
        """The node is gone: no BYE, its participants are not seen to leave, and nobody answers a dial any more."""
        self.dead = True
        for leg in list(self.legs.values()):
            leg.end(End("death"))

    async def close(self) -> None:
        """Ends everything that still runs, without another message."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _service(self, far: FarEnd, number: str) -> None:
        if self.dead or far.service == "absent":
            self.network.meet(number)
            await self._no_node()
        if far.service != "works":
            self.network.meet(number)
        if far.service == "exhausted":
            raise BridgeError("unavailable", "cpu exhausted")
        if far.service == "fails":
            raise BridgeError("internal", "internal error")
        if far.service == "hangs":
            await asyncio.get_running_loop().create_future()

    async def _no_node(self) -> None:
        await asyncio.sleep(NO_NODE)
        raise BridgeError("unavailable", "no response from servers")

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):06}"

    def _start(self, leg: BridgeLeg, work: Coroutine[Any, Any, None]) -> None:
        self.legs[(leg.room, leg.identity)] = leg
        self.network.calls.append(leg.call)
        self.spawn(work)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs beside, until it ends or the bridge is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
