"""The steps of a call, for whoever wants to watch it: each consumer sees every step from when it subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from callflow.core.snapshot import Step


class _Link:
    __slots__ = ("next", "step")

    def __init__(self) -> None:
        self.step: Step | None = None
        self.next: _Link | None = None


class Steps:
    """A chain that consumers walk along, each at its own pace; what all of them have passed is forgotten."""

    __slots__ = ("_last", "_news", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._last = _Link()
        self._news: asyncio.Future[None] | None = None

    def add(self, step: Step) -> None:
        last = self._last
        last.step, last.next = step, _Link()
        self._last = last.next
        self._wake()

    def close(self) -> None:
        """No step follows: consumers end when they have seen the last."""
        self.closed = True
        self._wake()

    def subscribe(self) -> AsyncIterator[Step]:
        return _Consumer(self, self._last)

    async def another(self) -> None:
        """Until there is another step, or none will follow."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._news)

    def _wake(self) -> None:
        news, self._news = self._news, None
        if news is not None and not news.done():
            news.set_result(None)


class _Consumer(AsyncIterator[Step]):
    __slots__ = ("_link", "_steps")

    def __init__(self, steps: Steps, link: _Link) -> None:
        self._steps = steps
        self._link = link

    async def __anext__(self) -> Step:
        while (step := self._link.step) is None or (following := self._link.next) is None:
            if self._steps.closed:
                raise StopAsyncIteration
            await self._steps.another()
        self._link = following
        return step
