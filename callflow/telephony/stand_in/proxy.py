"""A proxy in front of a LiveKit server: a part of its API is answered by somebody else, and everything else passed on:
other calls, an agent's worker, the signalling of rooms. Sound does not go through it, WebRTC finds its own way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import aiohttp
from aiohttp import web
from attrs import define, field, frozen
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

TWIRP = "/twirp/"
"""Where LiveKit's API begins: https://twitchtv.github.io/twirp/docs/routing.html."""

_HOP_BY_HOP = {
    "connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade", "content-length", "content-encoding", "host",
}  # fmt: skip


@frozen
class ApiCall:
    """One API call. `method` is like `livekit.SIP/CreateSIPParticipant`; `pass_on()` asks the server."""

    method: str
    body: bytes = field(repr=False)
    token: str = field(repr=False)
    pass_on: Callable[[], Awaitable[web.Response]] = field(repr=False)

    def read(self, kind: type[M]) -> M:
        """What is asked for. Raises `google.protobuf.message.DecodeError`."""
        return kind.FromString(self.body)


Answer: TypeAlias = Callable[[ApiCall], Awaitable[web.Response]]


@define(eq=False)
class Proxy:
    """Listens on `port` of `host`, in front of `upstream` (http:// or https://); `answer` is asked about each API call."""

    upstream: str
    port: int
    answer: Answer
    host: str = "127.0.0.1"
    _session: aiohttp.ClientSession = field(init=False, repr=False)
    _runner: web.AppRunner = field(init=False, repr=False)

    @property
    def url(self) -> str:
        return f"ws://{self.host}:{self.port}"

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._session = aiohttp.ClientSession(auto_decompress=True)
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Calls that are under way are ended."""
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
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return await self.answer(ApiCall(request.path.removeprefix(TWIRP), body, token, pass_on))

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        url = f"{self.upstream}{request.raw_path}"
        try:
            async with self._session.request(
                request.method, url, headers=_end_to_end(request.headers), data=body
            ) as answer:
                return web.Response(status=answer.status, headers=_end_to_end(answer.headers), body=await answer.read())
        except aiohttp.ClientConnectionError as error:
            return twirp_error(503, "unavailable", f"the LiveKit server cannot be reached: {error}")

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in _end_to_end(request.headers).items() if not k.lower().startswith("sec-websocket")}
        url = f"{self.upstream.replace('http', 'ws', 1)}{request.raw_path}"
        try:
            upstream = await self._session.ws_connect(url, headers=headers, max_msg_size=0, autoclose=False)
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status, text=refused.message)
        except aiohttp.ClientConnectionError as error:
            return web.Response(status=503, text=f"the LiveKit server cannot be reached: {error}")
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
