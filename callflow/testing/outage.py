"""An outage of a simulated server: it is gone for a while, with everybody's connection, and they come back to it.

As measured with livekit-server 1.13.5 and livekit-sip 1.10.0: the agent's client sees everybody leave at once without a
reason, tries to come back, and gives up after 20 s; a SIP bridge's client tries for longer, is back 1.6 to 6.5 s after its
server, and makes its room anew where that was deleted meanwhile; its telephone hears nothing of any of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import define, field
from livekit import rtc
from livekit.rtc._proto import room_pb2 as proto_events

from callflow.testing.rooms import Member, Reason, SimulatedRoomState

SEEN_TO_LEAVE = 0.16
GIVES_UP = 20.0
"""Seconds after its beginning: an agent's client sees the others leave, and takes its own connection for lost."""

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


class Reached(Protocol):
    """A server that may be out of reach."""

    @property
    def rooms(self) -> Mapping[str, SimulatedRoomState]: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    def leave(self, state: SimulatedRoomState, member: Member, reason: Reason) -> None: ...

    def forget(self) -> None: ...


@define(eq=False)
class Outage:
    """The server does not answer for `seconds` (0: it does, and only connections break); then callers are back after `callers` seconds, and agents, whose clients have
    not given up, after `agents` (None: they never are). `forgets`: it has lost its list of rooms."""

    server: Reached
    seconds: float
    callers: float
    agents: float | None
    forgets: bool
    away: list[tuple[str, Member]] = field(factory=list, init=False)
    """Who has lost their connection, and is told of nothing, with the room that they were in."""
    over: bool = field(default=False, init=False)

    def begin(self, who: Callable[[Member], bool] = lambda _: True) -> None:
        """Of those for whom `who` holds."""
        server, loop = self.server, self.server.loop
        everybody = [(state.name, member) for state in server.rooms.values() for member in state.members.values()]
        self.away = [(room, member) for room, member in everybody if who(member)]
        self.over = self.seconds == 0
        for _, member in self.away:
            member.lose_connection()
            if member.info.kind == AGENT:
                loop.call_later(SEEN_TO_LEAVE, self._others_leave, member)
                loop.call_later(GIVES_UP, self._gives_up, member)
        loop.call_later(self.seconds, self._end)

    def has(self, member: Member) -> bool:
        """Whether this one hears nothing from the server."""
        return any(one is member for _, one in self.away)

    def _others_leave(self, agent: Member) -> None:
        for room, other in self.away if self.has(agent) else ():
            if other is not agent and (room, agent) in self.away:
                event = proto_events.RoomEvent()
                event.participant_disconnected.participant_identity = other.info.identity
                event.participant_disconnected.disconnect_reason = rtc.DisconnectReason.UNKNOWN_REASON
                agent.see(event)

    def _gives_up(self, agent: Member) -> None:
        if self.has(agent):
            self._forget(agent)
            agent.dropped(rtc.DisconnectReason.UNKNOWN_REASON)
            for state in self.server.rooms.values():
                if state.members.get(agent.info.identity) is agent:
                    self.server.leave(state, agent, rtc.DisconnectReason.CONNECTION_TIMEOUT)

    def _end(self) -> None:
        self.over = True
        if self.forgets:
            self.server.forget()
        loop = self.server.loop
        for room, member in self.away:
            after = self.agents if member.info.kind == AGENT else self.callers
            if after is not None:
                loop.call_later(after, self._comes_back, room, member)

    def _comes_back(self, room: str, member: Member) -> None:
        if self.has(member):
            self._forget(member)
            member.come_back(room)

    def _forget(self, member: Member) -> None:
        self.away = [(room, one) for room, one in self.away if one is not member]


async def answers(outage: Outage | None) -> None:
    """Raises what a client of the API meets while its server is gone."""
    if outage is not None and not outage.over:
        await asyncio.sleep(0.001)
        raise ConnectionRefusedError("the simulated server is gone")
