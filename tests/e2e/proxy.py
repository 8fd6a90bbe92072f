"""A proxy in front of livekit-server that passes everything on, except what a test wants answered otherwise.

Agents are given its address, so their API calls, their worker's connection and their rooms' signalling go through it
(the sound does not: WebRTC finds its own way). A handler stands for a part of the API and decides, call by call:

>>> with proxy.answering("livekit.RoomService/DeleteRoom", fails(500, times=1)):
...     ...

Handlers that keep state, such as a telephone network, are callables of the same shape.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, TypeVar

import aiohttp
from aiohttp import web
from attrs import field, frozen
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

TWIRP = "/twirp/"
_HOP_BY_HOP = {
    "connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade", "content-length", "content-encoding", "host",
}  # fmt: skip


@frozen
class Request:
    """One API call. `method` is like `livekit.RoomService/DeleteRoom`; `pass_on()` asks the real server."""

    method: str
    body: bytes = field(repr=False)
    pass_on: Callable[[], Awaitable[web.Response]] = field(repr=False)

    def read(self, kind: type[M]) -> M:
        return kind.FromString(self.body)


Handler: TypeAlias = Callable[[Request], Awaitable[web.Response]]


@frozen
class Exchange:
    """An API call as it went: `began` and `ended` on the monotonic clock; no status where nobody waited for it."""

    request: Request
    began: float
    ended: float
    status: int | None


class Proxy:
    """Listens on `port` of 127.0.0.1 in a thread of its own, in front of the server on port `upstream`."""

    def __init__(self, port: int, upstream: int) -> None:
        self._port = port
        self._upstream = f"127.0.0.1:{upstream}"
        self._handlers: dict[str, Handler] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._runner: web.AppRunner | None = None
        self.exchanges: list[Exchange] = []

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @contextmanager
    def answering(self, prefix: str, handler: Handler) -> Iterator[None]:
        """Calls whose method begins with `prefix` go to the handler; where several fit, the longest prefix counts.

        Calls that are under way on the way out are left to their ends.
        """
        if prefix in self._handlers:
            raise ValueError(f"{prefix} has a handler already")
        self._handlers[prefix] = handler
        try:
            yield
        finally:
            del self._handlers[prefix]

    def calls(self, prefix: str, room: str | None = None) -> list[Exchange]:
        """The calls so far, in order; with `room`, those whose request names it."""
        return [
            exchange
            for exchange in list(self.exchanges)
            if exchange.request.method.startswith(prefix) and (room is None or room.encode() in exchange.request.body)
        ]

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=True)
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._relay(request)
        body = await request.read()

        async def pass_on() -> web.Response:
            return await self._pass_on(request, body)

        if not request.path.startswith(TWIRP):
            return await pass_on()
        call = Request(request.path.removeprefix(TWIRP), body, pass_on)
        fitting = [prefix for prefix in self._handlers if call.method.startswith(prefix)]
        began, status = time.monotonic(), None
        try:
            response = await (self._handlers[max(fitting, key=len)](call) if fitting else pass_on())
            status = response.status
            return response
        finally:
            self.exchanges.append(Exchange(call, began, time.monotonic(), status))

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        url = f"http://{self._upstream}{request.raw_path}"
        async with self._session.request(
            request.method, url, headers=_end_to_end(request.headers), data=body
        ) as answer:
            return web.Response(status=answer.status, headers=_end_to_end(answer.headers), body=await answer.read())

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in _end_to_end(request.headers).items() if not k.lower().startswith("sec-websocket")}
        url = f"ws://{self._upstream}{request.raw_path}"
        try:
            upstream = await self._session.ws_connect(url, headers=headers, max_msg_size=0, autoclose=False)
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status, text=refused.message)
        client = web.WebSocketResponse(max_msg_size=0, autoclose=False)
        await client.prepare(request)
        async with upstream:
            pumps = [asyncio.create_task(_pump(client, upstream)), asyncio.create_task(_pump(upstream, client))]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                with suppress(ConnectionError, RuntimeError):  # whoever went first has hung up already
                    await client.close()
        return client


async def _pump(source: Any, sink: Any) -> None:
    """What one websocket receives, the other sends, until one of them is closed."""
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)


def _end_to_end(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


def twirp_error(status: int, code: str, message: str, meta: dict[str, str] | None = None) -> web.Response:
    """An error as LiveKit's API words it: https://twitchtv.github.io/twirp/docs/errors.html."""
    return web.json_response({"code": code, "msg": message, "meta": meta or {}}, status=status)


def fails(status: int = 500, code: str = "internal", *, times: int | None = None, done: bool = False) -> Handler:
    """Answers with an error, `times` times or always, and passes the rest on.

    With `done` the real server does what it was asked first: it worked, and the caller is told that it did not.
    """
    left = times

    async def handler(request: Request) -> web.Response:
        nonlocal left
        if left == 0:
            return await request.pass_on()
        left = None if left is None else left - 1
        if done:
            await request.pass_on()
        return twirp_error(status, code, "a test made this fail")

    return handler


async def hangs(request: Request) -> web.Response:
    """Never answers: whoever asked has to give up."""
    await asyncio.Event().wait()
    return twirp_error(500, "internal", "unreachable")
