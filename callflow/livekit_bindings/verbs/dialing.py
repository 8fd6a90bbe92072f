"""dial, cancel_dial: a telephone is called, at most once, and stops ringing when nobody wants it to any more.

The telephone is in the room from the dial on. It is answered when its `sip.callStatus` says so or when the request
returns, whichever comes first. The end of the request ends no call: whoever gives up removes the leg.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from livekit import api
from livekit.protocol import sip as proto_sip

from callflow.core import sip
from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings import dial_results, livekit_internals, vouching
from callflow.livekit_bindings.dial_results import Evidence
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.retries import backoff
from callflow.livekit_bindings.verbs import detection

logger = logging.getLogger("callflow")

GIVE_UP = 2.5
"""Seconds after the `ringing_timeout` at which we stop waiting: LiveKit answers 0.1 s after it, its client gives up after
2 s."""

KEY = 0.6
"""Seconds for each key of `dtmf`, which follows the answer: nobody is on the line before the last one is through."""

REASON_FIRST = 1.0
"""Seconds that a leg which has left waits for the request that dialled it to say why: as a rule 20 ms."""

ACTIVE_FIRST = 0.2
AT_ONCE = 1.0
"""Seconds that `active` may come after the return of the request, as a rule 15 ms; and the time from the dial in which
hardly anybody can have picked up: a server that returns by then, and the telephone rings, has not waited for it."""

ASK = 1.0
"""Seconds between two questions to LiveKit, where the request has said nothing and the room has not yet; and for each."""

LEAVES = 4.0
"""Seconds in which a leg that was asked to leave makes room for the next one of its name."""

RETRY_WITHIN = 2.4
RETRY_PAUSE = 0.3
"""Seconds after the first try in which a further one may begin, where nothing was dialled; and before it, doubled."""

ENCRYPTION = {
    "disable": proto_sip.SIP_MEDIA_ENCRYPT_DISABLE,
    "allow": proto_sip.SIP_MEDIA_ENCRYPT_ALLOW,
    "require": proto_sip.SIP_MEDIA_ENCRYPT_REQUIRE,
}


class Given(detection.Given, Protocol):
    """What these verbs are given."""

    @property
    def secret(self) -> str | None: ...

    @property
    def removal(self) -> Removal: ...


async def dial(world: Given, effect: Start) -> Mapping[str, Any]:
    return await call_leg(world, str(effect.arguments.get("leg") or MAIN_LEG), effect.arguments)


async def cancel_dial(world: Given, effect: Start) -> Mapping[str, Any]:
    """Stops the ringing of a leg, whose dial ends with that. One that was answered, or that nobody dials, is left as it
    is."""
    leg = world.line.leg(str(effect.arguments.get("leg") or MAIN_LEG))
    if leg is not None and leg.dialling and not leg.was_answered:
        world.line.ask_to_leave(leg)
        await world.line.settled(leg)
    return {}


async def call_leg(world: Given, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Dials `arguments["to"]` as the leg `name`, with the arguments of `dial`; the fields of its result.

    Cancelled, the telephone stops ringing, or is hung up on where it was answered at this moment, before this returns.
    Raises EffectError where there is no room to dial into, somebody is on this leg, or a text cannot stand in a SIP message.
    """
    sip.headers("dial", arguments)
    await world.connected()
    wanted = arguments.get("detect_machine")
    detecting = None if wanted is None else detection.begin(world, wanted, leg=name)
    try:
        result = await _until_something_is_dialled(world, name, arguments)
    except BaseException:
        if detecting is not None:
            detecting.cancel()
        raise
    if detecting is not None:
        wanted = result["result"] == "answered" and not _is_cancelled()
        detecting.answered() if wanted else detecting.cancel()
    return result


async def _until_something_is_dialled(world: Given, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tries again, for a moment, where LiveKit had nobody who could dial; the fields of the result."""
    began, pauses = world.call.loop.time(), backoff(RETRY_PAUSE)
    while True:
        evidence = await _try(world, name, arguments)
        elapsed = world.call.loop.time() - began
        if evidence is None:
            return {"result": "answered", "leg": name, "cause": "answered", "elapsed": elapsed}
        pause = next(pauses)
        if not evidence.nothing_dialled or elapsed + pause > RETRY_WITHIN:
            return dial_results.fields(evidence, name, elapsed)
        await asyncio.sleep(pause)


async def _try(world: Given, name: str, arguments: Mapping[str, Any]) -> Evidence | None:
    """One try; None when it was answered."""
    line = world.line
    if line.ending or not world.has_room:
        raise EffectError("there is no room that a phone could be called into")
    before = line.leg(name)
    if before is not None and before.asked == "leave" and not before.over:
        await asyncio.wait({asyncio.ensure_future(line.gone(before))}, timeout=LEAVES)
    if before is not None and (before.on_line or before.dialling):
        raise EffectError(f"the leg {name} is {'on the line' if before.on_line else 'being dialled'} already")
    limit = arguments.get("max_call_duration")
    leg = line.expect(name, f"callflow-{name}-{secrets.token_hex(4)}", limit=None if limit is None else float(limit))
    placed = asyncio.Event()
    calling = asyncio.ensure_future(_place(world, _request(world, leg, arguments), placed))
    try:
        keys = KEY * len(str(arguments.get("dtmf") or ""))
        evidence = await _outcome(world, leg, calling, float(arguments["ringing_timeout"]), keys)
        if evidence is None:
            world.removal.answered(leg)
        elif not _is_over(evidence):
            await world.removal.withdraw(leg, calling, within=REASON_FIRST)
    except asyncio.CancelledError:
        if placed.is_set():
            await world.removal.withdraw(leg, calling)
        if leg.answered_late or _has_returned(calling):
            return None  # recorded: it came late
        raise
    finally:
        if leg.asked != "leave" or not placed.is_set():
            calling.cancel()  # the request; not what it has asked for
        line.settle(leg)
    return evidence


async def _outcome(world: Given, leg: Leg, calling: asyncio.Task[None], ring: float, keys: float) -> Evidence | None:
    """What became of it, by the request and by the room together; None when it was answered. `keys`: how long it takes
    to send those that follow the answer."""
    loop = world.call.loop
    until = loop.time() + ring + keys + GIVE_UP
    watching = asyncio.ensure_future(world.line.decided(leg))
    told_nothing = False
    try:
        await asyncio.wait({calling, watching}, timeout=until - loop.time(), return_when=asyncio.FIRST_COMPLETED)
        if _has_returned(calling) and loop.time() - leg.since < AT_ONCE:
            await asyncio.wait({watching}, timeout=ACTIVE_FIRST)
            told_nothing = leg.sip_status in ("dialing", "ringing", "automation")
        elif calling.done() and _is_lost(calling):
            told_nothing = bool(leg.sid)
        elif leg.over and not calling.done():
            await asyncio.wait({calling}, timeout=REASON_FIRST)
        if told_nothing:  # the request has ended, and the telephone rings
            await _ask(world, leg, watching, until)
            told_nothing = leg.sip_status != "hangup"  # which only somebody says who had picked up
    finally:
        watching.cancel()
    if leg.was_answered:
        return None
    if leg.asked == "leave":
        return Evidence(ours="cancelled", rang=leg.rang)
    if _has_returned(calling) and not told_nothing:
        return None if world.line.answer(leg) else Evidence(ours="room gone", rang=leg.rang)
    if leg.status == "down":
        return Evidence(ours="room gone", rang=leg.rang)
    error = calling.exception() if calling.done() and not calling.cancelled() else None
    left = leg.status == "gone"
    if error is None and not left:
        return Evidence(ours="out of time" if leg.sid else "never began", rang=leg.rang)
    at_limit = leg.limit is not None and loop.time() - leg.since >= leg.limit and leg.limit < ring
    if at_limit and isinstance(error, api.ServerError) and error.code == api.TwirpErrorCode.CANCELED:
        return Evidence(error, ours="limit", rang=leg.rang)
    return Evidence(error, left=left, reason=leg.reason, rang=leg.rang)


async def _ask(world: Given, leg: Leg, watching: asyncio.Future[None], until: float) -> None:
    """Returns when the room says what became of the leg, or LiveKit, asked every second: what a room says may be lost."""
    while not watching.done() and (left := until - world.call.loop.time()) > 0:
        await asyncio.wait({watching}, timeout=min(ASK, left))
        if watching.done():
            return
        try:
            here = await asyncio.wait_for(world.removal.listed(), ASK)
        except Exception as error:  # noqa: BLE001 - the network's, the API's: it is asked again
            logger.debug("LiveKit does not say who is in the room", extra={"error": str(error)})
            continue
        if here.get(leg.identity) == "active":
            world.line.answer(leg)
            return


def _is_lost(calling: asyncio.Task[None]) -> bool:
    """Whether the request has ended and says nothing of the call."""
    error = calling.exception()
    if isinstance(error, api.ServerError):
        return error.code in dial_results.VAGUE and not dial_results.Evidence(error).nothing_dialled
    return error is not None


def _is_over(evidence: Evidence) -> bool:
    """Whether somebody who knows has said that nothing rings any more."""
    error = evidence.error
    if evidence.ours and evidence.ours != "limit":
        return False
    known = isinstance(error, api.ServerError) and error.code not in dial_results.VAGUE
    return known or evidence.left or evidence.nothing_dialled or evidence.sip_status_code is not None


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _has_returned(calling: asyncio.Task[None]) -> bool:
    return calling.done() and not calling.cancelled() and calling.exception() is None


async def _place(world: Given, request: api.CreateSIPParticipantRequest, placed: asyncio.Event) -> None:
    """Sends the request, once: the API's own client would repeat it, and the telephone would ring twice."""
    sip = livekit_internals.without_failover(world.ctx.api)
    placed.set()
    await sip.create_sip_participant(request)


def _request(world: Given, leg: Leg, arguments: Mapping[str, Any]) -> api.CreateSIPParticipantRequest:
    given = {name: value for name, value in arguments.items() if value is not None}
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=str(given["trunk"]),
        sip_call_to=str(given["to"]),
        room_name=world.room_name,
        participant_identity=leg.identity,
        participant_attributes=vouching.attributes_of(world.secret, world.room_name, leg.identity, leg.name),
        wait_until_answered=True,
        dtmf=str(given.get("dtmf", "")),
        sip_number=str(given.get("sip_number", "")),
        hide_phone_number=bool(given.get("hide_phone_number", False)),
        play_dialtone=bool(given.get("play_dialtone", False)),
        krisp_enabled=bool(given.get("krisp_enabled", False)),
        headers=sip.headers("dial", arguments),
        media_encryption=ENCRYPTION[given.get("media_encryption", "disable")],
    )
    if "display_name" in given:
        request.display_name = str(given["display_name"])
    request.ringing_timeout.FromMicroseconds(round(float(given["ringing_timeout"]) * 1e6))
    if "max_call_duration" in given:
        request.max_call_duration.FromMicroseconds(round(float(given["max_call_duration"]) * 1e6))
    return request
