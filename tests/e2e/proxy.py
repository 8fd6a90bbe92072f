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
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

from aiohttp import web
from attrs import evolve, frozen

from callflow.telephony.stand_in.proxy import ApiCall as Request
from callflow.telephony.stand_in.proxy import Proxy as PassingOn
from callflow.telephony.stand_in.proxy import twirp_error

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
        self._passing_on = PassingOn(f"http://127.0.0.1:{upstream}", port, self._answer)
        self._handlers: dict[str, Handler] = {}
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.loop = asyncio.new_event_loop()
        self.exchanges: list[Exchange] = []

    @property
    def url(self) -> str:
        return self._passing_on.url

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._passing_on.start(), self.loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._passing_on.stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    @contextmanager
    def answering(self, prefix: str, handler: Handler) -> Iterator[None]:
        """Calls whose method begins with `prefix` go to the handler; where several fit, to the one with the longest prefix,
        which passes them on to the next.

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

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _answer(self, call: Request) -> web.Response:
        answer = call.pass_on
        handlers = dict(self._handlers)  # those of this moment: tests put them in and out
        for prefix in sorted(filter(call.method.startswith, handlers), key=len):
            answer = partial(handlers[prefix], evolve(call, pass_on=answer))
        began, status = time.monotonic(), None
        try:
            response = await answer()
            status = response.status
            return response
        finally:
            self.exchanges.append(Exchange(call, began, time.monotonic(), status))


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
