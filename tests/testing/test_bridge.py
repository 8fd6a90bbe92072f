"""The simulated SIP bridge beside what a real one was measured to do: what the API answers, what the room sees and when,
and what the telephone gets.

The times are those of livekit-sip 1.9.0 behind livekit-server 1.13.5, with the tolerance that they were measured with.
"""

from __future__ import annotations

import asyncio
import math

import pytest
from attrs import define, field
from livekit import api, rtc

from callflow.telephony.bridge import Dial
from callflow.telephony.network import FAR_ENDS, FarEnd, HangUp, PhoneNetwork, Press, Refer, Say, StopRtp, Wait
from callflow.testing import Caller, SimulatedPhone, SimulatedRoom, SimulatedServer
from callflow.testing.job import SimulatedJob

NUMBER, TARGET, ROOM, TRUNK = "+15550123456", "+15550100100", "line", "ST_1"
SOON = pytest.approx


@define
class Lab:
    """A server with one telephone, and somebody in the room who sees what happens there."""

    server: SimulatedServer
    phone: SimulatedPhone
    room: SimulatedRoom
    statuses: list[tuple[float, str]] = field(factory=list)
    left: dict[str, tuple[float, str]] = field(factory=dict)
    digits: list[tuple[str, str]] = field(factory=list)
    began: float = 0.0

    def __attrs_post_init__(self):
        self.room.on("participant_connected", lambda who: self._status(who.attributes))
        self.room.on("participant_attributes_changed", lambda changed, _: self._status(changed))
        self.room.on("participant_disconnected", self._left)
        self.room.on("sip_dtmf_received", lambda key: self.digits.append((key.participant.identity, key.digit)))

    def _status(self, attributes):
        if "sip.callStatus" in attributes:
            self.statuses.append((self.now, attributes["sip.callStatus"]))

    def _left(self, who):
        self.left[who.identity] = (self.now, rtc.DisconnectReason.Name(who.disconnect_reason or 0))

    @property
    def now(self):
        return round(self.server.loop.time() - self.began, 3)

    @property
    def told(self):
        return [status for _, status in self.statuses]

    def request(self, *, to=NUMBER, identity="leg", ring=30.0, wait=True, trunk=TRUNK, limit=None, **options):
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=trunk,
            sip_call_to=to,
            room_name=ROOM,
            participant_identity=identity,
            wait_until_answered=wait,
            **options,
        )
        if ring is not None:
            request.ringing_timeout.FromNanoseconds(round(ring * 1e9))
        if limit is not None:
            request.max_call_duration.FromNanoseconds(round(limit * 1e9))
        return request

    async def dial(self, **options):
        """The answer or the error, and how long it took."""
        self.began = self.server.loop.time()
        try:
            answer = await self.server.api.sip.create_sip_participant(self.request(**options))
        except (api.ServerError, TimeoutError) as error:
            return error, self.now
        return answer, self.now

    async def transfer(self, to=f"tel:{TARGET}", *, identity="leg", ring=None):
        request = api.TransferSIPParticipantRequest(room_name=ROOM, participant_identity=identity, transfer_to=to)
        if ring is not None:
            request.ringing_timeout.FromNanoseconds(round(ring * 1e9))
        began = self.server.loop.time()
        try:
            answer = await self.server.api.sip.transfer_sip_participant(request)
        except api.ServerError as error:
            return error, round(self.server.loop.time() - began, 3)
        return answer, round(self.server.loop.time() - began, 3)

    @property
    def call(self):
        return self.phone.network.call_of(NUMBER)

    def at(self, message):
        """When the telephone got, or sent, its first such message, since the dial."""
        return round(next(one.at for one in self.call.signals if one.message == message) - self.began, 3)

    async def remove(self, identity="leg"):
        await self.server.api.room.remove_participant(api.RoomParticipantIdentity(room=ROOM, identity=identity))

    async def delete(self):
        await self.server.api.room.delete_room(api.DeleteRoomRequest(room=ROOM))

    async def there(self):
        answer = await self.server.api.room.list_participants(api.ListParticipantsRequest(room=ROOM))
        return [one.identity for one in answer.participants]


@pytest.fixture
async def lab():
    async with SimulatedServer() as server:
        network = PhoneNetwork({NUMBER: FarEnd(1.0)}, trunks=frozenset({TRUNK}))
        room = SimulatedRoom(server, ROOM, "agent")
        await room.connect("", "")
        lab = Lab(server, SimulatedPhone(server, network), room)
        yield lab
        await lab.phone.close()


def far(lab, *scripts, **more):
    lab.phone.network.numbers = {NUMBER: scripts[0] if len(scripts) == 1 else list(scripts), **more}


REFUSED = [
    *[(code, "invalid_argument", 400, "USER_REJECTED") for code in (400, 484, 488)],
    *[(code, "permission_denied", 403, "USER_REJECTED") for code in (403, 603, 607, 608)],
    (404, "not_found", 404, "USER_UNAVAILABLE"),
    *[(code, "not_found", 404, "USER_REJECTED") for code in (410, 604)],
    (408, "deadline_exceeded", 408, "USER_UNAVAILABLE"),
    (504, "deadline_exceeded", 408, "CLIENT_INITIATED"),
    (480, "resource_exhausted", 429, "USER_UNAVAILABLE"),
    *[(code, "resource_exhausted", 429, "USER_REJECTED") for code in (486, 600)],
    (487, "aborted", 409, "USER_REJECTED"),
    *[(code, "failed_precondition", 412, "CLIENT_INITIATED") for code in (500, 502, 503)],
]


@pytest.mark.parametrize(("code", "error_code", "status", "reason"), REFUSED)
async def test_a_final_code(lab, code, error_code, status, reason):
    far(lab, FarEnd(0.5, code))
    error, took = await lab.dial()
    assert isinstance(error, api.SipCallError)
    assert (error.code, error.status, error.sip_status_code) == (error_code, status, code)
    assert error.sip_status == FarEnd(code=code).phrase
    assert took == SOON(0.52, abs=0.03)
    await asyncio.sleep(0.1)
    assert lab.told == ["dialing", "ringing"]
    when, why = lab.left["leg"]
    assert why == reason
    assert 0.01 <= when - lab.at(str(code)) <= 0.06
    assert lab.call.messages == ["INVITE", "> 100", "> 180", f"> {code}", "ACK"]
    assert await lab.there() == ["agent"]  # the room stays


@pytest.mark.parametrize("code", [401, 407])
async def test_a_far_end_that_wants_credentials(lab, code):
    far(lab, FarEnd(0.5, code))
    error, _ = await lab.dial()
    assert (error.code, error.status, getattr(error, "sip_status_code", None)) == ("failed_precondition", 412, None)
    await asyncio.sleep(0.1)
    assert lab.left["leg"][1] == "USER_REJECTED"


async def test_a_redirection_is_not_followed(lab):
    far(lab, FarEnd(0.5, 302))
    error, took = await lab.dial()
    assert (error.code, error.sip_status_code, took) == ("not_found", 302, SOON(0.52, abs=0.03))
    await asyncio.sleep(4)
    assert lab.left["leg"] == (SOON(0.53, abs=0.04), "CLIENT_INITIATED")


async def test_a_refusal_at_once_leaves_its_leg_beside_its_successor(lab):
    far(lab, FarEnd(0.02, 486), FarEnd(1.0))
    await lab.dial(identity="first")
    await lab.dial(identity="second")
    assert sorted(await lab.there()) == ["agent", "first", "second"]
    await asyncio.sleep(3)
    assert sorted(await lab.there()) == ["agent", "second"]


@pytest.mark.parametrize(
    ("reach", "ring", "code", "status", "took", "gone"),
    [
        ("nobody", 30.0, "canceled", 408, 30.1, 30.1),
        ("nobody", 60.0, "canceled", 408, 32.1, 32.1),
        ("refused", 30.0, "failed_precondition", 412, 0.06, 2.6),
        ("unknown", 30.0, "invalid_argument", 400, 0.03, 2.6),
    ],
)
async def test_a_telephone_that_is_not_reached(lab, reach, ring, code, status, took, gone):
    far(lab, FarEnd(reach=reach))
    error, seconds = await lab.dial(ring=ring)
    assert type(error) is api.ServerError
    assert (error.code, error.status, error.metadata) == (code, status, {})
    assert seconds == SOON(took, abs=0.1)
    await asyncio.sleep(3)
    assert lab.told == ["dialing"]
    assert lab.left["leg"][0] == SOON(gone, abs=0.3)


async def test_nobody_answers(lab):
    far(lab, FAR_ENDS["no_answer"])
    error, took = await lab.dial(ring=3.0)
    assert type(error) is api.ServerError
    assert (error.code, error.status, error.message, error.metadata) == ("canceled", 408, "sip request timed out", {})
    assert took == SOON(3.03, abs=0.02)
    assert lab.at("CANCEL") == SOON(3.02, abs=0.01)
    await asyncio.sleep(0.1)
    assert lab.left["leg"][1] == "USER_UNAVAILABLE"
    assert lab.call.messages == ["INVITE", "> 100", "> 180", "CANCEL", "> 200", "> 487", "ACK"]


async def test_without_waiting_the_dial_returns_at_once_and_only_the_room_tells(lab):
    far(lab, FarEnd(2.0, 486))
    answer, took = await lab.dial(wait=False)
    assert (answer.participant_identity, answer.room_name, took) == ("leg", ROOM, SOON(0.01, abs=0.01))
    assert answer.sip_call_id
    await asyncio.sleep(3)
    assert (lab.told, lab.left["leg"]) == (["dialing", "ringing"], (SOON(2.04, abs=0.03), "USER_REJECTED"))


async def test_without_waiting_and_without_a_limit_it_rings_for_three_minutes(lab):
    far(lab, FAR_ENDS["no_answer"])
    await lab.dial(wait=False, ring=None)
    await asyncio.sleep(200)
    assert lab.at("CANCEL") == SOON(180, abs=0.1)


async def test_early_media_rings_and_is_not_heard(lab):
    far(lab, FAR_ENDS["early_media"])
    error, _ = await lab.dial()
    assert (error.sip_status_code, lab.told) == (486, ["dialing", "ringing"])
    assert lab.call.sent("183")


async def test_a_hundred_alone_stays_dialing(lab):
    far(lab, FarEnd(1.0, 486, progress=None))
    await lab.dial()
    assert lab.told == ["dialing"]


@pytest.mark.parametrize(
    ("options", "code", "status"),
    [
        ({"trunk": "ST_unknown"}, "not_found", 404),
        ({"to": ""}, "invalid_argument", 400),
        ({"to": "sip:ann@example.com"}, "invalid_argument", 400),
    ],
)
async def test_what_is_refused_before_anything_is_dialled(lab, options, code, status):
    error, took = await lab.dial(**options)
    assert (error.code, error.status, took) == (code, status, SOON(0.003, abs=0.003))
    assert (lab.phone.network.calls, lab.told) == ([], [])


async def test_numbers_are_not_validated(lab):
    far(lab, FarEnd(), **{"abc def": FarEnd(0.5, 486)})
    error, _ = await lab.dial(to="abc def")
    assert error.sip_status_code == 486


async def test_no_common_codec(lab):
    far(lab, FarEnd(1.0, reach="no_codec"))
    error, _ = await lab.dial()
    assert (error.code, error.status, error.message) == ("failed_precondition", 412, "common audio codec not found")


@pytest.mark.parametrize(
    ("act", "reason"), [(Lab.remove, "PARTICIPANT_REMOVED"), (Lab.delete, "ROOM_DELETED")], ids=["remove", "delete"]
)
async def test_a_leg_is_put_out_while_it_rings(lab, act, reason):
    far(lab, FAR_ENDS["no_answer"])
    dialling = asyncio.ensure_future(lab.dial())
    await asyncio.sleep(2.0)
    asked = lab.now
    await act(lab)
    error, took = await dialling
    assert (error.code, error.status, error.metadata) == ("canceled", 408, {})
    assert took - asked == SOON(0.02, abs=0.01)
    assert lab.at("CANCEL") - asked <= 0.005
    await asyncio.sleep(0.1)
    assert lab.left["leg"][1] == reason
    assert lab.told == ["dialing", "ringing"]


async def test_cancelling_the_request_cancels_nothing(lab):
    far(lab, FarEnd(5.0))
    dialling = asyncio.ensure_future(lab.dial())
    await asyncio.sleep(1.0)
    dialling.cancel()
    await asyncio.sleep(5.0)
    assert not lab.call.got("CANCEL")
    assert lab.told == ["dialing", "ringing", "active"]


async def test_a_cancel_that_crosses_the_answer(lab):
    far(lab, FarEnd(math.inf, on_cancel=200))
    dialling = asyncio.ensure_future(lab.dial())
    await asyncio.sleep(1.0)
    await lab.remove()
    error, _ = await dialling
    assert error.code == "canceled"
    assert lab.call.messages[3:] == ["CANCEL", "> 200", "> 200", "ACK", "BYE", "> 200"]


async def test_a_telephone_that_answers_a_cancel_much_later_believes_in_a_call(lab):
    far(lab, FarEnd(math.inf, on_cancel=None, late=7.0))
    error, _ = await lab.dial(ring=3.0)
    assert error.code == "canceled"
    await asyncio.sleep(10)
    assert lab.call.messages[3:] == ["CANCEL", "> 200"]


async def test_the_same_identity_dialled_twice_kills_the_first(lab):
    far(lab, FarEnd(1.0), FarEnd(1.0))
    await lab.dial()
    first = lab.call
    await lab.dial()
    assert first.got("BYE")
    assert not lab.call.got("BYE")
    assert await lab.there() == ["agent", "leg"]


async def test_the_other_leaves_while_it_rings_and_it_rings_on(lab):
    far(lab, FarEnd(5.0))
    dialling = asyncio.ensure_future(lab.dial())
    await asyncio.sleep(1.0)
    await lab.room.disconnect()
    answer, took = await dialling
    assert (answer.participant_identity, took) == ("leg", SOON(5.0, abs=0.1))


@pytest.mark.parametrize("given_up", [0.5, 1.5], ids=["as its leg enters", "while it rings"])
async def test_a_dial_that_is_given_up_goes_on(lab, monkeypatch, given_up):
    """Whoever asked for it has gone: their request ends, and the telephone's call does not."""
    joins = SimulatedPhone.join

    async def slowly(rooms, entry, leg):
        await asyncio.sleep(1)
        return await joins(rooms, entry, leg)

    monkeypatch.setattr(SimulatedPhone, "join", slowly)
    dialling = asyncio.create_task(lab.phone.bridge.dial(Dial(NUMBER, ROOM, TRUNK, "leg", wait=True)))
    await asyncio.sleep(given_up)
    dialling.cancel()
    await asyncio.sleep(4)
    assert dialling.cancelled()
    assert lab.told == ["dialing", "ringing", "active"]


# -- answered


async def test_an_answer(lab):
    far(lab, FarEnd(1.0))
    answer, took = await lab.dial(participant_attributes={"callflow.leg": "desk"}, participant_name="Ann")
    assert took == SOON(1.02, abs=0.03)
    await asyncio.sleep(0.1)
    assert lab.told == ["dialing", "ringing", "active"]
    [leg] = lab.room.remote_participants.values()
    assert (leg.kind, leg.name, leg.sid) == (rtc.ParticipantKind.PARTICIPANT_KIND_SIP, "Ann", answer.participant_id)
    assert leg.attributes["sip.callID"] == answer.sip_call_id
    assert {**leg.attributes} | {
        "callflow.leg": "desk",
        "sip.callStatus": "active",
        "sip.phoneNumber": NUMBER,
        "sip.trunkID": TRUNK,
    } == {**leg.attributes}
    assert {"sip.hostname", "sip.callIDFull", "sip.callTag"} <= leg.attributes.keys()


async def test_the_far_end_hangs_up(lab):
    far(lab, FarEnd(1.0, hangs_up=5.0))
    await lab.dial()
    await asyncio.sleep(10)
    assert lab.told == ["dialing", "ringing", "active", "hangup"]
    when, why = lab.left["leg"]
    assert (why, when - lab.at("BYE")) == ("CLIENT_INITIATED", SOON(0.03, abs=0.015))
    assert await lab.there() == ["agent"]


async def test_a_dial_that_returns_may_be_over(lab):
    far(lab, FAR_ENDS["hangs_up_at_once"])
    _, took = await lab.dial()
    assert lab.at("BYE") < took
    assert lab.told == ["dialing", "ringing", "active", "hangup"]
    assert "leg" in await lab.there()
    await asyncio.sleep(4)
    assert lab.left["leg"][0] - lab.at("BYE") == SOON(2.5, abs=0.4)


async def test_a_ghost_stays_until_it_is_removed(lab):
    far(lab, FarEnd(1.0, hangs_up=0.02, ghost=True))
    await lab.dial()
    await asyncio.sleep(60)
    assert "leg" in await lab.there()
    await lab.remove()
    assert await lab.there() == ["agent"]


@pytest.mark.parametrize(
    ("script", "bye"),
    [(FarEnd(1.0, rtp=False), 31.0), (FarEnd(1.0, acts=(Wait(5.0), StopRtp())), 21.0)],
    ids=["never starts", "stops"],
)
async def test_rtp_that_does_not_come(lab, script, bye):
    far(lab, script)
    await lab.dial()
    await asyncio.sleep(40)
    assert lab.at("BYE") == SOON(bye, abs=0.1)
    assert lab.told[-1] == "active"
    assert lab.left["leg"][1] == "CLIENT_INITIATED"


async def test_the_limit_of_a_call_counts_from_the_dial(lab):
    far(lab, FarEnd(1.0))
    await lab.dial(limit=3.0)
    await asyncio.sleep(5)
    assert lab.at("BYE") == SOON(3.2, abs=0.25)
    assert (lab.told[-1], lab.left["leg"][1]) == ("hangup", "CLIENT_INITIATED")


async def test_the_limit_of_a_call_while_it_rings(lab):
    far(lab, FAR_ENDS["no_answer"])
    error, took = await lab.dial(limit=3.0)
    assert (error.code, error.metadata, took) == ("canceled", {}, SOON(3.03, abs=0.1))


async def test_keys_after_the_answer(lab):
    far(lab, FarEnd(1.0))
    _, took = await lab.dial(dtmf="12w#")
    assert took == SOON(3.1, abs=0.15)
    await asyncio.sleep(0.1)
    assert lab.told == ["dialing", "ringing", "automation", "active"]
    assert lab.call.digits == "12#"


@pytest.mark.parametrize(
    ("act", "reason"), [(Lab.remove, "PARTICIPANT_REMOVED"), (Lab.delete, "ROOM_DELETED")], ids=["remove", "delete"]
)
async def test_a_leg_is_put_out(lab, act, reason):
    await lab.dial()
    await asyncio.sleep(2.0)
    asked = lab.now
    await act(lab)
    await asyncio.sleep(0.1)
    assert lab.at("BYE") - asked <= 0.01
    assert (lab.told[-1], lab.left["leg"][1]) == ("active", reason)


async def test_a_leg_outlives_everybody(lab):
    await lab.dial()
    await lab.room.disconnect()
    await asyncio.sleep(55)
    assert not lab.call.got("BYE")
    assert await lab.there() == ["leg"]


async def test_a_far_end_that_never_answers_our_bye(lab):
    far(lab, FarEnd(1.0, answers_bye=False))
    await lab.dial(limit=3.0)
    await asyncio.sleep(10)
    assert "leg" in await lab.there()  # LiveKit itself has hung up
    await lab.remove()
    assert await lab.there() == ["agent"]
    await lab.dial(identity="other")
    began = lab.server.loop.time()
    await lab.delete()
    assert lab.server.loop.time() - began < 0.016


async def test_the_node_dies(lab):
    far(lab, FAR_ENDS["bridge_dies"])
    await lab.dial()
    await asyncio.sleep(6)
    died = 4.0 + 5.0
    await lab.room.local_participant.publish_dtmf(code=1, digit="1")
    await asyncio.sleep(30)
    assert not lab.call.got("BYE")
    assert lab.call.digits == ""
    when, why = lab.left["leg"]
    assert (when - died, why, lab.told[-1]) == (SOON(20.7, abs=0.5), "CONNECTION_TIMEOUT", "active")
    error, took = await lab.dial(identity="next")
    assert (error.code, error.status, took) == ("unavailable", 503, SOON(2.0, abs=0.1))
    assert "no response from servers" in error.message


@pytest.mark.parametrize(
    ("service", "code", "status", "message", "took"),
    [
        ("absent", "unavailable", 503, "no response from servers", 2.0),
        ("exhausted", "unavailable", 503, "cpu exhausted", 0.002),
        ("fails", "internal", 500, "internal error", 0.002),
    ],
)
async def test_the_service_fails_and_nothing_is_dialled(lab, service, code, status, message, took):
    far(lab, FarEnd(service=service), FarEnd(1.0))
    error, seconds = await lab.dial()
    assert (error.code, error.status, error.message, seconds) == (code, status, message, SOON(took, abs=0.01))
    assert (lab.phone.network.calls, lab.told) == ([], [])
    answer, _ = await lab.dial()
    assert answer.participant_identity == "leg"


async def test_a_service_that_hangs_is_left_by_its_client(lab):
    far(lab, FarEnd(service="hangs"))
    error, took = await lab.dial(ring=10.0)
    assert (type(error), took) == (TimeoutError, SOON(12.0, abs=0.1))


async def test_a_server_without_telephony():
    async with SimulatedServer() as server:
        with pytest.raises(api.ServerError, match="sip not connected"):
            await server.api.sip.create_sip_participant(api.CreateSIPParticipantRequest(room_name=ROOM))


# -- keys and sound


async def test_keys_go_to_every_telephone_that_is_on_the_line(lab):
    far(lab, FarEnd(1.0), FarEnd(1.0), FarEnd(math.inf))
    for identity in ("one", "two"):
        await lab.dial(identity=identity)
    await lab.dial(identity="three", wait=False)
    await asyncio.sleep(1.0)
    began = lab.server.loop.time()
    for code, digit in ((1, "1"), (12, "a"), (99, "x")):
        await lab.room.local_participant.publish_dtmf(code=code, digit=digit)
    assert lab.server.loop.time() == began
    await asyncio.sleep(3)
    one, two, three = lab.phone.network.calls
    assert [one.digits, two.digits, three.digits] == ["1a", "1a", ""]
    assert [when - began for when, _ in one.keys] == SOON([0.56, 1.1], abs=0.02)


async def test_a_key_of_one_telephone_is_relayed_to_the_others(lab):
    far(lab, FarEnd(1.0, acts=(Wait(2.0), Press("5#"))), FarEnd(1.0))
    await lab.dial(identity="one")
    await lab.dial(identity="two")
    await asyncio.sleep(5)
    one, two = lab.phone.network.calls
    assert lab.digits == [("one", "5"), ("one", "#")]
    assert (one.digits, two.digits) == ("", "5#")


async def test_who_hears_whom_is_set_leg_by_leg(lab):
    far(lab, FarEnd(1.0), FarEnd(1.0))
    for identity in ("one", "two"):
        await lab.dial(identity=identity)
    one, two = lab.phone.legs["one"], lab.phone.legs["two"]

    async def hears(listener, subscribe):
        await lab.server.api.room.update_subscriptions(
            api.UpdateSubscriptionsRequest(
                room=ROOM, identity=listener, track_sids=[*one.publications, *two.publications], subscribe=subscribe
            )
        )

    await asyncio.sleep(0.1)
    await one.say("first")
    await asyncio.sleep(0.1)
    await hears("two", False)
    await asyncio.sleep(0.1)
    await one.say("second")
    await two.say("answer")
    await hears("two", True)
    await asyncio.sleep(0.1)
    await one.say("third")
    await asyncio.sleep(0.5)
    assert [sound.text for sound in two.heard_from("one")] == ["first", "third"]
    assert [sound.text for sound in one.heard_from(two)] == ["answer"]


async def test_nothing_is_heard_before_the_answer(lab):
    far(lab, FarEnd(3.0, acts=(Wait(1.0), Say("hello"))))
    other = Caller(lab.server, ROOM, "other")
    other.join()
    await lab.dial(wait=False)
    await asyncio.sleep(1.0)
    await other.say("too early")
    await asyncio.sleep(4.0)
    await other.say("now")
    await asyncio.sleep(1.0)
    assert [sound.text for sound in lab.phone.legs["leg"].heard_from("other")] == ["now"]
    assert [sound.text for sound in other.heard_from("leg")] == ["hello"]


# -- a transfer


async def answered(lab, refer):
    far(lab, FarEnd(1.0, refer=refer), **{TARGET: FarEnd(2.0)})
    await lab.dial()
    await asyncio.sleep(0.5)


@pytest.mark.parametrize("notify", [200, "target"])
async def test_a_transfer(lab, notify):
    await answered(lab, Refer(notify=notify))
    answer, took = await lab.transfer()
    assert (answer.ByteSize(), took) == (0, SOON(2.0 if notify == "target" else 0.3, abs=0.1))
    asked = lab.now
    await asyncio.sleep(2)
    assert lab.at("BYE") - asked == SOON(1.0, abs=0.05)
    assert (lab.told[-1], lab.left["leg"][1]) == ("hangup", "CLIENT_INITIATED")
    assert lab.call.got("REFER")[0].about == f"tel:{TARGET}"
    assert await lab.there() == ["agent"]


async def test_a_transfer_whose_telephone_hangs_up_once_it_has_accepted(lab):
    await answered(lab, Refer(notify=None, bye_after=1.0))
    answer, took = await lab.transfer()
    assert (answer.ByteSize(), took) == (0, SOON(1.0, abs=0.1))


async def test_a_transfer_whose_room_is_deleted_once_it_was_accepted(lab):
    await answered(lab, Refer(notify=None))
    lab.server.loop.call_later(1.0, lab.server.delete_room, ROOM)
    answer, took = await lab.transfer()
    assert (answer.ByteSize(), took) == (0, SOON(1.0, abs=0.1))


@pytest.mark.parametrize(
    ("refer", "code"),
    [
        *[(Refer(status=code), code) for code in (603, 405)],
        *[(Refer(notify=code), code) for code in (486, 480, 603, 503)],
    ],
)
async def test_a_transfer_that_is_refused(lab, refer, code):
    await answered(lab, refer)
    error, _ = await lab.transfer()
    assert isinstance(error, api.SipCallError)
    assert (error.sip_status_code, error.sip_transfer_reason) == (code, None)
    await asyncio.sleep(5)
    assert (lab.told[-1], await lab.there()) == ("active", ["agent", "leg"])


@pytest.mark.parametrize(
    ("refer", "gone"),
    [(Refer(status=None), False), (Refer(notify=None), False), (Refer(status=None, bye_after=1.0), True)],
    ids=["no answer", "no NOTIFY", "BYE while unanswered"],
)
@pytest.mark.parametrize(("ring", "within"), [(None, 30.0), (5.0, 5.0)])
async def test_a_transfer_of_which_nothing_is_heard(lab, refer, gone, ring, within):
    await answered(lab, refer)
    error, took = await lab.transfer(ring=ring)
    assert type(error) is api.ServerError
    assert (error.code, error.status, took) == ("deadline_exceeded", 408, SOON(within, abs=0.1))
    assert ("leg" not in await lab.there()) == gone


async def test_a_stale_notify_fails_the_next_transfer(lab):
    await answered(lab, Refer(notify=486, after=6.0))
    error, _ = await lab.transfer(ring=5.0)
    assert error.code == "deadline_exceeded"
    error, took = await lab.transfer(ring=5.0)
    assert (error.sip_status_code, took) == (486, SOON(1.0, abs=0.1))


async def test_a_notify_after_the_deadline_is_ignored(lab):
    await answered(lab, Refer(notify=200, after=6.0))
    await lab.transfer(ring=5.0)
    await asyncio.sleep(10)
    assert not lab.call.got("BYE")


@pytest.mark.parametrize(
    ("to", "identity", "code", "status"),
    [
        (TARGET, "leg", "invalid_argument", 400),
        (f"tel:{TARGET}", "nobody", "not_found", 404),
        (f"tel:{TARGET}", "agent", "invalid_argument", 400),
    ],
)
async def test_a_transfer_that_cannot_be(lab, to, identity, code, status):
    await answered(lab, Refer())
    error, took = await lab.transfer(to, identity=identity)
    assert (error.code, error.status) == (code, status)
    assert took < 0.1


async def test_a_transfer_that_is_asked_for_while_it_rings_waits_for_the_answer(lab):
    far(lab, FarEnd(5.0, refer=Refer(notify=200)))
    await lab.dial(wait=False)
    _, took = await lab.transfer()
    assert took == SOON(5.3, abs=0.1)
    assert lab.at("REFER") == SOON(5.0, abs=0.1)


# -- calls to us


def agent_publishes(lab):
    lab.room.simulated_participant.publish("voice", rtc.TrackSource.SOURCE_MICROPHONE)


async def test_a_call_is_answered_when_somebody_publishes_a_track(lab):
    telephone = await lab.phone.call_in(ROOM, FarEnd(), attributes={"sip.h.X-Account": "7"})
    await asyncio.sleep(10)
    assert lab.told == ["ringing"]
    assert lab.statuses[0][0] == SOON(0.02, abs=0.02)
    began = lab.server.loop.time()
    agent_publishes(lab)
    await asyncio.sleep(0.5)
    assert lab.told == ["ringing", "active"]
    [answer] = telephone.call.got("200")
    assert answer.at - began == SOON(0.05, abs=0.02)
    leg = lab.room.remote_participants["sip_+15550199"]
    assert leg.attributes["sip.h.X-Account"] == "7"
    assert {"sip.trunkID", "sip.ruleID", "sip.trunkPhoneNumber", "sip.phoneNumber"} <= leg.attributes.keys()


async def test_a_call_to_a_room_with_a_track_is_answered_at_once(lab):
    agent_publishes(lab)
    telephone = await lab.phone.call_in(ROOM, FarEnd())
    await asyncio.sleep(0.1)
    assert telephone.call.got("200")[0].at == SOON(0.04, abs=0.03)


@pytest.mark.parametrize(("limit", "at"), [(None, 180.0), (20.0, 20.0)])
async def test_nobody_answers_a_call(lab, limit, at):
    telephone = await lab.phone.call_in(ROOM, FarEnd(), ringing_timeout=limit)
    await asyncio.sleep(200)
    assert telephone.call.got("486")[0].at == SOON(at, abs=0.1)
    assert not telephone.on_line


@pytest.mark.parametrize("act", [Lab.delete, lambda lab: lab.remove("sip_+15550199")], ids=["delete", "remove"])
async def test_a_call_is_rejected_by_putting_it_out(lab, act):
    telephone = await lab.phone.call_in(ROOM, FarEnd())
    await asyncio.sleep(1.0)
    asked = lab.server.loop.time()
    await act(lab)
    await asyncio.sleep(0.1)
    assert telephone.call.got("486")[0].at - asked <= 0.006
    assert not telephone.on_line


async def test_who_calls_gives_up(lab):
    telephone = await lab.phone.call_in(ROOM, FarEnd(gives_up=3.0))
    await asyncio.sleep(4)
    assert telephone.call.messages == ["> INVITE", "180", "> CANCEL", "200", "487", "> ACK"]
    assert lab.told == ["ringing", "hangup"]
    assert lab.left["sip_+15550199"] == (SOON(3.05, abs=0.04), "CLIENT_INITIATED")


async def test_who_calls_hangs_up_while_it_rings(lab):
    telephone = await lab.phone.call_in(ROOM, FarEnd())
    await asyncio.sleep(1)
    telephone.hang_up()
    await asyncio.sleep(1)
    assert telephone.call.messages == ["> INVITE", "180", "> CANCEL", "200", "487", "> ACK"]
    assert lab.told == ["ringing", "hangup"]


async def test_who_is_called_hangs_up_while_it_rings(lab):
    far(lab, FAR_ENDS["no_answer"])
    dialling = asyncio.ensure_future(lab.dial())
    await asyncio.sleep(1)
    lab.phone.legs["leg"].hang_up()
    error, took = await dialling
    assert (error.sip_status_code, took) == (603, SOON(1.0, abs=0.05))


@pytest.mark.parametrize("returns_after", [0.0, 0.035])
async def test_the_return_of_a_dial_and_active_come_in_any_order(lab, returns_after):
    lab.phone.bridge.returns_after = returns_after
    _, took = await lab.dial()
    await asyncio.sleep(0.1)
    active = next(at for at, status in lab.statuses if status == "active")
    assert (took < active) == (returns_after == 0.0)


async def test_who_calls_hangs_up(lab):
    agent_publishes(lab)
    await lab.phone.call_in(ROOM, FarEnd(acts=(Wait(2.0), HangUp())))
    await asyncio.sleep(4)
    assert lab.told == ["ringing", "active", "hangup"]
    assert lab.left["sip_+15550199"][1] == "CLIENT_INITIATED"


async def test_the_same_caller_twice_in_one_room_kicks_the_first(lab):
    agent_publishes(lab)
    first = await lab.phone.call_in(ROOM, FarEnd())
    await asyncio.sleep(1)
    await lab.phone.call_in(ROOM, FarEnd())
    await asyncio.sleep(1)
    assert first.call.got("BYE")
    assert await lab.there() == ["agent", "sip_+15550199"]


async def test_a_session_that_starts_answers_the_telephone(lab):
    """RoomIO publishes the agent's voice."""
    from livekit.agents import Agent

    from callflow.testing import offline_session

    async def entrypoint(ctx):
        await ctx.connect()
        await offline_session(["Good day."]).start(Agent(instructions="x"), room=ctx.room)
        await asyncio.sleep(3)
        ctx.shutdown("done")

    telephone = await lab.phone.call_in("desk", FarEnd())
    await asyncio.sleep(5)
    assert not telephone.call.got("200")
    await SimulatedJob(lab.server, entrypoint, room="desk").run()
    assert telephone.call.got("200")
