"""What the runtime asks of the world. The LiveKit bindings, the simulator and the tests' fakes each answer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from callflow.core.snapshot import Start, Step


class ToolReturn(NamedTuple):
    """What a tool hands back to the model: its result, or the error that the model is told; `reply` False: no further turn."""

    result: Any = None
    error: str | None = None
    reply: bool = True


class World(Protocol):
    """One call's surroundings."""

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        """One try of an effect, to its end.

        Returns the verb's result fields; a verb with result events returns `{"result": "answered", ...}`, for unhappy
        results too. Raises `EffectError`, or anything else: the effect has failed. The runtime sets the time limit
        and the tries, and cancels the task that runs this: it then stops by force, and as fast as it can.
        """

    def settle(self, step: Step) -> None:
        """After each step, before its effects start: offer the tools and instructions of the states now active."""

    async def close(self, *, session: bool, line: bool) -> None:
        """The last resort when the call's own effects did not close what is open: never raises, bounded in itself."""

    def finish(self, reason: str) -> None:
        """The record is written: end the job (`ctx.shutdown(reason)`)."""

    def facts(self) -> Mapping[str, Any]:
        """For the record, taken after the close: room, job, participant, transcript, usage, turn latencies."""
