"""The way from a real `LiveKitAPI` to a simulated server, without a network."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
from attrs import define, field


class Answers(Protocol):
    """A server: the status and the body that answer a method's request."""

    async def answer(self, method: str, body: bytes) -> tuple[int, bytes]: ...


@define(eq=False)
class Transport:
    """As much of `aiohttp.ClientSession` as `LiveKitAPI` uses."""

    server: Answers
    timeout: aiohttp.ClientTimeout = field(factory=aiohttp.ClientTimeout)

    def post(
        self, url: str, *, data: bytes, headers: dict[str, str], timeout: aiohttp.ClientTimeout | None = None
    ) -> _Exchange:
        limit = timeout.total if timeout else None
        return _Exchange(self.server, url.rpartition("/")[2], data, limit)

    async def close(self) -> None:
        """Nothing is open."""


@define(eq=False)
class _Exchange:
    """One request and its response."""

    server: Answers
    method: str
    data: bytes
    limit: float | None
    status: int = 0
    body: bytes = b""

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(self.limit):
            self.status, self.body = await self.server.answer(self.method, self.data)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def read(self) -> bytes:
        return self.body

    async def json(self) -> Any:
        return json.loads(self.body)
