"""Listening to LiveKit's emitters without ever hurting them.

An emitter re-raises a handler's TypeError into whoever emits (a `close` handler that raises one breaks the close), and
refuses coroutines. So every handler of callflow's is a guard around a function that only enqueues.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger("callflow")


class Emitter(Protocol):
    def on(self, event: Any, callback: Any = None) -> Any: ...
    def off(self, event: Any, callback: Any) -> None: ...


class Listeners:
    """Every handler that one call has put on LiveKit's emitters; `close` takes them all off."""

    def __init__(self) -> None:
        self._handlers: list[tuple[Emitter, str, Callable[..., None]]] = []

    def add(self, emitter: Emitter, event: str, handler: Callable[..., None]) -> None:
        """Calls `handler` with whatever the event carries; what it raises is logged, and goes no further."""

        def guarded(*args: Any) -> None:
            try:
                handler(*args)
            except Exception:
                logger.exception("a handler of callflow's has failed", extra={"event": event})

        emitter.on(event, guarded)
        self._handlers.append((emitter, event, guarded))

    def close(self) -> None:
        for emitter, event, guarded in self._handlers:
            emitter.off(event, guarded)
        self._handlers.clear()
