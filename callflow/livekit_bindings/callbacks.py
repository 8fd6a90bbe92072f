"""What happens in the session, the room and the job, on its way to the call: callbacks that only enqueue."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from livekit.agents import Agent, llm

from callflow.core.events import MAIN_LEG, OUT_OF_REACH, ROOM_IS_GONE
from callflow.core.statechart.descriptors import heard, matches
from callflow.livekit_bindings import livekit_internals, messages
from callflow.livekit_bindings.causes import breaks, reason_name
from callflow.livekit_bindings.connection import Connection
from callflow.livekit_bindings.line import ROOM_DELETED_GRACE
from callflow.livekit_bindings.linked_participant import LinkedParticipant
from callflow.livekit_bindings.listeners import Listeners
from callflow.livekit_bindings.model_context import ModelContext
from callflow.livekit_bindings.room_events import ROOM_EVENTS, microphone_fields
from callflow.livekit_bindings.session_events import SESSION_EVENTS
from callflow.livekit_bindings.subscriptions import Subscriptions
from callflow.livekit_bindings.surroundings import InConversation
from callflow.livekit_bindings.turns import Turns

logger = logging.getLogger("callflow")

ALWAYS = frozenset(
    {
        "session.user_state_changed",
        "session.agent_state_changed",
        "session.user_input_transcribed",
        "session.error",
        "session.close",
        "room.participant_connected",
        "room.participant_disconnected",
        "room.disconnected",
        "room.reconnecting",
        "room.reconnected",
    }
)
"""LiveKit's events that go to the call even where no row of the flow listens: the silence, the record and whoever
reads the journal need them. The others, a dozen a second in a conversation, only where a row listens."""

NEEDED = frozenset({"error", "close", "conversation_item_added", "function_tools_executed", "speech_created"})
"""Of the session's events, those that the bindings themselves live on."""

WHO_HEARS = frozenset(
    {"participant_connected", "participant_active", "track_published", "local_track_published", "reconnected"}
)
"""Of the room's events, those after which somebody may hear what is not for them."""

TRACKS = frozenset({"track_published", "track_unpublished", "track_subscribed"})
"""Those after which somebody may be muted, or not be so any more, without LiveKit's saying it: they have come like that."""


class Given(messages.Given, InConversation, Protocol):
    """What is told of what happens in the room and the session."""

    def post(self, name: str, data: Mapping[str, Any]) -> None: ...

    failures: int

    last_failure: str

    spoke: int

    @property
    def linked(self) -> LinkedParticipant: ...

    @property
    def turns(self) -> Turns: ...

    @property
    def model_context(self) -> ModelContext: ...

    @property
    def subscriptions(self) -> Subscriptions: ...

    def watch(self, agent: Agent) -> None: ...

    def out_of_room(self) -> None: ...


class Callbacks:
    """Of one call, from its beginning to its end."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._listeners = Listeners()
        self._speaking: list[str] = []  # legs, as far as the session does not hear them
        self._muted: set[str] = set()  # identities of whom nothing is heard, since they have muted themselves
        self._mailbox = messages.Mailbox(world)
        self._connection = Connection(
            world.ctx.room, world.flow.limits.reconnecting, self._connection_lost, self._connection_back
        )
        self._heard = functools.cache(functools.partial(_is_heard, heard(world.flow.states)))

    def begin(self) -> None:
        for name in SESSION_EVENTS:
            if name in NEEDED or self._heard(f"session.{name}"):
                self._listeners.add(
                    self._world.session, name, functools.partial(self._in_call, self._session_event, name)
                )
        for name in ROOM_EVENTS:
            self._listeners.add(self._world.ctx.room, name, functools.partial(self._in_call, self._room_event, name))
        livekit_internals.on_worker_request(self._world.ctx, self._worker_closes)

    def _in_call(self, handler: Callable[..., None], *args: Any) -> None:
        """LiveKit emits in tasks of its own, which know nothing of the call."""
        self._world.call.in_context(handler, *args)

    def listen_to_rpc(self) -> None:
        """Once the room is connected; only for flows that have events of their own."""
        if self._world.flow.events:
            self._world.ctx.room.local_participant.register_rpc_method(messages.METHOD, self._rpc)

    def close(self) -> None:
        self._listeners.close()
        self._connection.close()
        world = self._world
        if world.flow.events and world.has_room and world.ctx.room.isconnected():
            world.ctx.room.local_participant.unregister_rpc_method(messages.METHOD)

    async def _rpc(self, invocation: Any) -> str:
        return self._mailbox.on_rpc(invocation)

    def _session_event(self, name: str, event: Any) -> None:
        if name == "error" and not getattr(event.error, "recoverable", False):
            self._world.failures += 1
            self._world.last_failure = str(SESSION_EVENTS["error"](event)["error"])
        elif name == "conversation_item_added" and isinstance(event.item, llm.AgentHandoff):
            self._world.watch(self._world.session.current_agent)
            self._world.model_context.settle_later()
        elif name == "agent_state_changed":
            self._world.spoke += event.new_state == "speaking"
        elif name == "speech_created":
            self._world.turns.created(event.speech_handle, event.source)
        elif name == "function_tools_executed":
            self._world.model_context.give_fresh_turn(event)
        full = f"session.{name}"
        if self._heard(full):
            self._world.post(full, SESSION_EVENTS[name](event))

    def _room_event(self, name: str, *args: Any) -> None:
        if name == "data_received" and messages.is_message(args[0]):
            self._mailbox.on_packet(args[0])
            return
        full = f"room.{name}"
        self._own_connection(name, args)
        if name == "active_speakers_changed":
            self._speakers(args[0])
        elif name in ("track_muted", "track_unmuted"):
            self._microphone(name, *args)
        elif self._heard(full):
            data = ROOM_EVENTS[name](*args)
            self._world.post(full, {"room": self._world.room_name} if name == "moved" else data)
        if name == "participant_disconnected":
            self._speaks_no_more(args[0].identity)
        if name in TRACKS:
            publication, participant = args[-2:]
            data = microphone_fields(participant, publication)
            if data["muted"] or participant.identity in self._muted:
                self._microphone("track_muted" if data["muted"] else "track_unmuted", participant, publication)
        if name in WHO_HEARS:
            self._world.subscriptions.room_changed()
        if not self._connection.given_up:  # a client that is back after all has its room anew
            self._parties(name, args)

    def _speakers(self, speakers: list[Any]) -> None:
        """LiveKit tells of everybody on the line who speaks, also of those whom the session does not hear: told on where
        that has changed, since nobody is silent while they speak."""
        world = self._world
        identities = [one.identity for one in speakers]
        legs = [
            leg.name
            for leg in world.line.parties()
            if leg.identity in identities and not world.linked.hear(leg.identity)
        ]
        if legs != self._speaking or self._heard("room.active_speakers_changed"):
            self._tell_who_speaks(identities, legs)

    def _speaks_no_more(self, identity: str) -> None:
        """Whoever leaves in mid-sentence: LiveKit need not say that they speak no more."""
        leg = self._world.line.legs.get(identity)
        if leg is not None and leg.name in self._speaking:
            self._tell_who_speaks([], [name for name in self._speaking if name != leg.name])

    def _tell_who_speaks(self, identities: list[str], legs: list[str]) -> None:
        self._speaking = legs
        self._world.post("room.active_speakers_changed", {"identities": identities, "legs": legs})

    def _microphone(self, name: str, participant: Any, publication: Any) -> None:
        """A party who has muted themselves cannot be heard, so that nobody knows whether they are silent."""
        leg = self._world.line.legs.get(participant.identity)
        data = {**microphone_fields(participant, publication), "leg": leg.name if leg is not None else ""}
        if data["muted"]:
            self._muted.add(participant.identity)
        else:
            self._muted.discard(participant.identity)
        if data["leg"] == MAIN_LEG or self._heard(f"room.{name}"):
            self._world.post(f"room.{name}", data)

    def _own_connection(self, name: str, args: tuple[Any, ...]) -> None:
        line = self._world.line
        if name == "disconnected":
            self._connection.close()
            reason = args[0] if args else None
            if reason_name(reason) in ROOM_IS_GONE:
                line.deleted_at = self._world.call.loop.time()
            line.broken = line.broken or breaks(reason)
            if reason_name(reason) not in ROOM_IS_GONE:
                self._world.out_of_room()
            if not self._connection.given_up:
                line.down()
        elif name == "reconnecting":
            self._speaking = []  # who of them still speaks is told anew
            line.reach(False)
            self._connection.reconnecting()
        elif name == "reconnected":
            self._connection.reconnected()

    def _parties(self, name: str, args: tuple[Any, ...]) -> None:
        line = self._world.line
        if name == "participant_connected":
            line.joined(args[0])
        elif name == "participant_disconnected":
            line.left(args[0])
        elif name == "participant_attributes_changed":
            line.changed(args[1])
        elif name == "sip_dtmf_received":
            line.pressed(args[0])

    def _connection_lost(self) -> None:
        """LiveKit's client still tries, and may be back any time: for the call it is too late."""
        if not self._world.line.ending:
            self._world.line.out_of_reach()
            self._world.post("room.disconnected", {"reason": OUT_OF_REACH})

    def _connection_back(self) -> None:
        self._world.line.reach(True)

    def _worker_closes(self, reason: str) -> None:
        """Also said, before the room itself says it, when the room was deleted: that is no closing worker."""
        if not self._world.has_room:
            self._world.line.hung_up_by_hand()
        elif not self._room_is_gone:
            self._world.call.loop.call_later(ROOM_DELETED_GRACE, self._worker_has_closed, reason)

    def _worker_has_closed(self, reason: str) -> None:
        if not self._room_is_gone:
            self._world.call.job_ends(reason, worker=True)

    @property
    def _room_is_gone(self) -> bool:
        """Or on its way. One that is only out of reach is there."""
        line = self._world.line
        return line.dropped_by_us or (line.ending and not self._connection.given_up)

    def on_enter_failed(self, error: Exception) -> None:
        logger.error("an agent's on_enter has failed", exc_info=error)
        configuration = self._world.call.snapshot.configuration
        state = configuration[-1] if configuration else None
        data = {"action": "on_enter", "error": str(error) or type(error).__name__, "timeout": False}
        self._world.call.post("failed", {**data, "origin": state or ""}, state=state)


def _is_heard(patterns: frozenset[str], name: str) -> bool:
    return name in ALWAYS or any(matches(pattern, name) for pattern in patterns)
