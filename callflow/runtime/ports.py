"""What the runtime asks of the world. The LiveKit bindings, the simulator and the tests' fakes each answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from callflow.core.events import NO_DATA, Event
from callflow.core.flow import Flow
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.runtime.facts import Facts
from callflow.runtime.journal import Journal
from callflow.runtime.record import CallRecord
from callflow.runtime.redact import Redactor

__all__ = ["CallOf", "Facts", "ToolReturn", "World"]


class ToolReturn(NamedTuple):
    """What a tool hands back to the model: its result, or the error that the model is told; `reply` False: no further turn."""

    result: Any = None
    error: str | None = None
    reply: bool = True


class CallOf(Protocol):
    """What a world is given of its call: where what happens goes to, and how the call is now. See `callflow.Call`."""

    @property
    def id(self) -> str: ...

    @property
    def flow(self) -> Flow: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def folder(self) -> Path | None: ...

    @property
    def journal(self) -> Journal | None: ...

    @property
    def redactor(self) -> Redactor: ...

    @property
    def log_fields(self) -> Mapping[str, Any]: ...

    @property
    def hurried(self) -> bool: ...

    @property
    def over(self) -> bool: ...

    def now(self) -> float: ...

    def draft(self) -> CallRecord: ...

    def note(self, sentence: str) -> None: ...

    def hidden(self, text: str, *, name: bool = False) -> str: ...

    def in_context(self, function: Callable[..., None], *args: Any) -> None: ...

    def post(
        self,
        name: str,
        data: Mapping[str, Any] = NO_DATA,
        *,
        effect: int | None = None,
        state: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None: ...

    def receive(self, name: str, data: Mapping[str, Any], sender: str) -> None: ...

    def job_ends(self, reason: str = "", *, worker: bool = False) -> None: ...

    async def tool_called(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        effect: int | None = None,
        id: str | None = None,  # noqa: A002
        offered_in: tuple[str, ...] | None = None,
    ) -> ToolReturn: ...


class World(Protocol):
    """One call's surroundings. In the order in which the runtime uses it: begin, open, settle, perform and forward,
    close, facts, finish. Each is called in the call's own context (`callflow.current_call()` is this call)."""

    def begin(self, call: CallOf) -> None:
        """The call is about to take its first step. Subscribe: from now on whatever happens goes to `call.post`, and
        a job that is told to end to `call.job_ends`."""

    async def open(self) -> None:
        """Connect, and start the session. Runs beside the first effects, so that the session starts while a phone
        rings; effects that need the session wait for it. Whatever this raises becomes `session.close` (reason error).
        """

    def settle(self, step: Step) -> None:
        """After a step that changed the snapshot's configuration or memory, before its effects start: offer the tools
        and instructions of the states now active. A leg that its note `given_up` names has vanished for good: tell of its
        hang-up."""

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        """One try of an effect, to its end.

        Returns the verb's result fields; a verb with result events returns `{"result": "answered", ...}`, for unhappy
        results too. Raises `EffectError`, or anything else: the effect has failed. The runtime sets the time limit
        and the tries, and cancels the task that runs this: it then stops by force, and as fast as it can. The verbs
        `shutdown` never gets here; `close` has the arguments `session` and `line`.
        """

    def forward(self, effect: int, event: Event) -> None:
        """An event is for this effect, which was begun and has not ended: a key, for one that collects keys. Also before what
        `perform` has made of it has taken its first step."""

    def hurry(self) -> None:
        """The worker closes, seconds are left: from now on nothing waits for speech, and a line that is to be dropped
        drops first. The runtime itself no longer starts speech."""

    async def close(self, *, session: bool, line: bool) -> None:
        """The last resort when the call's own effects did not close what is open: the line first. The runtime bounds
        it and survives whatever it raises."""

    def facts(self) -> Facts:
        """For the record, taken after the close."""

    def finish(self, reason: str) -> None:
        """The record is written: end the job (`ctx.shutdown(reason)`). Called exactly once for every call that began."""
