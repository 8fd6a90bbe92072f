"""The telephony verbs on a simulated phone network: a far end that is dialled is a telephone in the simulated room.

As on a real bridge the telephone is in the room from the dial on, `sip.callStatus` says how far it is (dialing,
ringing, active), nobody hears anything before it is active, and it leaves when it was not answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import define, field
from livekit import rtc

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.simulate.phone import PhoneNetwork
from callflow.testing.caller import Caller
from callflow.testing.server import NOTICED, Reason, SimulatedServer

SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP

_REASONS: Mapping[str, Reason] = {
    "busy": rtc.DisconnectReason.USER_REJECTED,
    "declined": rtc.DisconnectReason.USER_REJECTED,
    "no_answer": rtc.DisconnectReason.USER_UNAVAILABLE,
    "invalid": rtc.DisconnectReason.USER_UNAVAILABLE,
    "failed": rtc.DisconnectReason.CLIENT_INITIATED,
}


@define(eq=False)
class SimulatedPhone:
    """What carries out `dial`, `cancel_dial`, `detect_machine`, `send_dtmf` and `transfer` in a simulated room.

    `answered` is called with each telephone that was picked up, and may make it talk: what it returns runs beside the
    call, and is cancelled when the telephone has left. `legs` holds the telephones, by the name of their leg.
    """

    server: SimulatedServer
    network: PhoneNetwork
    answered: Callable[[Caller], Awaitable[None]] | None = None
    legs: dict[str, Caller] = field(factory=dict, init=False)
    _numbers: dict[str, str] = field(factory=dict, init=False)
    _talking: set[asyncio.Task[None]] = field(factory=set, init=False)

    @property
    def verbs(self) -> Mapping[str, Callable[[Any, Start], Awaitable[Mapping[str, Any]]]]:
        """The functions that carry out the verbs, for `callflow.bind(…, telephony=phone.verbs)`."""
        return {
            "dial": self.dial,
            "cancel_dial": self.cancel_dial,
            "detect_machine": self.detect_machine,
            "send_dtmf": self.send_dtmf,
            "transfer": self.transfer,
        }

    async def dial(self, world: Any, effect: Start) -> Mapping[str, Any]:
        """Rings the number; the result's fields. Cancelled, the ringing stops and the telephone is gone."""
        arguments = effect.arguments
        leg, number = str(arguments.get("leg") or "far_end"), str(arguments["to"])
        attributes = {
            "callflow.leg": leg,
            "sip.callID": self.server.new_id("SCL"),
            "sip.callStatus": "dialing",
            "sip.phoneNumber": number,
            "sip.trunkID": str(arguments.get("trunk") or ""),
        }
        telephone = Caller(self.server, world.room_name, f"sip_{leg}", kind=SIP, attributes=attributes)
        self.legs[leg], self._numbers[leg] = telephone, number
        telephone.join(listens=False)
        try:
            ringing = lambda: telephone.set_attributes({"sip.callStatus": "ringing"})  # noqa: E731
            result = await self.network.ring(number, float(arguments["ringing_timeout"]), ringing)
        except asyncio.CancelledError:
            self.server.remove(world.room_name, telephone.identity)
            raise
        if not telephone.on_line:
            return {"result": "failed", "leg": leg, "cause": "the room is gone", "elapsed": result["elapsed"]}
        if result["result"] != "answered":
            telephone.leave(_REASONS[result["result"]])
            return {**result, "leg": leg}
        telephone.set_attributes({"sip.callStatus": "active"})
        telephone.listen()
        await asyncio.sleep(NOTICED)  # the agent sees the status, and the dial's answer, at about the same time
        self._talk(telephone)
        detect = arguments.get("detect_machine")
        if detect is not None:
            self._detect(world, number, telephone, detect)
        return {**result, "leg": leg}

    async def cancel_dial(self, world: Any, effect: Start) -> Mapping[str, Any]:
        """The telephone stops ringing; one that was answered stays."""
        telephone = self._leg(effect, world)
        if telephone.info.attributes.get("sip.callStatus") != "active":
            self.server.remove(world.room_name, telephone.identity)
        return {}

    async def detect_machine(self, world: Any, effect: Start) -> Mapping[str, Any]:
        """Who has answered: the category is the result."""
        leg = str(effect.arguments.get("leg") or "far_end")
        after, fields = self.network.detection(self._numbers.get(leg, ""), effect.timeout or 15.0)
        await asyncio.sleep(after)
        return {**fields, "result": fields["category"]}

    async def send_dtmf(self, world: Any, effect: Start) -> Mapping[str, Any]:
        """The keys are heard by every telephone in the room, 0.2 s apart."""
        digits = str(effect.arguments["digits"])
        for digit in digits:
            if digit != "w":
                await world.ctx.room.local_participant.publish_dtmf(code=0, digit=digit)
            await asyncio.sleep(0.2)
        return {}

    async def transfer(self, world: Any, effect: Start) -> Mapping[str, Any]:
        """REFER: the far end dials the target by itself; when that answers, it leaves a second later."""
        telephone, to = self._leg(effect, world), str(effect.arguments["to"])
        rang = await self.network.ring(to, effect.timeout or 30.0, lambda: None)
        result = {**rang, "leg": str(effect.arguments.get("leg") or "far_end"), "to": to}
        if rang["result"] != "answered":
            return {**result, "result": "failed"}
        self.server.loop.call_later(1.0, telephone.hang_up)
        return {**result, "result": "completed"}

    async def close(self) -> None:
        """Whoever still talks stops."""
        for task in self._talking:
            task.cancel()
        if self._talking:
            await asyncio.wait(self._talking)

    def _leg(self, effect: Start, world: Any) -> Caller:
        leg = str(effect.arguments.get("leg") or "far_end")
        if leg in self.legs:
            return self.legs[leg]
        state = self.server.rooms.get(world.room_name)
        caller = state.members.get(world.line.identity_of(leg)) if state else None
        if not isinstance(caller, Caller):
            raise EffectError(f"there is no leg {leg} on the line")
        return caller

    def _talk(self, telephone: Caller) -> None:
        if self.answered is not None:
            task = asyncio.ensure_future(self.answered(telephone))
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)

    def _detect(self, world: Any, number: str, telephone: Caller, detect: Any) -> None:
        timeout = float(detect.get("timeout", 15.0)) if isinstance(detect, Mapping) else 15.0
        after, fields = self.network.detection(number, timeout)

        def tell() -> None:
            if telephone.on_line and not world.call.over:
                world.call.post(f"amd.{fields['category']}", fields)

        self.server.loop.call_later(after, tell)
