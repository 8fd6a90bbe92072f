"""The tools that the model has called, until they may return."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from callflow.runtime.ports import ToolReturn

OVER = ToolReturn(error="the call is over", reply=False)
"""What the model is told once there is no call any more."""


class ToolCalls:
    """Those of one call, by their ids."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[ToolReturn]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def called(self, id: str | None, loop: asyncio.AbstractEventLoop) -> tuple[str, asyncio.Future[ToolReturn]]:  # noqa: A002
        """The id of this one, LiveKit's own unless another bears it, and what it comes to."""
        key = id if id is not None and id not in self._waiting else f"tool-{secrets.token_hex(6)}"
        future = self._waiting[key] = loop.create_future()
        return key, future

    def forget(self, id: str) -> None:  # noqa: A002
        """Nobody waits for it any more."""
        self._waiting.pop(id, None)

    def give_back(self, data: Mapping[str, Any]) -> None:
        """One may return, as the step's note `tool_returned` says."""
        self._return(self._waiting.get(str(data["id"])), ToolReturn(data["result"], data["error"], data["reply"]))

    def close(self) -> None:
        """The call is over: all return."""
        for future in self._waiting.values():
            self._return(future, OVER)

    @staticmethod
    def _return(future: asyncio.Future[ToolReturn] | None, returned: ToolReturn) -> None:
        if future is not None and not future.done():
            future.set_result(returned)
