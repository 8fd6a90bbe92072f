"""transfer: the far end's telephone is asked to call somebody else by itself (SIP REFER).

LiveKit's answer alone says too little. A far end that hangs up after it has accepted is a success to LiveKit, too; one
that hangs up before is told of at the end of the time only; and what a telephone says of a transfer that was given up is
taken for the answer to the next one. So the leg is watched as well, and one transfer at a time runs on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field
from livekit import api

from callflow.core import sip
from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start
from callflow.livekit_bindings import dial_results, livekit_internals, private_speech
from callflow.livekit_bindings.dial_results import Evidence
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.private_speech import all_is_said
from callflow.livekit_bindings.removal import Removal

GIVE_UP = 2.5
"""Seconds after the `ringing_timeout` at which we stop waiting for LiveKit's answer: as with a dial."""

ANSWER_FIRST = 0.3
"""Seconds that a leg which has left waits for LiveKit's answer to its transfer: as a rule they come together."""

TOO_SOON = 0.1
"""Seconds. A leg that is gone so soon after LiveKit's success has hung up by itself, and the success says only that:
it is seen to leave 15-40 ms after its BYE. One that was handed over hangs up later, or LiveKit does, after 1.0 s."""

LEAVES = 4.0
"""Seconds in which a leg that was handed over leaves; LiveKit itself hangs up after 1.0 s."""

UNSETTLED = 37.0
"""Seconds after a REFER in which an answer to it may still come, where LiveKit had none: it is repeated for 32 s, and
LiveKit keeps an answer that nobody waits for 5 s more. Until then the next transfer waits."""

AT_ITS_END = 1.0
"""Seconds before the end of the `ringing_timeout` in which LiveKit's `canceled` is taken for that end."""

LEAST = 1.0
"""Seconds that have to be left for a transfer to be worth beginning."""


class Given(private_speech.Given, Protocol):
    """What a transfer is given."""

    @property
    def transfers(self) -> dict[str, Refer]: ...

    @property
    def removal(self) -> Removal: ...


@define(eq=False)
class Refer:
    """One transfer. `request` is LiveKit's answer to it; that goes on when the flow has given the transfer up, since
    nothing can take a REFER back."""

    leg: Leg
    request: asyncio.Task[None]
    began: float
    given_up: bool = field(default=False, init=False)

    def settled_at(self) -> float:
        """When nobody speaks of it any more, once its request is over: at once where the answer was an answer."""
        if self.request.cancelled():
            return self.began + UNSETTLED
        error = self.request.exception()
        if error is None or Evidence(error).sip_status_code is not None:
            return self.began
        vague = not isinstance(error, api.ServerError) or error.code in {
            *dial_results.VAGUE,
            api.TwirpErrorCode.CANCELED,
        }
        return self.began + UNSETTLED if vague else self.began


async def transfer(world: Given, effect: Start) -> Mapping[str, Any]:
    """The fields of `transfer.completed` or `transfer.failed`; what is being said ends first. Cancelled, it goes on at
    LiveKit, and what becomes of it is noted; the next transfer of this leg waits for that. Raises EffectError where a
    header cannot be sent."""
    arguments, loop = effect.arguments, world.call.loop
    name, to, ring = str(arguments.get("leg") or MAIN_LEG), str(arguments["to"]), float(arguments["ringing_timeout"])
    began = loop.time()
    sip.headers("transfer", arguments)

    def result(what: str, cause: str, **more: Any) -> Mapping[str, Any]:
        return {"result": what, "leg": name, "to": to, "cause": cause, "elapsed": loop.time() - began, **more}

    leg = world.line.leg(name)
    if leg is None or not leg.on_line:
        return result("failed", "not_on_the_line", error=f"nobody is on the line of {name}")
    if not leg.is_telephone:
        return result("failed", "no_telephone", error=f"{name} is no telephone: only a telephone can be transferred")
    await all_is_said(world)
    if effect.timeout is not None:
        ring = max(min(ring, effect.timeout - GIVE_UP - (loop.time() - began)), LEAST)
    began = loop.time()  # what was being said is no ringing
    if not await _last_is_settled(world, leg, within=ring - LEAST):
        return result("failed", "unsettled", error="an earlier transfer of this leg may still be answered")
    if leg.over:
        return result("failed", "hung_up", error=f"{name} has hung up")
    refer = _begin(world, _request(world, leg, arguments, ring - (loop.time() - began)), leg)
    try:
        cause, error = await _outcome(world, refer, began + ring + GIVE_UP)
    except asyncio.CancelledError:
        refer.given_up = True
        raise
    if cause is None:
        return result("completed", "transferred", sip_status_code=200, sip_status="OK")
    evidence = Evidence(error)
    why = None if error is None else str(error) or type(error).__name__
    return result("failed", cause, sip_status_code=evidence.sip_status_code, sip_status=evidence.sip_status, error=why)


def unsettled(world: Given, leg: Leg) -> bool:
    """Whether an answer to its last transfer may still come. One that comes after its time keeps the bridge from anything
    else for 5 s (measured, livekit-sip 1.10.0), a BYE too."""
    refer = world.transfers.get(leg.identity)
    return refer is not None and (not refer.request.done() or refer.settled_at() > world.call.loop.time())


def address(to: str) -> str:
    """A number or a SIP address as a REFER names it: LiveKit takes only `tel:`, `sip:` and `sips:`."""
    if to.startswith(("tel:", "sip:", "sips:")):
        return to
    return f"sip:{to}" if "@" in to else f"tel:{to}"


def _request(world: Given, leg: Leg, arguments: Mapping[str, Any], ring: float) -> api.TransferSIPParticipantRequest:
    request = api.TransferSIPParticipantRequest(
        room_name=world.room_name,
        participant_identity=leg.identity,
        transfer_to=address(str(arguments["to"])),
        headers=sip.headers("transfer", arguments),
        play_dialtone=bool(arguments.get("play_dialtone")),
    )
    request.ringing_timeout.FromMicroseconds(round(ring * 1e6))
    return request


def _begin(world: Given, request: api.TransferSIPParticipantRequest, leg: Leg) -> Refer:
    task = world.removal.own(_send(world, request), f"callflow transfer of {leg.identity}")
    refer = world.transfers[leg.identity] = Refer(leg, task, world.call.loop.time())
    task.add_done_callback(lambda _: _answered_late(world, refer))
    return refer


async def _send(world: Given, request: api.TransferSIPParticipantRequest) -> None:
    """Sends the request, once: repeated, the far end would call twice."""
    await livekit_internals.without_failover(world.ctx.api).transfer_sip_participant(request)


def _answered_late(world: Given, refer: Refer) -> None:
    if refer.request.cancelled() or refer.request.exception() is not None or not refer.given_up:
        return
    refer.leg.asked = "transfer"
    world.note(f"the transfer of {refer.leg.name} that was given up was carried out after all")


async def _last_is_settled(world: Given, leg: Leg, *, within: float) -> bool:
    """Waits until nothing can come any more of the transfer before on this leg."""
    before = world.transfers.get(leg.identity)
    if before is None:
        return True
    until = world.call.loop.time() + within
    leaving = asyncio.ensure_future(world.line.gone(leg))
    try:
        await asyncio.wait({before.request, leaving}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if leg.over:
            return True
        if not before.request.done() or before.settled_at() > until:
            return False
        await asyncio.wait({leaving}, timeout=max(before.settled_at() - world.call.loop.time(), 0.0))
        return True
    finally:
        leaving.cancel()


async def _outcome(world: Given, refer: Refer, until: float) -> tuple[str | None, BaseException | None]:
    """Why it has failed, and LiveKit's error if there is one; a cause of None: it was handed over."""
    leg, request, loop = refer.leg, refer.request, world.call.loop
    leaving = asyncio.ensure_future(world.line.gone(leg))
    try:
        await asyncio.wait(
            {request, leaving}, timeout=max(until - loop.time(), 0.0), return_when=asyncio.FIRST_COMPLETED
        )
        if leaving.done() and not request.done():
            await asyncio.wait({request}, timeout=ANSWER_FIRST)
        if not request.done():
            request.cancel()
            return _who_left(world, leg) or "ringing_timeout", None
        error = request.exception()
        if error is not None:
            return _who_left(world, leg) or _cause(error, in_time=loop.time() < until - GIVE_UP - AT_ITS_END), error
        await asyncio.wait({leaving}, timeout=TOO_SOON)
        if (left := _who_left(world, leg)) is not None:
            return left, None
        leg.asked = "transfer"
        await asyncio.wait({leaving}, timeout=LEAVES)
        if leaving.done() and not world.line.dropped_by_us:
            return None, None
        leg.asked = "" if not leg.over else leg.asked
        return _who_left(world, leg) or "still_on_the_line", None
    finally:
        leaving.cancel()


def _who_left(world: Given, leg: Leg) -> str | None:
    """The leg has left, or is leaving, and not because it was handed over; None: it is there."""
    if world.line.dropped_by_us or leg.asked == "leave":
        return "dropped_by_us"
    if leg.status == "down":
        return "line_lost"
    return "hung_up" if leg.over or leg.sip_status == "hangup" else None


def _cause(error: BaseException, *, in_time: bool) -> str:
    """The words are those of a dial, where the two mean the same. `in_time`: the transfer could have rung on."""
    if isinstance(error, api.ServerError) and Evidence(error).sip_status_code is None:
        if error.code == api.TwirpErrorCode.CANCELED and in_time:
            return "no_response"  # the far end's network took no REFER
        if error.code in (api.TwirpErrorCode.DEADLINE_EXCEEDED, api.TwirpErrorCode.CANCELED):
            return "ringing_timeout"
        if error.code == api.TwirpErrorCode.NOT_FOUND:
            return "not_on_the_line"
    return dial_results.verdict(Evidence(error)).cause
