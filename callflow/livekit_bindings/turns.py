"""What is said although no action of the flow says it: the model's own turns, and the greeting of an agent that takes over.

Two rules: whoever takes over speaks, once (rule 15); and at a call's last words the model has no turn any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any, Protocol

from attrs import define, field
from livekit.agents.voice import SpeechHandle

from callflow.core.queries import says_goodbye
from callflow.core.snapshot import Step
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.surroundings import InConversation


@define(eq=False)
class Entrance:
    """One agent's `on_enter`, at work or over. `known`: it has said something, or is over."""

    spoke: bool = False
    known: asyncio.Event = field(factory=asyncio.Event)


_ENTERING: ContextVar[Entrance | None] = ContextVar("_ENTERING", default=None)
"""The `on_enter` that runs, also for what it has others do."""


class Given(InConversation, Protocol):
    """What the model's turns are given of their call."""

    @property
    def conversation_over(self) -> bool: ...


class Turns:
    """Of one call. `entrance` is the last agent's, None before the first; `begun` is how many replies the model has begun
    that no action asked for."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self.entrance: Entrance | None = None
        self.begun = 0
        self._asked: bool | None = (
            None  # while an action begins a speech: whether it may be cut because the flow says so
        )
        self._speeches: dict[str, SpeechHandle] = {}  # that are not over
        self._unasked: set[str] = set()  # of them, the model's own
        self._open: set[str] = set()  # and those that may be cut because the flow says so
        self._calling: set[str] = set()  # and those in which a tool was called of which the flow is told now
        self._over = False
        self._changed = asyncio.Event()

    def created(self, speech: SpeechHandle, source: str) -> None:
        """A speech has begun, whoever wants it (LiveKit's `speech_created`)."""
        if (entrance := _ENTERING.get()) is not None:
            entrance.spoke = True
            entrance.known.set()
        self._speeches[speech.id] = speech
        if self._asked:
            self._open.add(speech.id)
        elif self._asked is None and source != "say":
            self.begun += 1
            self._unasked.add(speech.id)
        speech.add_done_callback(self._forget)

    def _forget(self, speech: SpeechHandle) -> None:
        self._speeches.pop(speech.id, None)
        self._unasked.discard(speech.id)
        self._open.discard(speech.id)

    @contextlib.contextmanager
    def of_an_action(self, *, interruptible: bool) -> Iterator[None]:
        """What is begun meanwhile, at once, an action of the flow has asked for. `interruptible`: and says that it may be
        cut."""
        self._asked = interruptible
        try:
            yield
        finally:
            self._asked = None

    # -- whoever takes over

    async def enter(self, on_enter: Callable[[], Awaitable[Any]]) -> Any:
        """Runs an agent's `on_enter`."""
        entrance = self.entrance = Entrance()
        self._wake()
        if self._over:
            livekit_internals.give_no_turns(self._world.session)
        before = _ENTERING.set(entrance)
        try:
            return await on_enter()
        finally:
            _ENTERING.reset(before)
            entrance.known.set()

    async def next_change(self) -> None:
        """Returns after the next step, or when the next agent enters."""
        await self._changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # -- last words

    @property
    def over(self) -> bool:
        """Whether the model has no turn any more."""
        return self._over or self._world.conversation_over

    @contextlib.contextmanager
    def of_a_tool(self, speech: str) -> Iterator[None]:
        """The flow is told of a tool that was called in the speech of this id."""
        self._calling.add(speech)
        try:
            yield
        finally:
            self._calling.discard(speech)

    def settle(self, step: Step) -> None:
        """After a step: at its last words the call has come to what only actions say."""
        self._wake()
        if says_goodbye(self._world.flow, step, before=self._over):
            self.end()
        elif self._over:
            self._over = False
            livekit_internals.give_turns(self._world.session)

    def end(self) -> None:
        """The model has had its last turn: what it has yet to say is not said. The words with which it has called the tool
        that leads here are last words, too."""
        session = self._world.session
        if not self._over:
            self._over = True
            for speech in list(self._speeches.values()):
                if speech.id in self._calling:
                    if not (speech.interrupted or speech.id in self._open):
                        speech.allow_interruptions = False
                elif speech.id in self._unasked and not self._is_heard(speech):
                    speech.interrupt(force=True)
        livekit_internals.give_no_turns(session)

    def _is_heard(self, speech: SpeechHandle) -> bool:
        """Whether it has begun to be heard, or a tool of it is at work."""
        session = self._world.session
        heard = session.current_speech is speech and session.agent_state == "speaking"
        return heard or livekit_internals.works(session, speech)
