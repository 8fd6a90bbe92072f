"""What is asked of a call by whatever tells it to end, and by what brings that about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from callflow.core.snapshot import Snapshot
from callflow.runtime.course import Log
from callflow.runtime.ports import World
from callflow.runtime.running_effect import Effect


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
    def effects(self) -> Mapping[int, Effect]: ...

    @property
    def worker_seconds(self) -> float: ...

    def now(self) -> float: ...

    def note(self, sentence: str) -> None: ...
