"""A telephone network on the simulated server: its SIP API dials the telephones of a `PhoneNetwork`.

A telephone that is called, or calls, is a participant in the simulated room, as a SIP bridge makes it one: in the room
from the dial on, with `sip.callStatus` saying how far it is; nobody hears anything before that is `active`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import numpy as np
from attrs import define, field
from livekit import rtc
from livekit.rtc._proto import room_pb2 as proto_events

from callflow.core.events import MAIN_LEG
from callflow.telephony.bridge import Bridge, BridgeLeg, CallIn, Entry
from callflow.telephony.network import FarEnd, PhoneCall, PhoneNetwork, Say, Tone
from callflow.testing.caller import EAR_RATE, Caller
from callflow.testing.server import Reason, SimulatedServer

SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
NAMED = "callflow.leg"


class Telephone(Caller):
    """A telephone in a simulated room: what it does goes through its bridge, and what came to it there is in `call`."""

    def __init__(self, server: SimulatedServer, entry: Entry, leg: BridgeLeg) -> None:
        super().__init__(server, entry.room, entry.identity, kind=SIP, attributes=entry.attributes)
        self.info.name, self.info.metadata = entry.name, entry.metadata
        self.leg = leg
        self.keys = leg.call.keys

    @property
    def call(self) -> PhoneCall:
        """The SIP messages, and the keys."""
        return self.leg.call

    @property
    def name(self) -> str:
        """The name of its leg, where the dialler has given it one; else its identity."""
        return self.info.attributes.get(NAMED) or self.identity

    def hang_up(self) -> None:
        """BYE: it is out of the room a moment later."""
        self.leg.hang_up()

    def receive(self, event: proto_events.RoomEvent) -> None:
        kind = event.WhichOneof("message")
        if kind == "data_packet_received":
            self.leg.key(event.data_packet_received.sip_dtmf.code)
            return
        if kind == "track_published":
            self.leg.heard_a_track()
        super().receive(event)

    def dropped(self, reason: Reason) -> None:
        if self.on_line:
            super().dropped(reason)
            self.leg.removed(reason)


@define(eq=False)
class SimulatedPhone:
    """The telephone network of a simulated server, or of one `room` of it.

    `greets`: who picks up says its greeting. `answered` is called with each telephone that was picked up, and may make it talk: what it returns runs beside the
    call, and is cancelled when the phone is closed. `legs` holds the telephones, by the name of their leg (its
    participant attribute `callflow.leg`; else its identity): the last of each.
    """

    server: SimulatedServer
    network: PhoneNetwork
    answered: Callable[[Telephone], Awaitable[None]] | None = None
    room: str = ""
    greets: bool = False
    legs: dict[str, Telephone] = field(factory=dict, init=False)
    failures: list[Exception] = field(factory=list, init=False)  # of what `answered` has returned
    bridge: Bridge = field(init=False)
    _talking: set[asyncio.Task[None]] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.bridge = self.server.bridges[self.room] = Bridge(self.network, self)

    async def call_in(
        self,
        room: str,
        far: FarEnd,
        *,
        number: str = "+15550199",
        attributes: Mapping[str, str] | None = None,
        ringing_timeout: float | None = None,
    ) -> Telephone:
        """A telephone calls, and rings in the room until somebody there publishes a track."""
        call = CallIn(room, number, attributes=dict(attributes or {}), ringing_timeout=ringing_timeout)
        leg = await self.bridge.call_in(call, far)
        return cast(_Presence, leg.presence).telephone

    async def close(self) -> None:
        """Whoever still talks stops, and the bridge with all its legs."""
        for task in self._talking:
            task.cancel()
        if self._talking:
            await asyncio.wait(self._talking)
        await self.bridge.close()
        self.failures += self.bridge.failures
        if self.server.bridges.get(self.room) is self.bridge:
            del self.server.bridges[self.room]

    # The bridge's rooms.

    async def join(self, entry: Entry, leg: BridgeLeg) -> _Presence:
        telephone = Telephone(self.server, entry, leg)
        self.legs[telephone.name] = telephone
        telephone.join(listens=False)
        if any(member.publications for member in self.server.room(entry.room).others(telephone)):
            leg.heard_a_track()
        return _Presence(telephone, self._talk)

    def has(self, room: str, identity: str) -> bool:
        state = self.server.rooms.get(room)
        return state is not None and identity in state.members

    def who(self, _transcript: str) -> str:
        """The category of the main leg's telephone: what a model that is asked who has answered would say."""
        telephone = self.legs.get(MAIN_LEG)
        return telephone.leg.far.category if telephone is not None else "uncertain"

    def _talk(self, telephone: Telephone) -> None:
        if self.greets and telephone.leg.far.first_words:
            self._begin(_greet(telephone), telephone)
        if self.answered is not None:
            self._begin(self.answered(telephone), telephone)

    def _begin(self, work: Awaitable[None], telephone: Telephone) -> None:
        task = asyncio.ensure_future(act(work, telephone, self.failures))
        self._talking.add(task)
        task.add_done_callback(self._talking.discard)


@define(eq=False)
class _Presence:
    """A telephone's participant in a simulated room."""

    telephone: Telephone
    opened: Callable[[Telephone], None]

    @property
    def sid(self) -> str:
        return self.telephone.info.sid

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        self.telephone.set_attributes(attributes)

    async def open(self) -> None:
        self.telephone.listen()
        self.opened(self.telephone)

    async def sound(self, what: Say | Tone) -> None:
        if isinstance(what, Say):
            await self.telephone.say(what.text)
            return
        t = np.arange(round(EAR_RATE * what.seconds)) / EAR_RATE
        await self.telephone.play((np.sin(2 * np.pi * what.hz * t) * 12_000).astype(np.int16))

    async def hear(self, quiet: float) -> None:
        await self.telephone.hear(quiet=quiet)

    async def press(self, digit: str) -> None:
        self.telephone.press(digit)

    async def silence(self) -> None:
        self.telephone.silence()

    async def leave(self, reason: int) -> None:
        self.telephone.leave(cast(Reason, reason))

    async def vanish(self) -> None:
        self.telephone.vanish()


async def _greet(telephone: Telephone) -> None:
    await asyncio.sleep(telephone.leg.far.greets_after)
    await telephone.say(telephone.leg.far.first_words)


async def act(work: Awaitable[None], caller: Caller, failures: list[Exception]) -> None:
    """What a caller does. Where their script raises they hang up, so that the call ends, and the error is kept."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever it is, whoever runs the script is told
        failures.append(error)
        caller.hang_up()
