"""The stand-in telephone network, whole: a proxy, a bridge behind it, the telephones of a book, and a handset."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from attrs import define, field
from livekit import api

from callflow.errors import StartError
from callflow.telephony.bridge import Bridge, BridgeLeg, CallIn
from callflow.telephony.network import FarEnd, PhoneNetwork, Signal
from callflow.telephony.stand_in.book import Book
from callflow.telephony.stand_in.handset import Handset
from callflow.telephony.stand_in.proxy import Proxy
from callflow.telephony.stand_in.rooms import Ear, Place, RealRooms
from callflow.telephony.stand_in.service import SipApi

REACHABLE = 5.0
"""Seconds in which the server has to answer at the start."""
WATCHED = 0.02
"""Seconds between two looks at the messages."""

BY_HAND = FarEnd(rings=float("inf"))


@define(eq=False)
class StandIn:
    """Made by `running`. `handset` is behind `handset_number`, or behind every number that the book does not name."""

    place: Place
    book: Book
    port: int
    tell: Callable[[str, str], None]  # a number, and what happens there
    with_handset: bool = False
    rooms: RealRooms = field(init=False)
    bridge: Bridge = field(init=False)
    handset: Handset = field(init=False)
    lk: api.LiveKitAPI = field(init=False)

    def __attrs_post_init__(self) -> None:
        otherwise = BY_HAND if self.with_handset else self.book.otherwise
        self.rooms = RealRooms(self.place, self._ear_of)
        self.bridge = Bridge(PhoneNetwork(self.book.numbers, otherwise), self.rooms)
        self.handset = Handset(self.place, f"callflow-phone-{self.port}", lambda text: self.tell("handset", text))

    async def call_in(self, call: CallIn, far: FarEnd, *, agent: str = "") -> BridgeLeg:
        """A telephone calls. `agent`: the name of the one that is sent for it; empty: whichever takes every call."""
        agents = [api.RoomAgentDispatch(agent_name=agent)] if agent else []
        await self.lk.room.create_room(api.CreateRoomRequest(name=call.room, agents=agents))
        return await self.bridge.call_in(call, far)

    def _ear_of(self, leg: BridgeLeg) -> Ear | None:
        if not self.with_handset or leg.call.far_end is not BY_HAND:
            return None
        self.handset.rings(leg)
        return self.handset if self.handset.leg is leg else None

    async def watch(self) -> None:
        """Tells of each message, of each key, once."""
        told: dict[int, tuple[int, int]] = {}
        while True:
            for number, call in enumerate(self.bridge.network.calls):
                signals, keys = told.get(number, (0, 0))
                for signal in call.signals[signals:]:
                    self.tell(call.number, _words(signal))
                for _, key in call.keys[keys:]:
                    self.tell(call.number, f"gets the key {key}")
                told[number] = (len(call.signals), len(call.keys))
            await asyncio.sleep(WATCHED)


@asynccontextmanager
async def running(
    place: Place, book: Book, port: int, tell: Callable[[str, str], None], *, with_handset: bool = False
) -> AsyncIterator[StandIn]:
    """The network is up; on the way out, its telephones are out of their rooms. Raises StartError where it cannot start."""
    http = place.url.replace("ws", "http", 1)
    stand_in = StandIn(place, book, port, tell, with_handset)
    async with api.LiveKitAPI(http, place.key, place.secret) as lk:
        stand_in.lk = lk
        await _reach(lk, place)
        proxy = Proxy(http, port, SipApi(stand_in.bridge, place, lk).answer)
        try:
            await proxy.start()
        except OSError as error:
            raise StartError([f"port {port} cannot be used ({error.strerror}): choose another with --port"]) from error
        if with_handset:
            await stand_in.handset.open(lk)
        watching = asyncio.create_task(stand_in.watch())
        try:
            yield stand_in
        finally:
            await stand_in.bridge.close()
            await stand_in.rooms.leave()
            watching.cancel()
            await asyncio.wait({watching})
            if with_handset:
                await stand_in.handset.close(lk)
            await proxy.stop()


async def _reach(lk: api.LiveKitAPI, place: Place) -> None:
    """Raises StartError where the server does not answer, or not to us."""
    try:
        async with asyncio.timeout(REACHABLE):
            await lk.room.list_rooms(api.ListRoomsRequest())
    except api.ServerError as error:
        if error.status not in (401, 403):
            raise StartError([f"the LiveKit server at {place.url} answers: {error.message}"]) from error
        told = f"the LiveKit server at {place.url} does not take this key: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
        raise StartError([f"{told} to the server's own (devkey and secret with `livekit-server --dev`)"]) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        told = f"there is no LiveKit server at {place.url}: start one (`livekit-server --dev`), or say where with --url"
        raise StartError([told]) from error


def _words(signal: Signal) -> str:
    about = f" ({signal.about})" if signal.about else ""
    return f"says {signal.message}{about}" if signal.by_telephone else f"gets {signal.message}{about}"
