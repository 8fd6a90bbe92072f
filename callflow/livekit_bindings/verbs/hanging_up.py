"""delete_room, remove_participant, hang_up, close: the ways in which a line drops.

Only these end a call for the caller: after anything else, the end of the session, of the job or of its process, they
stay alone in the room, in silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from livekit import api

from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.retries import backoff, reason_of
from callflow.livekit_bindings.returning import delete_room as delete
from callflow.livekit_bindings.returning import not_found
from callflow.livekit_bindings.verbs import conversation, holding, speech, transferring

logger = logging.getLogger("callflow")

NOTHING: Mapping[str, Any] = {}

TRIES = 3
TRY = 5.0
BACKOFF = 0.2
"""`hang_up` and the forced close drop the line like `delete_room` with its defaults: 3 tries of 5 s, a short pause between."""

PERSISTENCE = 15.0
PAUSE = 2.0
"""Seconds for which the forced close tries on where all that has failed, and the longest pause between: what is gone may be
our own network. With one try of each kind more it is done before the 30 s of `close` are up."""

RESERVE = 9.0
LAST_TRY = 1.0
"""Where LiveKit ends the job and the line may stand: the seconds that are kept for the session, the record and the hooks.
From then on a try has a second, and nothing is tried twice: the line is left to the guard."""

REMOVALS = 3
"""How often a telephone is removed that is still there."""

TAIL = 0.2
"""Seconds after its playout for which the last of a goodbye may be on its way to the ear."""

GOODBYE = 10.0
DRAIN = 10.0
CLOSE = 10.0
"""Seconds at most for each part of an end: one that hangs does not keep the next from its turn."""


class Given(conversation.Given, holding.Given, speech.Given, transferring.Given, Protocol):
    """What these verbs are given."""

    @property
    def api(self) -> api.LiveKitAPI: ...

    left: bool

    stands: bool

    job_ends: float | None

    def shows(self, identities: Collection[str]) -> bool: ...

    def stay_out(self) -> None: ...

    async def leave(self) -> None: ...


async def delete_room(world: Given, _effect: Start) -> Mapping[str, Any]:
    await world.removal.confirm(await drop_room(world))
    return NOTHING


async def drop_room(world: Given) -> Sequence[Leg]:
    """Deletes the room; one that is gone already is done, where our own agrees. Returns who was in it. Raises whatever the
    API raises otherwise."""
    legs = world.line.present()
    if not world.has_room:
        world.line.down(by_us=True)
        return ()
    world.line.dropped_by_us = True
    try:
        left = _left(world)
        await asyncio.wait_for(_delete(world, legs), None if left is None else max(left, LAST_TRY))
    except BaseException as error:  # noqa: BLE001 - raised again
        world.line.dropped_by_us = False
        if isinstance(error, TimeoutError):
            raise EffectError("the room could not be deleted: no answer, and LiveKit ends the job") from None
        raise _failure("the room could not be deleted", error) from None
    for leg in legs:
        if transferring.unsettled(world, leg):
            world.note(f"the bridge may say BYE to {leg.name} up to 5 s late: nobody has answered its transfer in time")
    world.line.down(by_us=True)
    world.stop_opening(connecting=True)
    world.stay_out()
    return legs


async def _delete(world: Given, legs: Sequence[Leg]) -> None:
    there = {leg.identity for leg in legs if leg.sid}
    try:
        await world.api.room.delete_room(api.DeleteRoomRequest(room=world.room_name))
    except api.ServerError as error:
        missing = not_found(error)
        if not (missing or error.code == api.TwirpErrorCode.UNKNOWN):  # as it says of a room that is only half in redis
            raise
        blind = bool(world.line.legs) and (world.line.cut_off or world.line.broken)  # our own room tells nothing
        if missing and not blind and (not there or await world.removal.unseen(there)):
            return
        if there and world.shows(there):
            names = ", ".join(leg.name for leg in legs)
            logger.warning("LiveKit does not find a room in which there is somebody", extra={"legs": names})
            note = f"LiveKit did not find the room ({error.message}), and {names} was in it: it was made known again"
            world.note(note)
        await _delete_unlisted(world)


async def _delete_unlisted(world: Given) -> None:
    """LiveKit has lost its list of rooms. Should it be of no use that we have left, our own room tells nothing any more."""
    broken = world.line.broken
    await delete(world.api, world.room_name, known=False, leave=world.leave)
    world.line.broken = broken


async def remove_participant(world: Given, effect: Start) -> Mapping[str, Any]:
    leg = world.line.leg(str(effect.arguments.get("leg") or MAIN_LEG))
    if leg is None or not world.has_room:
        return NOTHING
    asked, leg.asked = leg.asked, "leave"
    try:
        await _remove(world, leg)
    except BaseException:
        leg.asked = asked
        raise
    return NOTHING


async def hang_up(world: Given, effect: Start) -> Mapping[str, Any]:
    """goodbye -> drain -> the line -> aclose; the job ends with the record. Raises EffectError when the line stands."""
    everyone = effect.arguments.get("for", "everyone") == "everyone"
    if not everyone and sum(leg.is_telephone for leg in world.line.parties()) > 1:
        raise EffectError("two telephone legs would outlive the agent for ever: use stand_by instead of for: agent")
    world.turns.end()
    if effect.arguments.get("goodbye") and not world.call.hurried:
        goodbye = {"text": effect.arguments["goodbye"], "interruptible": False}
        await within(GOODBYE, "the goodbye", lambda: speech.say(world, effect._replace(arguments=goodbye)))
    await within(DRAIN, "the drain", lambda: conversation.end_conversation(world, tail=TAIL))
    if not everyone:
        await everybody_hears_everybody(world)
        world.left = True
    failure = await drop_line(world) if everyone else None
    await within(CLOSE, "the close", lambda: conversation.close_session(world))
    if failure is not None:
        raise EffectError(f"the line could not be dropped: {failure}")
    return NOTHING


async def close(world: Given, effect: Start) -> Mapping[str, Any]:
    """What a final state finds still open: the goodbye that is being said ends, the line drops, the session closes."""
    arguments = effect.arguments
    if arguments.get("session"):
        await within(DRAIN, "the drain", lambda: conversation.end_conversation(world, tail=TAIL))
    await force(world, session=bool(arguments.get("session")), line=bool(arguments.get("line")))
    return NOTHING


async def force(world: Given, *, session: bool, line: bool) -> None:
    """The line first: whoever is on it waits for nothing. Raises EffectError when the line stands."""
    world.stands = world.stands or line
    persistence = PERSISTENCE if world.has_room and world.ctx.room.isconnected() else 0.0
    failure = await drop_line(world, persistence=persistence) if line else None
    if line and failure is None:
        world.stands = False
    if failure is not None:
        logger.error("the line could not be dropped", extra={"error": failure})
        world.note(f"the line could not be dropped, and may still be up: {failure}")
    if session:
        await within(CLOSE, "the close", lambda: conversation.close_session(world))
    if failure is not None:
        raise EffectError(f"the line could not be dropped: {failure}")


async def drop_line(world: Given, *, persistence: float = 0.0) -> str | None:
    """Deletes the room, bounded and repeated; `persistence` (seconds) beyond that. What went wrong, when the line still
    stands."""
    attempt, pauses, until = 0, backoff(BACKOFF, PAUSE), world.call.loop.time() + persistence
    while True:
        try:
            legs = await asyncio.wait_for(drop_room(world), TRY)
        except Exception as error:  # noqa: BLE001 - the network's, the API's, a time-out: the next try is the answer
            failure = reason_of(error)
        else:
            await world.removal.confirm(legs)
            return None
        attempt += 1
        if _left(world) == 0.0:
            return failure
        if attempt >= TRIES:
            if await _remove_everyone(world, failure):
                return None
            if world.call.hurried or world.call.loop.time() >= until:
                return failure
        await asyncio.sleep(next(pauses))


async def _remove_everyone(world: Given, failure: str) -> bool:
    """The room cannot be deleted: whoever is in it is removed, all at once. Whether nobody is left in silence."""
    legs = world.line.present()
    if not legs:
        return False
    world.line.dropped_by_us = True
    results = await asyncio.gather(
        *(asyncio.wait_for(_remove(world, leg), TRY) for leg in legs), return_exceptions=True
    )
    if any(isinstance(result, BaseException) for result in results):
        world.line.dropped_by_us = False
        return False
    world.note(f"the room could not be deleted ({failure}); everybody in it was removed")
    return True


async def _remove(world: Given, leg: Leg) -> None:
    """Removes one participant; one that has left already is done. Of a telephone, until it is not there any more.
    Raises whatever the API raises otherwise."""
    try:
        for _ in range(REMOVALS):
            there = await world.removal.remove(leg.identity)
            if not (there and leg.is_telephone):
                return
    except BaseException as error:  # noqa: BLE001 - raised again
        raise _failure("the participant could not be removed", error) from None
    raise EffectError(f"{leg.name} was removed and is still there")


async def everybody_hears_everybody(world: Given) -> None:
    """Whoever was kept apart hears and is heard again: nobody is left to see to it later."""
    holding.release_all(world)
    await world.subscriptions.restore()


async def within(seconds: float, what: str, act: Callable[[], Awaitable[Any]]) -> None:
    """One part of an ending: out of time or failed, the next part goes on."""
    with contextlib.suppress(asyncio.TimeoutError):
        try:
            await asyncio.wait_for(act(), seconds)
        except TimeoutError:
            logger.warning("part of an ending ran out of time", extra={"part": what, "seconds": seconds})
        except Exception:
            logger.warning("part of an ending has failed", extra={"part": what}, exc_info=True)


def _left(world: Given) -> float | None:
    """Seconds for which the line may still be tried, None for no limit."""
    return None if world.job_ends is None else max(0.0, world.job_ends - RESERVE - world.call.loop.time())


def _failure(what: str, error: BaseException) -> BaseException:
    """The API's refusal as a sentence; anything else, a time-out say, as it is."""
    return EffectError(f"{what}: {error.message} ({error.code})") if isinstance(error, api.TwirpError) else error
