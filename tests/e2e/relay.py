"""A network with delay: what passes between a place and the server waits, each way and in its order."""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.namespace import ADDRESS
from tests.e2e.places import Place

_CLONE_NEWNET = 0x40000000  # linux/sched.h


@contextmanager
def relay(place: Place, *, http: int, udp: int, delay: float, jitter: float = 0.0) -> Iterator[None]:
    """The server's two ports, there, `delay` seconds away (one way); a datagram that the server sends takes up to
    `jitter` seconds longer, and overtakes none. The place must not be linked in any other way."""
    loop = asyncio.new_event_loop()
    listening, datagrams = _inside(place, lambda: _sockets(http, udp))
    thread = threading.Thread(target=loop.run_forever, name="relay", daemon=True)
    thread.start()
    work = _Relay(loop, delay, jitter, http, udp)
    asyncio.run_coroutine_threadsafe(work.start(listening, datagrams), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(work.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class _Relay:
    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float, jitter: float, http: int, udp: int) -> None:
        self._loop, self._delay, self._jitter, self._http, self._udp = loop, delay, jitter, http, udp
        self._last = 0.0
        self._dice = random.Random(7)
        self._transports: list[Any] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, listening: socket.socket, datagrams: socket.socket) -> None:
        self._server = await asyncio.start_server(self._connected, sock=listening)
        front = _Datagrams(self._first_of)
        transport, _ = await self._loop.create_datagram_endpoint(lambda: front, sock=datagrams)
        self._front: Any = transport
        self._transports.append(transport)
        self._behind: dict[Any, Any] = {}

    async def stop(self) -> None:
        self._server.close()
        for transport in self._transports:
            transport.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.1)  # what is closed tells so at the loop's next turns

    # -- UDP: a socket towards the server for each of the client's

    def _first_of(self, data: bytes, client: Any) -> None:
        behind = self._behind.get(client)
        if behind is None:
            behind = self._behind[client] = self._loop.create_future()
            task = self._loop.create_task(self._open(client, behind))
            self._tasks.add(task)
        self._loop.call_later(self._delay, self._pass, behind, data)

    async def _open(self, client: Any, behind: asyncio.Future[Any]) -> None:
        back = _Datagrams(lambda data, _: self._loop.call_at(self._due(), self._front.sendto, data, client))
        transport, _ = await self._loop.create_datagram_endpoint(lambda: back, remote_addr=(ADDRESS, self._udp))
        self._transports.append(transport)
        behind.set_result(transport)

    def _due(self) -> float:
        self._last = max(self._last, self._loop.time() + self._delay + self._dice.uniform(0, self._jitter))
        return self._last

    @staticmethod
    def _pass(behind: asyncio.Future[Any], data: bytes) -> None:
        if behind.done():
            behind.result().sendto(data)

    # -- TCP

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._http)
        self._transports += [writer, server_writer]
        for source, sink in ((reader, server_writer), (server_reader, writer)):
            self._tasks.add(self._loop.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            self._loop.call_later(self._delay, sink.write, data)
        self._loop.call_later(self._delay, sink.close)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Any], object]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._received(data, addr)


def _sockets(http: int, udp: int) -> tuple[socket.socket, socket.socket]:
    listening = socket.create_server((ADDRESS, http))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((ADDRESS, udp))
    datagrams.setblocking(False)
    return listening, datagrams


def _inside(place: Place, make: Callable[[], Any]) -> Any:
    """What `make` makes in that namespace; sockets stay where they were made."""
    made: list[Any] = []

    def work() -> None:  # a thread has a namespace of its own
        descriptor = os.open(f"/proc/{place.keeper}/ns/net", os.O_RDONLY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            made.append(make())
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return made[0]
