"""What is asked of a call by whatever tells it to end, and by what brings that about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from callflow.core.snapshot import Snapshot
from callflow.runtime.course import Log
from callflow.runtime.ports import World
from callflow.runtime.running_effect import Effect


class Runs(Protocol):
    """What runs for a call: by its id, all of it, and tasks of what is over already."""

    @property
    def running(self) -> Mapping[int, Effect]: ...

    @property
    def strays(self) -> tuple[asyncio.Task[Any], ...]: ...

    @property
    def open_failed(self) -> bool: ...

    def __iter__(self) -> Iterator[Effect]: ...

    def record(self, effect: Effect, status: str, result: Mapping[str, Any], error: str | None) -> float: ...


class Ended(Protocol):
    """A call that ends."""

    log: Log

    @property
    def id(self) -> str: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def world(self) -> World: ...

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def effects(self) -> Runs: ...

    @property
    def worker_seconds(self) -> float: ...

    def now(self) -> float: ...

    def note(self, sentence: str) -> None: ...
