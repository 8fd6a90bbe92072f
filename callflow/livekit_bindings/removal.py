"""Makes sure that telephones really leave: a telephone outlives everybody, alone in its room, for as long as it likes.

Only LiveKit's API tells. The end of the HTTP request that dials sends no CANCEL; a leg may have hung up and stay; and a
dial that has returned may be over. Everything here is bounded, and runs in tasks that the call owns.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Collection, Coroutine, Sequence
from typing import Any, Protocol

from livekit import api
from livekit.api import LiveKitAPI

from callflow.livekit_bindings import returning
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.retries import backoff, reason_of
from callflow.livekit_bindings.returning import QUIET, REQUEST, Lookout, Party
from callflow.livekit_bindings.surroundings import OnTheLine

logger = logging.getLogger("callflow")

WITHDRAWN_WITHIN = 4.0
"""Seconds that whoever gives a dial up waits for the telephone to stop; the lists that follow wait 5 s for that."""

PATIENCE = 10.0
"""Seconds for which a telephone that should stop is told so, again and again."""

CONFIRMED_WITHIN = 2.0
CONFIRMED_WITHIN_IN_HASTE = 0.3
"""Seconds to learn that the telephones have left a room that was deleted; the second where the worker closes."""

AGREES = 1.0
SHOWN = 0.02
"""Seconds in which our own room shows what LiveKit's API says of it, as a rule 50 ms, and between two looks at it."""

LATE_WORD = 0.5
"""Seconds after which the word that the room is gone has come late."""

QUIET_AS_A_RULE = 2.0
"""Seconds after that in which nobody must have come back, where everybody was told that the room is gone: now and then it
does not get through to a client (measured: it is back 0.4 s later)."""

LAST = 3.0
"""Seconds for that once the call is over."""

LATE = 3.0
"""Seconds after which a leg that has hung up and has not left never will: late ones take 2.0 to 2.6 s."""

SEEN = 0.5
"""Seconds in which the room says that a leg is active whose dial has returned: as a rule 15 ms."""


class Given(OnTheLine, Protocol):
    """What removal is given of its call."""

    @property
    def api(self) -> LiveKitAPI: ...

    @property
    def left(self) -> bool: ...

    @property
    def stands(self) -> bool: ...

    def shows(self, identities: Collection[str]) -> bool: ...


class Removal:
    """Of one call, from its beginning to its end."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._tasks: set[asyncio.Task[Any]] = set()
        self._awaited: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()  # by the end of the call
        self._looking: asyncio.Task[None] | None = None  # for who comes back
        self._lookout: Lookout | None = None
        self._unconfirmed = False  # that a telephone has left
        self._settled = False  # nobody has come back in time

    async def remove(self, identity: str) -> bool:
        """Puts one participant out. False: there is none, and our own room shows none. Raises whatever the API raises
        otherwise."""
        world = self._world
        if await returning.remove(world.api, world.room_name, identity):
            return True
        if await self.unseen({identity}):
            return False
        await self._make_known(identity)
        await returning.remove(world.api, world.room_name, identity)
        return True

    async def _make_known(self, identity: str) -> None:
        """Our own room shows whom LiveKit's list has not (an emptied redis). It takes down whoever changes, and a track is
        muted without a look at the list. Raises what the API raises."""
        world = self._world
        participant = world.ctx.room.remote_participants.get(identity)
        track = next(iter(participant.track_publications), None) if participant is not None else None
        if track is not None:
            request = api.MuteRoomTrackRequest(room=world.room_name, identity=identity, track_sid=track, muted=True)
            await world.api.room.mute_published_track(request)

    async def listed(self) -> dict[str, str]:
        """Who is in the room, with the `sip.callStatus` of each, as the server knows it. Raises what the API raises."""
        there = await returning.participants(self._world.api, self._world.room_name)
        return {one.identity: one.attributes.get("sip.callStatus", "") for one in there}

    async def unseen(self, identities: Collection[str]) -> bool:
        """Whether our own room shows none of these, now or in a moment. LiveKit's list of rooms may be emptied (redis)
        while everybody is in the room; while our own connection is away, what it shows says nothing."""
        until = self._world.call.loop.time() + AGREES
        while self._world.line.deleted_at is None and self._world.shows(identities):
            if self._world.call.loop.time() >= until:
                return False
            await asyncio.sleep(SHOWN)
        return True

    async def withdraw(self, leg: Leg, calling: asyncio.Future[Any], *, within: float = WITHDRAWN_WITHIN) -> None:
        """Stops a dial: the telephone is removed until the server says that it is not there, and `calling`, the request
        that dials, is over. Waits for that so long at most, whoever cancels this meanwhile; it goes on by itself."""
        self._world.line.ask_to_leave(leg)
        task = self.own(self._withdraw(leg, calling), f"callflow withdraw {leg.identity}")
        self._awaited.add(task)
        until = self._world.call.loop.time() + within
        while not task.done() and (left := until - self._world.call.loop.time()) > 0:
            try:
                await asyncio.wait({task}, timeout=left)
            except asyncio.CancelledError:
                logger.debug("a telephone that is to stop is waited for", extra={"leg": leg.name})

    async def confirm(self, legs: Sequence[Leg]) -> None:
        """The room of these was deleted: telephones that are in it all the same are removed. Notes what stays. From then
        on whoever comes back is dropped again."""
        telephones = {leg.identity: leg.name for leg in legs if leg.is_telephone or leg.dialled}
        if telephones:
            await self._confirm(telephones)
        parties = self._who_may_come(legs)
        if parties and not self._world.call.hurried:
            if self._looking is not None:
                self._looking.cancel()
            lookout = self._lookout = Lookout(self._world.api, self._world.room_name, parties)
            self._looking = self.own(self._keep(lookout), "callflow look for who comes back")
            self._awaited.add(self._looking)

    async def _confirm(self, telephones: dict[str, str]) -> None:
        within = CONFIRMED_WITHIN_IN_HASTE if self._world.call.hurried else CONFIRMED_WITHIN
        try:
            async with asyncio.timeout(within):
                await self._until_gone(telephones)
        except Exception as error:  # noqa: BLE001 - the room was deleted: what is missing is only the proof
            why = str(error) or f"no answer within {within:g} s"
            names = ", ".join(sorted(set(telephones.values())))
            logger.warning("a telephone may be on the line still", extra={"legs": names, "error": why})
            self._world.note(f"the room was deleted; that {names} has left it could not be confirmed: {why}")
            self._unconfirmed = True

    def in_doubt(self) -> bool:
        """Whether somebody may be on the line, or come back to it, although it was dropped, or has gone by itself."""
        line, legs = self._world.line, self._legs()
        if self._settled or self._world.left:
            return False
        if self._out_of_reach() or any(leg.lost and leg.is_telephone for leg in legs):
            return True
        if line.down_at is None or line.deleted_at is not None or self._world.call.loop.time() - line.down_at < AGREES:
            return False
        return self._world.shows({leg.identity for leg in legs})

    def _out_of_reach(self) -> bool:
        """Whether nothing is known of anybody."""
        line = self._world.line
        return bool(self._legs()) and (line.broken or line.cut_off or self._unconfirmed)

    def _legs(self) -> list[Leg]:
        """Who has been on the line."""
        legs = self._world.line.legs.values() if self._world.has_room else ()
        return [leg for leg in legs if leg.was_answered or leg.is_telephone]

    def handed_on(self) -> Lookout | None:
        """The call is over: for whom is to be looked on, None where that is not needed."""
        world = self._world
        if world.left or self._settled or not (world.stands or self.in_doubt() or self._may_come_back()):
            return None
        if self._looking is not None:
            self._looking.cancel()
        parties = self._who_may_come(self._legs())
        return Lookout(world.api, world.room_name, parties, stands=world.stands)

    def dropped_again(self) -> float | None:
        """When, in seconds since the epoch, it was dropped for who had come back; None where nobody had."""
        deleted = None if self._lookout is None else self._lookout.deleted
        return None if deleted is None else self._world.call.now() - self._world.call.loop.time() + deleted

    def notes(self) -> tuple[str, ...]:
        """For the record: what is not said at once."""
        return () if self._lookout is None else self._lookout.notes()

    def _may_come_back(self) -> bool:
        """Whether a connection has broken, or LiveKit's word that the room is gone has come late to us, and so to others, as
        it does on a machine that has no time for it."""
        line = self._world.line
        late = None not in (line.down_at, line.deleted_at) and line.deleted_at - line.down_at > LATE_WORD  # type: ignore[operator]
        return late or any(leg.lost for leg in line.legs.values())

    def _who_may_come(self, legs: Sequence[Leg]) -> list[Party]:
        """As a rule telephones, and we ourselves; after a connection has broken, everybody."""
        broken = self._out_of_reach() or self._world.stands
        who = [leg for leg in legs if leg.is_telephone or leg.dialled or leg.lost or broken]
        parties = [Party(leg.identity, leg.name, str(leg.fields.get("sip_call_id") or "")) for leg in who]
        if parties and self._world.has_room:
            parties.append(Party(self._world.ctx.room.local_participant.identity, "the agent", agent=True))
        return parties

    def linger(self, leg: Leg) -> None:
        """It has hung up, and is in the room still."""
        self.own(self._sweep(leg), f"callflow sweep {leg.identity}")

    def let_go(self, leg: Leg, *, after: float) -> None:
        """Takes a leg that was answered off the line, beside, in so many seconds; one that has left is fine."""
        if not leg.over:
            self._world.line.ask_to_leave(leg)
            self._awaited.add(self.own(self._let_go(leg, after), f"callflow let go of {leg.identity}"))

    def answered(self, leg: Leg) -> None:
        """Its dial has returned: unless the room says so, too, the server is asked whether it is there."""
        self.own(self._verify(leg), f"callflow verify {leg.identity}")

    async def close(self) -> None:
        """The call is over: telephones that should stop get a moment more; whatever else runs is cancelled."""
        awaited = {task for task in self._tasks if task in self._awaited}
        for task in self._tasks - awaited:
            task.cancel()
        if awaited:
            await asyncio.wait(awaited, timeout=LAST)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # -- inside

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Runs beside, at the latest until the call is over."""
        task = self._world.call.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _let_go(self, leg: Leg, after: float) -> None:
        await asyncio.sleep(after)
        await self._withdraw(leg, settled())

    async def _withdraw(self, leg: Leg, calling: asyncio.Future[Any]) -> None:
        loop = self._world.call.loop
        until, pauses, failure = loop.time() + PATIENCE, backoff(0.03, 1.0), "the dial did not end"
        try:
            while loop.time() < until:
                over = calling.done()
                try:
                    there = await asyncio.wait_for(self.remove(leg.identity), REQUEST)
                    failure = "the dial did not end"
                    if over and not there:
                        return
                except Exception as error:  # noqa: BLE001 - the network's, the API's: the next try is the answer
                    failure = reason_of(error)
                pause = next(pauses)
                await (asyncio.sleep(pause) if over else asyncio.wait({calling}, timeout=pause))
            logger.error("a telephone may ring on", extra={"leg": leg.name, "error": failure})
            self._world.note(f"{leg.name} was given up, and may ring on: {failure}")
        finally:
            calling.cancel()

    async def _until_gone(self, telephones: dict[str, str]) -> None:
        pauses = backoff(0.05)
        while here := telephones.keys() & (await self.listed()).keys():
            for identity in here:
                if await self.remove(identity):
                    self._world.note(
                        f"{telephones[identity]} was still there after its room was deleted, and was removed"
                    )
            await asyncio.sleep(next(pauses))

    async def _keep(self, lookout: Lookout) -> None:
        """Past the end of the call where it takes longer: then it is handed on."""
        self._settled = await lookout.keep(self._quiet, QUIET + QUIET) == "dropped"

    def _quiet(self) -> float:
        return QUIET if self.in_doubt() or self._may_come_back() else QUIET_AS_A_RULE

    async def _sweep(self, leg: Leg) -> None:
        await asyncio.sleep(LATE)
        if leg.identity not in self._world.ctx.room.remote_participants or self._world.line.ending:
            return
        try:
            await asyncio.wait_for(self.remove(leg.identity), REQUEST)
        except Exception as error:  # noqa: BLE001 - it has hung up: only its ghost is there
            logger.warning("a leg that has hung up could not be removed", extra={"leg": leg.name, "error": str(error)})

    async def _verify(self, leg: Leg) -> None:
        await asyncio.sleep(SEEN)
        if leg.over or leg.sip_status in ("active", "hangup") or self._world.line.ending:
            return
        try:
            status = (await asyncio.wait_for(self.listed(), REQUEST)).get(leg.identity)
        except Exception as error:  # noqa: BLE001 - nobody knows better than the dial then
            logger.warning("who was dialled could not be looked for", extra={"leg": leg.name, "error": str(error)})
            return
        if status in (None, "hangup"):
            self._world.line.lost(leg)
            await self._sweep(leg)


def settled() -> asyncio.Future[None]:
    """The dial of a leg that was answered: it is over."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done
