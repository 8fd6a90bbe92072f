"""Whoever comes back to a room that was deleted: they are looked for, and dropped again.

A client to which LiveKit's word that the room is gone did not get through takes it for a broken connection, comes back, and
makes the room anew: a SIP bridge's 1.6 to 6.5 s after an outage of its server, with its telephone alone in there, in
silence, for as long as it likes. The agent's own does so, too. Needs nothing but LiveKit's API, and so works in a call, in
its job's process after it, and in its worker's.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from livekit import api

from callflow.livekit_bindings.retries import retried
from callflow.runtime.record import Line, amend

logger = logging.getLogger("callflow")

REQUEST = 2.0
"""Seconds for one request."""

QUIET = 30.0
"""Seconds in which nobody has come back: then nobody will."""

PAUSES = (0.5, 0.5, 1.0)
LONGEST = 2.0
"""Between two looks, in seconds: these first, then the longest."""

COUNTED = 3.0
"""Seconds after which a room that counts somebody, with nobody in its list, is taken for one. LiveKit writes the number at
most 5 s late, but a room that has just been left may be deleted as well."""

RELISTED = (0.1, 0.2, 0.5, 1.0)
"""Seconds before each try to delete a room that comes back into LiveKit's list as we leave it."""

ALONE = 8.0
"""Seconds after which somebody who is no telephone, and whom no agent has joined, is in no new call of theirs."""


@frozen
class Party:
    """Who was on the line. A telephone's call is told by its `call_id` (`sip.callID`), and so from the next one of the same
    caller; `agent` is we ourselves. `name` is the leg's."""

    identity: str
    name: str
    call_id: str = ""
    agent: bool = False


@define
class Lookout:
    """Keeps the parties of one call out of its room. `lk` is the API, `stands`: the room could not be deleted so far.

    `again` names those that came back, `deleted` is when the room was last deleted by this, on the loop's clock.
    """

    lk: api.LiveKitAPI
    room: str
    parties: Sequence[Party]
    stands: bool = False
    again: list[str] = field(factory=list)
    failure: str = ""
    deleted: float | None = None
    _first_seen: dict[str, float] = field(factory=dict)
    _up_since: float | None = None  # with nobody in its list

    async def keep(self, quiet: Callable[[], float], patience: float) -> Line:
        """Until nobody has come back for `quiet()` seconds, during which the server could be asked, or `patience`
        (seconds) is over. Raises nothing."""
        clock = asyncio.get_running_loop().time
        until, since = clock() + patience, None
        for pause in pauses():
            try:
                async with asyncio.timeout(REQUEST):
                    came = await self._look()
            except Exception as error:  # noqa: BLE001 - the network's, the API's, a time-out: the next look is the answer
                self.failure, since = str(error) or "no answer", None
            else:
                since = clock() if since is None or came else since
            if since is not None and clock() - since >= quiet():
                return "dropped"
            if clock() >= until:
                break
            await asyncio.sleep(pause)
        return "stands" if self.stands else "unknown"

    def notes(self) -> tuple[str, ...]:
        """For the record of the call."""
        who = ", ".join(self.again)
        return (f"{who} came back after the room was deleted, and was dropped again",) if who else ()

    async def _look(self) -> bool:
        """Whether somebody was there. Raises what the API raises."""
        if self.stands:
            await delete_room(self.lk, self.room, known=False)
            self.stands, self.deleted = False, asyncio.get_running_loop().time()
            return True
        there = await participants(self.lk, self.room)
        if not there and await is_up(self.lk, self.room):
            return await self._unlisted()
        self._up_since = None
        ours = [party for one in there for party in self.parties if self._is(one, party, there)]
        if not ours:
            return False
        if self._strangers(there):
            for party in ours:
                await remove(self.lk, self.room, party.identity)
        else:
            await delete_room(self.lk, self.room)
        self.deleted = asyncio.get_running_loop().time()
        names = sorted({party.name for party in ours})
        self.again += [name for name in names if name not in self.again]
        logger.warning("a deleted room was made anew", extra={"room": self.room, "by": ", ".join(names)})
        return True

    async def _unlisted(self) -> bool:
        """The room is up, and nobody is in its list: LiveKit has lost that (an emptied redis), unless it has just counted those
        who have left. Raises what the API raises."""
        now = asyncio.get_running_loop().time()
        self._up_since = now if self._up_since is None else self._up_since
        if now - self._up_since >= COUNTED:
            await delete_room(self.lk, self.room, known=False)
            self.deleted, self._up_since = asyncio.get_running_loop().time(), None
            logger.warning("a room was up of which LiveKit had lost the list", extra={"room": self.room})
        return True

    def _is(self, one: api.ParticipantInfo, party: Party, there: Sequence[api.ParticipantInfo]) -> bool:
        """Whether this is the party, still in the call that is over."""
        if one.identity != party.identity:
            return False
        if party.agent:
            return True
        if one.kind == api.ParticipantInfo.Kind.SIP:
            return party.call_id in ("", one.attributes.get("sip.callID", ""))
        now = asyncio.get_running_loop().time()
        seen = self._first_seen.setdefault(one.sid, now)
        return now - seen >= ALONE and not self._strangers(there)

    def _strangers(self, there: Sequence[api.ParticipantInfo]) -> bool:
        ours = {party.identity: party for party in self.parties}
        return any(
            one.identity not in ours or ours[one.identity].call_id not in ("", one.attributes.get("sip.callID", ""))
            for one in there
            if one.kind != api.ParticipantInfo.Kind.EGRESS
        )


async def see_to(lookout: Lookout, record: Path | None, seconds: float) -> Mapping[str, Any]:
    """A call is over that could not drop its line, or has dropped it while somebody was out of reach: sees to it for so
    long at most, and adds to its record (the file, where there is one) what came of it. Returns what is known now."""
    clock = asyncio.get_running_loop().time
    began, stood = clock(), lookout.stands
    verdict = await lookout.keep(lambda: QUIET, seconds)
    took = clock() - began
    dropped = None if lookout.deleted is None else time.time() - clock() + lookout.deleted
    notes = [*lookout.notes()]
    if stood and not lookout.stands:
        notes.append(f"the line was dropped {lookout.deleted - began:.1f} s after the call")  # type: ignore[operator]
    if verdict == "stands":
        notes.append(f"the line could not be dropped after the call either, in {took:.0f} s: {lookout.failure}")
    elif verdict == "unknown":
        notes.append(f"who is on the line could not be told after the call either, in {took:.0f} s: {lookout.failure}")
    extra = {"room": lookout.room, "line": verdict, "seconds": round(took, 1)}
    if verdict == "dropped":
        logger.info("nobody is on the line after the call", extra=extra)
    else:
        logger.error("a line may stand after its call", extra={**extra, "error": lookout.failure})
    try:
        if record is not None:
            return await asyncio.to_thread(amend, record, verdict, dropped=dropped, notes=notes)
    except Exception:
        logger.exception("a record could not be amended", extra={"path": str(record)})
    return {"room": lookout.room, "line": verdict, "line_dropped": dropped, "notes": notes}


def pauses() -> Iterator[float]:
    """Between two looks."""
    return itertools.chain(PAUSES, itertools.repeat(LONGEST))


async def participants(lk: api.LiveKitAPI, room: str) -> list[api.ParticipantInfo]:
    """Who is in the room, as the server knows it; nobody where there is no such room. Raises what the API raises."""
    try:
        return list((await lk.room.list_participants(api.ListParticipantsRequest(room=room))).participants)
    except api.ServerError as error:
        if not_found(error):
            return []
        raise


async def remove(lk: api.LiveKitAPI, room: str, identity: str) -> bool:
    """Puts one participant out. False: there is none. Raises whatever the API raises otherwise."""
    try:
        await lk.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))
    except api.ServerError as error:
        if not_found(error):
            return False
        raise
    return True


async def delete_room(
    lk: api.LiveKitAPI, room: str, *, known: bool = True, leave: Callable[[], Awaitable[None]] | None = None
) -> bool:
    """Deletes the room; one that is gone is done. False: LiveKit does not find it. Raises what the API raises otherwise.

    Not `known`: it is there, and LiveKit says that it is not, since it has lost its lists (an emptied redis). Making it finds
    its node again; and it comes back into the list of rooms as somebody joins or leaves, so that with `leave` we do.
    """
    try:
        await lk.room.delete_room(api.DeleteRoomRequest(room=room))
    except api.ServerError as error:
        if known:
            if not not_found(error):
                raise
            return False
        await lk.room.create_room(api.CreateRoomRequest(name=room))
        await _delete_relisted(lk, room, leave)
    return True


async def _delete_relisted(lk: api.LiveKitAPI, room: str, leave: Callable[[], Awaitable[None]] | None) -> None:
    """Deletes a room that was made, and may not be in the list: it is soon after we have left. Raises what the API raises."""
    try:
        await lk.room.delete_room(api.DeleteRoomRequest(room=room))
        return
    except api.ServerError as error:
        if leave is None or not not_found(error):
            raise
    await leave()
    first, *pauses = RELISTED
    await asyncio.sleep(first)
    await retried(lambda: lk.room.delete_room(api.DeleteRoomRequest(room=room)), pauses, on=(api.ServerError,))


async def is_up(lk: api.LiveKitAPI, room: str) -> bool:
    """Whether the list of rooms has it with somebody in it. Raises what the API raises."""
    listed = await lk.room.list_rooms(api.ListRoomsRequest(names=[room]))
    return any(one.num_participants for one in listed.rooms)


def not_found(error: BaseException) -> bool:
    return isinstance(error, api.ServerError) and (error.code == api.TwirpErrorCode.NOT_FOUND or error.status == 404)
