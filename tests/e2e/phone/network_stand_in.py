"""The stand-in telephone network (`callflow.telephony.stand_in`), in the proxy that the tests' agents talk to.

Nothing here is SIP: the bridge is a script, but its participants are real ones, in real rooms, with real sound.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from attrs import asdict, define, field, frozen
from livekit import api

from callflow.telephony import bridge as bridges
from callflow.telephony import network as telephony
from callflow.telephony.network import FarEnd, PhoneNetwork
from callflow.telephony.stand_in.rooms import Place, RealRooms, Samples
from callflow.telephony.stand_in.service import SERVICE, SipApi
from tests.e2e.phone.far_ends import ANSWERS
from tests.e2e.phone.network import PhoneCall, Telephone
from tests.e2e.processes import stop
from tests.e2e.proxy import Proxy, Request
from tests.e2e.server import KEY, SECRET, LiveKitServer
from tests.e2e.sound import FRAME, RATE, Hearing

T = TypeVar("T")


@define(eq=False)
class StandInTelephone:
    number: str
    _network: StandIn
    trunk: str = "ST_stand_in"

    @property
    def calls(self) -> list[PhoneCall]:
        calls = list(self._network.bridge.network.calls)
        return [self._network.seen(call) for call in calls if call.number == self.number]


@frozen
class Recorder:
    """What comes to the telephone is written down."""

    hearing: Hearing

    def hear(self, at: float, samples: Samples, identity: str) -> None:
        pieces = np.split(samples, round(len(samples) / (RATE * FRAME)))
        for number, piece in enumerate(pieces, 1 - len(pieces)):
            self.hearing.hear(at + number * FRAME, piece)


@define(eq=False)
class StandIn:
    """See `tests.e2e.phone.network.Network`. It lives on the proxy's loop, to which calls from tests change over."""

    proxy: Proxy
    place: Place
    name: str = "stand-in"
    rooms: RealRooms = field(init=False)
    bridge: bridges.Bridge = field(init=False)
    _numbers: dict[str, Sequence[FarEnd]] = field(factory=dict)
    _seen: dict[int, PhoneCall] = field(factory=dict)  # by the id of the bridge's own record, which it keeps
    _count: Iterator[int] = field(factory=lambda: itertools.count(1))

    def __attrs_post_init__(self) -> None:
        self.rooms = RealRooms(self.place, lambda leg: Recorder(self.seen(leg.call).heard))
        self.bridge = bridges.Bridge(PhoneNetwork(self._numbers), self.rooms)

    @contextmanager
    def up(self) -> Iterator[None]:
        """It answers the SIP API of the proxy."""
        lk = self._there(self._open())
        sip = SipApi(self.bridge, self.place, lk)
        try:
            with self.proxy.answering(SERVICE, sip.answer):
                yield
        finally:
            self._there(self._close(lk))

    async def telephone(self, *far_ends: FarEnd) -> Telephone:
        number = f"+1555{next(self._count):07}"
        self._numbers[number] = far_ends
        return StandInTelephone(number, self)

    async def call_in(self, room: str, far: FarEnd, *, caller: str = "+15550199") -> PhoneCall:
        call = bridges.CallIn(room, caller)
        work = asyncio.run_coroutine_threadsafe(self.bridge.call_in(call, far), self.proxy.loop)
        return self.seen((await asyncio.wrap_future(work)).call)

    async def kill_bridge(self) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.bridge.die(), self.proxy.loop))

    async def left(self) -> list[str]:
        return [f"{who} in {room}" for (room, who), leg in list(self.bridge.legs.items()) if not leg.over]

    def seen(self, call: telephony.PhoneCall) -> PhoneCall:
        """The same call, with what was heard in it. Asked for by the tests, and on the loop by whoever writes it down."""
        asked = call.request
        dialled = isinstance(asked, bridges.Dial)  # a telephone that calls us is shown nothing
        shown = {"number": asked.trunk_number, "name": asked.display_name or "", **asked.headers} if dialled else {}
        return self._seen.setdefault(id(call), PhoneCall(**asdict(call, recurse=False), shown=shown))

    def _there(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.proxy.loop).result(30)

    async def _open(self) -> api.LiveKitAPI:
        return api.LiveKitAPI(self.place.url.replace("ws", "http", 1), self.place.key, self.place.secret)

    async def _close(self, lk: api.LiveKitAPI) -> None:
        await self.bridge.close()
        await self.rooms.leave()
        await lk.aclose()


@contextmanager
def running(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """In front of the server of this pytest process."""
    server: LiveKitServer = request.getfixturevalue("server")
    network = StandIn(request.getfixturevalue("_proxy"), Place(server.url, KEY, SECRET))
    with network.up():
        yield network


@define(eq=False)
class Killable:
    """A stand-in in a process of its own, `callflow phone`, to which the proxy leads dials. It has one kind of telephone,
    and does not tell what its telephones see."""

    proxy: Proxy
    place: Place
    port: int
    log: Path
    name: str = "stand-in, to be killed"
    _process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def up(self) -> Iterator[None]:
        command = [
            Path(sys.executable).with_name("callflow"),
            "phone",
            "--url",
            self.place.url,
            "--port",
            str(self.port),
        ]
        keys = {"LIVEKIT_API_KEY": self.place.key, "LIVEKIT_API_SECRET": self.place.secret}
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                command, env=os.environ | keys, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            until = time.monotonic() + 30
            while "any other number" not in self.log.read_text():
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.05)
            with self.proxy.answering(f"{SERVICE}Create", self._pass_on):
                yield
        finally:
            stop(self._process, within=5)

    async def telephone(self, *far_ends: FarEnd) -> Telephone:
        assert set(far_ends) == {ANSWERS}, "its telephones answer, and stay"
        return Seen("+15550123")

    async def call_in(self, room: str, far: FarEnd, *, caller: str = "+15550199") -> PhoneCall:
        raise AssertionError("nobody calls in")

    async def kill_bridge(self) -> None:
        assert self._process is not None
        self._process.kill()

    async def left(self) -> list[str]:
        return []

    async def _pass_on(self, request: Request) -> web.Response:
        headers = {"Authorization": f"Bearer {request.token}", "Content-Type": "application/protobuf"}
        url = f"http://127.0.0.1:{self.port}/twirp/{request.method}"
        async with aiohttp.ClientSession() as session, session.post(url, data=request.body, headers=headers) as answer:
            return web.Response(status=answer.status, content_type=answer.content_type, body=await answer.read())


@define
class Seen:
    """A telephone of which nothing is known but its number."""

    number: str
    trunk: str = "ST_stand_in"
    calls: list[PhoneCall] = field(factory=list)


@contextmanager
def own(request: pytest.FixtureRequest) -> Iterator[Killable]:
    """In front of the server of this pytest process, beside the one for all tests."""
    server: LiveKitServer = request.getfixturevalue("server")
    ports: int = request.getfixturevalue("ports")
    log = request.getfixturevalue("tmp_path") / "phone.log"
    network = Killable(request.getfixturevalue("_proxy"), Place(server.url, KEY, SECRET), ports + 6, log)
    with network.up():
        yield network
