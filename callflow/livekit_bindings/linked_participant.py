"""Whom the agent hears: one party at a time, as LiveKit's sessions do; nobody while it is muted or that party is on hold."""

from __future__ import annotations

import contextlib
from typing import Any

from livekit.agents import AgentSession, llm
from livekit.agents.utils import is_given

from callflow.livekit_bindings import livekit_internals


class LinkedParticipant:
    """The hearing of one session. It is touched only where the flow says so: a program that switches the session's input
    by itself is left alone."""

    def __init__(self, session: AgentSession[Any]) -> None:
        self._session = session
        self._muted = False
        self._held: set[str] = set()  # identities that nobody hears
        self._linked: str | None = None  # an identity; None: whom LiveKit has linked, the far end

    def mute(self, muted: bool) -> None:
        """`mute` and `unmute`, whoever it is that speaks."""
        self._muted = muted
        self._listen()

    def close_to(self, identity: str) -> None:
        """This party is not heard until `open_to` says so."""
        self._held.add(identity)
        self._listen()

    def open_to(self, identity: str) -> None:
        if identity in self._held:
            self._held.discard(identity)
            self._listen()

    def turn_to(self, identity: str | None) -> None:
        """From now on this party is the one who is heard; nothing where the session has no room."""
        if identity is None or identity == self._linked:
            return
        with contextlib.suppress(RuntimeError):  # a session without a room
            self._session.room_io.set_participant(identity)
            self._linked = identity
            self._listen()
            self._session.clear_user_turn()  # what the one before has begun to say is not theirs

    def hear(self, identity: str) -> bool:
        """Whether the session hears this party, and would notice when it speaks."""
        session, agent = (
            self._session,
            self._session.current_agent if livekit_internals.has_started(self._session) else None,
        )
        stt = agent.stt if agent is not None and is_given(agent.stt) else session.stt
        model = agent.llm if agent is not None and is_given(agent.llm) else session.llm
        listens = stt is not None or isinstance(model, llm.RealtimeModel)
        return listens and session.input.audio_enabled and identity == self._linked_now()

    def _linked_now(self) -> str | None:
        if self._linked is None:
            with contextlib.suppress(RuntimeError):
                participant = self._session.room_io.linked_participant
                return participant.identity if participant is not None else None
        return self._linked

    def _listen(self) -> None:
        deaf = self._muted or self._linked_now() in self._held
        if self._session.input.audio_enabled == deaf:
            self._session.input.set_audio_enabled(not deaf)
