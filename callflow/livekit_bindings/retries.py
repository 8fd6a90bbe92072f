"""Requests to LiveKit's API that are made again, how long it is waited in between, and what went wrong at last."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from livekit import api

T = TypeVar("T")


def backoff(first: float, longest: float = math.inf) -> Iterator[float]:
    """The seconds between tries, without end: `first`, and each time twice as long, at most `longest`."""
    pause = first
    while True:
        yield min(pause, longest)
        pause *= 2


def between(tries: int, pauses: Iterable[float]) -> Iterator[float]:
    """As many of them as lie between so many tries."""
    return islice(pauses, tries - 1)


async def retried(
    request: Callable[[], Awaitable[T]],
    pauses: Iterable[float],
    *,
    limit: float | None = None,
    on: tuple[type[Exception], ...] = (Exception,),
) -> T:
    """What `request()` comes to. It is made again after each of `pauses` (seconds) as long as it raises one of `on`, or is not
    over within `limit` seconds (TimeoutError). Raises what the last try raised; anything else, and a cancellation, at once."""
    for pause in pauses:
        try:
            return await asyncio.wait_for(request(), limit)
        except on:
            await asyncio.sleep(pause)
    return await asyncio.wait_for(request(), limit)


def reason_of(error: BaseException) -> str:
    """What went wrong, in one line: what LiveKit's server says of it with its code, else the error's text (that of a
    call has its SIP status), else its name."""
    if isinstance(error, api.ServerError) and not isinstance(error, api.SipCallError):
        return f"{error.message} ({error.code})"
    return str(error) or type(error).__name__
