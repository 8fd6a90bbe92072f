"""What the parts of a live call share of its surroundings, in three rings: the call, its line, the conversation on it.

A part (a verb, a helper) says in its own file, as a Protocol `Given`, which ring it stands in, what it needs beside, and which
other parts it uses. The world has it all, and nobody else does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from livekit.agents import AgentSession, JobContext

from callflow.core.flow import Flow
from callflow.livekit_bindings.line import Line
from callflow.runtime.ports import CallOf


class OfACall(Protocol):
    """`call` is there from its begin on. `note`: a sentence for the record, once each."""

    @property
    def call(self) -> CallOf: ...

    @property
    def flow(self) -> Flow: ...

    def note(self, sentence: str) -> None: ...


class OnTheLine(OfACall, Protocol):
    """The job, its room, and who is on the line. `connected` returns once the room was reached, and raises EffectError when it
    was not."""

    @property
    def ctx(self) -> JobContext: ...

    @property
    def has_room(self) -> bool: ...

    @property
    def room_name(self) -> str: ...

    @property
    def line(self) -> Line: ...

    async def connected(self) -> None: ...


class InConversation(OnTheLine, Protocol):
    """The session. `started` returns once it runs, and raises EffectError when it did not start; `can_be_heard` once somebody
    hears what is said (to `to`, or to all), False where nobody ever will. `path_of` finds a file that the flow names, and raises
    EffectError for one outside of its folder."""

    @property
    def session(self) -> AgentSession[Any]: ...

    async def started(self) -> None: ...

    async def can_be_heard(self, to: str | None = None) -> bool: ...

    def path_of(self, file: str) -> Path: ...
