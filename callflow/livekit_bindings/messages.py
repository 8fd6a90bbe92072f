"""The author's own events from other programs in the room: a data packet on a topic, or an RPC.

Both carry JSON: `{"event": "app.approved", "data": {"by": "Ann"}}`. Anybody in the room can send them, the caller too. So
an event is taken from those alone whom the flow's `senders:` name, it must be one of the flow's `events:`, and its payload
must fit. An RPC answers `ok`, or fails with a sentence that says what is wrong; a packet that is not taken is logged.
Whoever sends too much is not heard any more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field
from livekit import rtc

from callflow.core.events import AGENTS, ANYONE
from callflow.errors import CallflowError
from callflow.livekit_bindings.room_events import KINDS
from callflow.livekit_bindings.surroundings import OnTheLine

logger = logging.getLogger("callflow")

TOPIC = "callflow"
"""The topic of data packets."""

METHOD = "callflow.send"
"""The RPC method. Its name is part of the interface to other programs."""

LARGEST = 15 * 1024
"""Bytes of a message: LiveKit's own limit for an RPC, and what it recommends for a packet."""

AT_ONCE = 50
PER_SECOND = 10.0
"""Messages that a participant may send at once, and for long."""

MOST_SENDERS = 200
"""Participants of one call whose messages are counted; those that come later are not heard."""

MOST_NOTES = 20
"""Of what was not taken, in the record: what others do must not fill it."""

MISFIT, FORBIDDEN, TOO_LARGE, TOO_MANY, NO_ROOM = 400, 403, 413, 429, 503
"""The codes of the RpcError for a message that is not taken: HTTP's, which are none of LiveKit's own."""


class Refused(Exception):
    """A message is not taken; the sender may know why."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def read(payload: str | bytes) -> tuple[str, Mapping[str, Any]]:
    """The event's name and payload. Raises Refused with a sentence."""
    size = len(payload if isinstance(payload, bytes) else payload.encode(errors="replace"))
    if size > LARGEST:
        raise Refused(TOO_LARGE, f"a message has at most {LARGEST} bytes, not {size}")
    try:
        message = json.loads(payload, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(MISFIT, f"not JSON: {error}") from error
    name = message.get("event") if isinstance(message, dict) else None
    data = message.get("data", {}) if isinstance(message, dict) else None
    if not (isinstance(name, str) and isinstance(data, dict)):
        raise Refused(MISFIT, 'a message is {"event": "app.<name>", "data": {…}}')
    return name, data


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def is_message(packet: Any) -> bool:
    return bool(packet.topic == TOPIC)


@define(eq=False)
class Allowance:
    """What one sender may still send: AT_ONCE messages, and PER_SECOND of them come back. Times are in seconds."""

    since: float
    left: float = float(AT_ONCE)
    over: bool = False

    def spend(self, now: float) -> bool:
        """Whether one more message is heard. False is for ever."""
        self.left = min(self.left + (now - self.since) * PER_SECOND, AT_ONCE) - 1.0
        self.since = now
        self.over = self.over or self.left < 0.0
        return not self.over


class Given(OnTheLine, Protocol):
    """What whoever sends something to the flow is given."""


@define(eq=False)
class Mailbox:
    """Of one call: what comes from the room."""

    world: Given
    _allowances: dict[str, Allowance] = field(factory=dict)  # by identity
    _noted: set[str] = field(factory=set)

    def on_packet(self, packet: Any) -> None:
        participant = packet.participant
        try:
            self._take(participant.identity if participant is not None else "", packet.data)
        except Refused as error:
            if error.code != TOO_MANY:  # else whoever floods us would flood the log
                logger.warning("a data packet is no event of this flow", extra={"error": str(error)})

    def on_rpc(self, invocation: rtc.RpcInvocationData) -> str:
        """Raises RpcError, which the sender gets."""
        try:
            self._take(invocation.caller_identity, invocation.payload)
        except Refused as error:
            raise rtc.RpcError(error.code, str(error)) from error
        return "ok"

    def _take(self, identity: str, payload: str | bytes) -> None:
        """`identity` is empty where LiveKit does not say who has sent it: then it may be anybody."""
        sender = self._sender(identity)
        if not self._allowance(identity).spend(self.world.call.loop.time()):
            self._note(f"{_named(sender)} has sent too many messages, and was not heard any more")
            raise Refused(TOO_MANY, "too many messages: nothing more is taken")
        name, data = read(payload)
        flow = self.world.flow
        if name in flow.events and not {sender, ANYONE} & flow.may_send(name):
            self._note(f"{name} was not taken from {_named(sender)}: `senders` does not name them")
            raise Refused(FORBIDDEN, f"{name} is not taken from {_named(sender)}")
        try:
            self.world.call.receive(name, data, sender)
        except ValueError as error:
            raise Refused(MISFIT, str(error)) from error
        except CallflowError as error:
            raise Refused(NO_ROOM, str(error)) from error

    def _sender(self, identity: str) -> str:
        """A word of `senders:`: the leg on which somebody is, `agents`, or `anyone` for all others."""
        participant = self.world.ctx.room.remote_participants.get(identity)
        if participant is None:
            return ANYONE
        if KINDS.get(participant.kind) == "agent":
            return AGENTS
        return self.world.line.sends_as(identity) or ANYONE

    def _allowance(self, identity: str) -> Allowance:
        found = self._allowances.get(identity)
        if found is None:
            found = Allowance(self.world.call.loop.time())
            if len(self._allowances) >= MOST_SENDERS:
                found.over = True
                return found
            self._allowances[identity] = found
        return found

    def _note(self, sentence: str) -> None:
        if sentence not in self._noted and len(self._noted) < MOST_NOTES:
            self._noted.add(sentence)
            self.world.note(sentence)


def _named(sender: str) -> str:
    return {ANYONE: "a participant who is no leg of the flow", AGENTS: "another agent"}.get(sender, sender)
