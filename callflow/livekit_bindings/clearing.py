"""Makes sure that telephones really leave: a telephone outlives everybody, alone in its room, for as long as it likes.

Only LiveKit's API tells. The end of the HTTP request that dials sends no CANCEL; a leg may have hung up and stay; and a
dial that has returned may be over. Everything here is bounded, and runs in tasks that the call owns.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from livekit import api

from callflow.livekit_bindings.legs import Leg

if TYPE_CHECKING:
    from callflow.livekit_bindings.world import LiveKitWorld

logger = logging.getLogger("callflow")

REQUEST = 2.0
"""Seconds for one request."""

WITHDRAWN_WITHIN = 4.0
"""Seconds that whoever gives a dial up waits for the telephone to stop; the lists that follow wait 5 s for that."""

PATIENCE = 10.0
"""Seconds for which a telephone that should stop is told so, again and again."""

CONFIRMED_WITHIN = 2.0
CONFIRMED_WITHIN_IN_HASTE = 0.3
"""Seconds to learn that the telephones have left a room that was deleted; the second where the worker closes."""

LOOKS = (0.5, 1.0, 2.0)
"""Seconds after that at which they are looked for once more. A client to which LiveKit's word that the room is gone did
not get through takes it for a broken connection, comes back, and makes the room anew (measured: 0.4 s later). On a
machine that has no time for it the agent's own does so, too."""

LAST = 3.0
"""Seconds for that once the call is over."""

LATE = 3.0
"""Seconds after which a leg that has hung up and has not left never will: late ones take 2.0 to 2.6 s."""

SEEN = 0.5
"""Seconds in which the room says that a leg is active whose dial has returned: as a rule 15 ms."""


class Clearing:
    """Of one call, from its beginning to its end."""

    def __init__(self, world: LiveKitWorld) -> None:
        self._world = world
        self._tasks: set[asyncio.Task[Any]] = set()
        self._awaited: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()  # by the end of the call

    async def remove(self, identity: str) -> bool:
        """Puts one participant out. False: there is none. Raises whatever the API raises otherwise."""
        try:
            request = api.RoomParticipantIdentity(room=self._world.room_name, identity=identity)
            await self._world.ctx.api.room.remove_participant(request)
        except api.ServerError as error:
            if not_found(error):
                return False
            raise
        return True

    async def listed(self) -> dict[str, str]:
        """Who is in the room, with the `sip.callStatus` of each, as the server knows it. Raises what the API raises."""
        request = api.ListParticipantsRequest(room=self._world.room_name)
        try:
            answer = await self._world.ctx.api.room.list_participants(request)
        except api.ServerError as error:
            if not_found(error):
                return {}
            raise
        return {one.identity: one.attributes.get("sip.callStatus", "") for one in answer.participants}

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
        """The room of these was deleted: telephones that are in it all the same are removed. Notes what stays."""
        telephones = {leg.identity: leg.name for leg in legs if leg.is_telephone or leg.dialled}
        if not telephones:
            return
        within = CONFIRMED_WITHIN_IN_HASTE if self._world.hurried else CONFIRMED_WITHIN
        try:
            async with asyncio.timeout(within):
                await self._until_gone(telephones)
        except Exception as error:  # noqa: BLE001 - the room was deleted: what is missing is only the proof
            why = str(error) or f"no answer within {within:g} s"
            names = ", ".join(sorted(set(telephones.values())))
            logger.warning("a telephone may be on the line still", extra={"legs": names, "error": why})
            self._world.note(f"the room was deleted; that {names} has left it could not be confirmed: {why}")
        if not self._world.hurried:
            everybody = telephones | {self._world.ctx.room.local_participant.identity: "the agent"}
            self._awaited.add(self.own(self._stay_gone(everybody), "callflow look for who comes back"))

    def linger(self, leg: Leg) -> None:
        """It has hung up, and is in the room still."""
        self.own(self._sweep(leg), f"callflow sweep {leg.identity}")

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

    async def _withdraw(self, leg: Leg, calling: asyncio.Future[Any]) -> None:
        loop = self._world.call.loop
        until, pause, failure = loop.time() + PATIENCE, 0.03, "the dial did not end"
        try:
            while loop.time() < until:
                over = calling.done()
                try:
                    there = await asyncio.wait_for(self.remove(leg.identity), REQUEST)
                    failure = "the dial did not end"
                    if over and not there:
                        return
                except Exception as error:  # noqa: BLE001 - the network's, the API's: the next try is the answer
                    failure = str(error) or type(error).__name__
                await (asyncio.sleep(pause) if over else asyncio.wait({calling}, timeout=pause))
                pause = min(2 * pause, 1.0)
            logger.error("a telephone may ring on", extra={"leg": leg.name, "error": failure})
            self._world.note(f"{leg.name} was given up, and may ring on: {failure}")
        finally:
            calling.cancel()

    async def _until_gone(self, telephones: dict[str, str]) -> None:
        pause = 0.05
        while here := telephones.keys() & (await self.listed()).keys():
            for identity in here:
                if await self.remove(identity):
                    self._world.note(
                        f"{telephones[identity]} was still there after its room was deleted, and was removed"
                    )
            await asyncio.sleep(pause)
            pause *= 2

    async def _stay_gone(self, names: dict[str, str]) -> None:
        loop = self._world.call.loop
        began = loop.time()
        for seconds in LOOKS:
            await asyncio.sleep(began + seconds - loop.time())
            try:
                async with asyncio.timeout(REQUEST):
                    await self._delete_again(names)
            except Exception as error:  # noqa: BLE001 - the room was deleted, and nobody has been seen in it since
                logger.warning("nobody knows who has come back to a deleted room", extra={"error": str(error)})

    async def _delete_again(self, names: dict[str, str]) -> None:
        here = sorted(names[identity] for identity in names.keys() & (await self.listed()).keys())
        if here:
            await self._world.ctx.api.room.delete_room(api.DeleteRoomRequest(room=self._world.room_name))
            logger.warning("a deleted room was made anew", extra={"by": ", ".join(here)})
            self._world.note(f"{', '.join(here)} came back after the room was deleted, and it was deleted again")

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


def not_found(error: BaseException) -> bool:
    return isinstance(error, api.ServerError) and (error.code == api.TwirpErrorCode.NOT_FOUND or error.status == 404)
