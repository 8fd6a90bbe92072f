"""The telephone networks themselves, without an agent: what LiveKit's API and a plain participant see of a call."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress

import pytest
from attrs import define, field
from google.protobuf.duration_pb2 import Duration
from livekit import api

from callflow.telephony.network import FarEnd, HangUp, Press, Refer, Tone, Wait
from callflow.testing.models import tone
from tests.e2e.phone.far_ends import ANSWERS, RINGS_FOR_EVER, picks_up, refuses
from tests.e2e.phone.network import call_of, until


@define(eq=False)
class Exchange:
    """A room with a plain participant in it, from which telephones are called."""

    line: object
    watcher: object
    lk: api.LiveKitAPI
    statuses: list[str] = field(factory=list)

    async def dial(self, telephone, *, identity="leg", ringing=20, wait=True, **options):
        return await self.lk.sip.create_sip_participant(
            api.CreateSIPParticipantRequest(
                sip_trunk_id=telephone.trunk,
                sip_call_to=telephone.number,
                room_name=self.line.room,
                participant_identity=identity,
                participant_attributes={"callflow.leg": "far_end"},
                wait_until_answered=wait,
                ringing_timeout=Duration(seconds=ringing),
                **options,
            )
        )

    async def status(self, wanted, *, within=5):
        await until(lambda: wanted in self.statuses, within=within, what=lambda: f"{wanted}; seen: {self.statuses}")


@pytest.fixture
async def exchange(line, network, proxy):
    watcher = await line.caller("watcher")
    url = proxy.url.replace("ws", "http")
    async with api.LiveKitAPI(url, "devkey", "a-secret-of-at-least-32-characters", failover=False) as lk:
        exchange = Exchange(line, watcher, lk)

        def changed(_, participant):
            exchange.statuses.append(participant.attributes.get("sip.callStatus", ""))

        watcher.room.on("participant_attributes_changed", changed)
        watcher.room.on("participant_connected", lambda participant: changed({}, participant))
        yield exchange


async def nobody_left(exchange, network):
    await exchange.line.view.wait_for_participants(exchange.line.room, {"watcher"}, within=5)
    deadline = time.monotonic() + 5
    while left := [leg for leg in await network.left() if exchange.line.room in leg]:
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.05)


@pytest.mark.smoke
async def test_a_call_is_answered_heard_on_both_sides_and_ended_by_the_telephone(exchange, network):
    telephone = await network.telephone(picks_up(acts=(Tone(900, 1.0), Wait(0.5), Press("1#"), Wait(0.5), HangUp())))
    keys = []
    exchange.watcher.room.on("sip_dtmf_received", lambda key: keys.append((key.digit, key.participant.identity)))
    dialled = await exchange.dial(telephone)
    call = telephone.calls[0]
    await exchange.status("active")
    assert dialled.participant_identity == "leg"
    await exchange.watcher.say(tone(600, 0.6))
    await exchange.status("hangup", within=10)
    assert exchange.statuses == ["dialing", "ringing", "active", "hangup"] or exchange.statuses[-3:] == [
        "ringing",
        "active",
        "hangup",
    ]
    assert keys == [("1", "leg"), ("#", "leg")]
    left = await exchange.watcher.wait_for("participant_disconnected", within=5)
    assert left.reason == "CLIENT_INITIATED"
    [heard] = exchange.watcher.voice_of("leg").sounds(pause=0.8)
    assert heard.hz == pytest.approx(900, abs=10)
    assert heard.seconds == pytest.approx(1.0, abs=0.3)
    assert call.heard.seconds_at(600) == pytest.approx(0.6, abs=0.2)
    assert [signal.message for signal in call.signals if signal.message != "100"] == [
        *("INVITE", "180", "200", "ACK", "BYE", "200")
    ]
    await nobody_left(exchange, network)


@pytest.mark.parametrize(
    ("status", "code", "told", "reason"),
    [
        (486, "resource_exhausted", 486, "USER_REJECTED"),
        (603, "permission_denied", 603, "USER_REJECTED"),
        (404, "not_found", 404, "USER_UNAVAILABLE"),
        (480, "resource_exhausted", 480, "USER_UNAVAILABLE"),
        (503, "failed_precondition", 503, "CLIENT_INITIATED"),
        (401, "failed_precondition", None, "USER_REJECTED"),
    ],
)
async def test_a_refusal_is_told_by_its_code(exchange, network, status, code, told, reason):
    telephone = await network.telephone(refuses(status))
    with pytest.raises(api.ServerError) as refused:
        await exchange.dial(telephone)
    assert refused.value.code == code
    assert getattr(refused.value, "sip_status_code", None) == told
    assert (await exchange.watcher.wait_for("participant_disconnected", within=5)).reason == reason
    await nobody_left(exchange, network)


async def test_a_telephone_that_is_not_answered_is_cancelled_in_time(exchange, network):
    telephone = await network.telephone(RINGS_FOR_EVER)
    began = time.monotonic()
    with pytest.raises(api.ServerError) as refused:
        await exchange.dial(telephone, ringing=2)
    assert refused.value.code == "canceled"
    cancel = await telephone.calls[0].wait_for("CANCEL", within=2)
    assert cancel.at - began == pytest.approx(2, abs=1)
    await nobody_left(exchange, network)


async def test_a_telephone_stops_ringing_when_its_participant_is_removed(exchange, network):
    telephone = await network.telephone(RINGS_FOR_EVER)
    dial = asyncio.ensure_future(exchange.dial(telephone))
    await exchange.status("ringing")
    removed = time.monotonic()
    await exchange.lk.room.remove_participant(api.RoomParticipantIdentity(room=exchange.line.room, identity="leg"))
    with pytest.raises(api.ServerError) as refused:
        await dial
    assert refused.value.code == "canceled"
    cancel = await telephone.calls[0].wait_for("CANCEL", within=2)
    assert cancel.at - removed < 0.3
    await nobody_left(exchange, network)


async def test_telephones_that_are_removed_as_they_pick_up_are_told(exchange, network):
    async def removed(number, after):
        telephone, identity = await network.telephone(picks_up(rings=0.5)), f"leg-{number}"
        dial = asyncio.ensure_future(exchange.dial(telephone, identity=identity))
        call = await call_of(telephone)
        invited = await call.wait_for("INVITE", within=5)
        await asyncio.sleep(invited.at + after - time.monotonic())
        await exchange.lk.room.remove_participant(
            api.RoomParticipantIdentity(room=exchange.line.room, identity=identity)
        )
        over = await call.over(within=2)
        assert (over.message, over.by_telephone) in (("CANCEL", False), ("BYE", False))
        with suppress(api.ServerError):
            await dial

    await asyncio.gather(*(removed(number, 0.45 + number * 0.015) for number in range(6)))
    await nobody_left(exchange, network)


async def test_a_telephone_that_does_not_want_to_be_transferred_says_so(exchange, network):
    telephone = await network.telephone(picks_up(refer=Refer(603)))
    await exchange.dial(telephone)
    with pytest.raises(api.SipCallError) as refused:
        await exchange.lk.sip.transfer_sip_participant(
            api.TransferSIPParticipantRequest(
                participant_identity="leg", room_name=exchange.line.room, transfer_to="tel:+15550111"
            )
        )
    assert refused.value.sip_status_code == 603
    assert (await telephone.calls[0].wait_for("REFER", within=2)).about == "tel:+15550111"


async def test_keys_of_the_room_come_to_the_telephone(exchange, network):
    telephone = await network.telephone(ANSWERS)
    await exchange.dial(telephone)
    for code, digit in ((4, "4"), (10, "*")):
        await exchange.watcher.room.local_participant.publish_dtmf(code=code, digit=digit)
    call = await call_of(telephone)
    await until(lambda: call.digits == "4*", within=5, what=lambda: f"4*; it got {call.keys}")


async def test_a_call_that_comes_in_is_answered_by_a_track(line, network):
    call = await network.call_in(line.room, FarEnd(acts=(Tone(900, 0.5), HangUp())))
    await asyncio.sleep(1)
    assert call.answered_at is None
    watcher = await line.caller("watcher")
    await until(lambda: call.answered_at, within=5, what=lambda: f"an answer; seen: {call.signals}")
    await call.over(within=5)
    assert watcher.voice_of("sip_+15550199").seconds_at(900) == pytest.approx(0.5, abs=0.2)


async def test_a_call_that_comes_in_may_be_given_up(line, network):
    call = await network.call_in(line.room, FarEnd(gives_up=0.5))
    await call.over(within=5)
    assert (call.sent("CANCEL"), call.answered_at) != ([], None)
    assert math.isfinite(call.sent("CANCEL")[0].at)
    await line.view.wait_for_participants(line.room, set(), within=5)
