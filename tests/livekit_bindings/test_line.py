"""Who is blamed for a far end that is not seen any more."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from livekit import rtc

from callflow.livekit_bindings import vouching
from callflow.livekit_bindings.line import Line

SECRET, ROOM = "a secret of the server", "room"

CALLER = SimpleNamespace(
    identity="caller",
    sid="PA_1",
    kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    name="",
    metadata="",
    attributes={},
    disconnect_reason=None,
)


@pytest.mark.parametrize(
    ("cut_off", "by", "cause"), [(False, "unknown", "vanished"), (True, "network", "out_of_reach")]
)
async def test_a_far_end_that_we_cannot_see_has_not_vanished(cut_off, by, cause):
    told = []
    line = Line(lambda name, data: told.append((name, data)))
    line.joined(CALLER)
    line.cut_off = cut_off
    line.left(CALLER)
    await asyncio.sleep(60)
    assert [name for name, _ in told] == ["call.answered", "call.dropped"]
    line.give_up("far_end")
    name, data = told[-1]
    assert (name, data["by"], data["cause"]) == ("call.hangup", by, cause)


def telephone(identity="sip_1", sid="PA_1", status="dialing", reason=None, **attributes):
    return SimpleNamespace(
        identity=identity,
        sid=sid,
        kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        name="",
        metadata="",
        attributes={"sip.callStatus": status, **attributes},
        disconnect_reason=reason,
    )


@pytest.fixture
def told():
    return []


@pytest.fixture
def line(told):
    line = Line(
        lambda name, data: told.append(name),
        inbound=False,
        dials=True,
        reserved={"human"},
        vouched=lambda fields: vouching.leg_of(SECRET, ROOM, fields),
    )
    yield line
    line.close()


CI = rtc.DisconnectReason.CLIENT_INITIATED


async def test_a_dial_that_returns_when_its_leg_has_left_was_answered_and_is_over(line, told):
    """`active` was never seen."""
    leg = line.expect("far_end", "callflow-1")
    line.joined(telephone("callflow-1", status="ringing"))
    line.left(telephone("callflow-1", reason=CI))
    assert told == ["call.ringing"]
    assert line.answer(leg)
    line.settle(leg)
    await asyncio.sleep(0.1)
    assert told == ["call.ringing", "call.answered", "call.hangup"]
    assert line.over


async def test_the_hangup_gives_way_to_the_result_of_the_dial(line, told):
    leg = line.expect("far_end", "callflow-1")
    line.joined(telephone("callflow-1"))
    line.changed(telephone("callflow-1", status="active"))
    line.changed(telephone("callflow-1", status="hangup"))
    line.left(telephone("callflow-1", status="hangup", reason=CI))
    assert told == ["call.answered"]
    line.settle(leg)
    assert told == ["call.answered"]
    await asyncio.sleep(0.1)
    assert told == ["call.answered", "call.hangup"]


async def test_a_refused_leg_is_nobody_while_it_is_still_seen_beside_its_successor(line, told):
    first = line.expect("far_end", "callflow-1")
    line.settle(first)  # refused before the room has shown it
    second = line.expect("far_end", "callflow-2")
    line.joined(telephone("callflow-1", "PA_1", "ringing"))
    line.joined(telephone("callflow-2", "PA_2"))
    line.changed(telephone("callflow-1", "PA_1", "active"))
    line.left(telephone("callflow-1", "PA_1", reason=CI))
    assert (told, line.leg(), second.status) == ([], second, "absent")
    line.changed(telephone("callflow-2", "PA_2", "active"))
    assert (told, line.identity_of("far_end")) == (["call.answered"], "callflow-2")


def vouched_for(identity, sid, leg, *, secret=SECRET, room=ROOM, of=None):
    attributes = vouching.attributes_of(secret, room, of or identity, leg)
    return telephone(identity, sid, "active", **attributes)


async def test_legs_bear_the_names_of_their_dials(line, told):
    """Also in a process that takes a call up, which has not dialled them itself: their vouchers say so."""
    line.joined(vouched_for("callflow-1", "PA_1", "far_end"))
    line.joined(vouched_for("callflow-2", "PA_2", "human"))
    line.joined(CALLER)
    assert told == ["call.answered", "leg.human.answered", "leg.participant_1.answered"]
    assert [leg.name for leg in line.parties()] == ["far_end", "human", "participant_1"]
    line.left(telephone("callflow-2", "PA_2", "active", reason=CI))
    assert told[3:] == ["leg.human.hangup"]


@pytest.mark.parametrize(
    "forged",
    [
        telephone("sip_1", "PA_1", "active", **{"callflow.leg": "human"}),
        telephone("sip_1", "PA_1", "active", **{"callflow.leg": "human", "callflow.leg.voucher": ""}),
        telephone("sip_1", "PA_1", "active", **{"callflow.leg": "human", "callflow.leg.voucher": "é" * 64}),
        vouched_for("sip_1", "PA_1", "human", secret="another"),
        vouched_for("sip_1", "PA_1", "human", secret=None),
        vouched_for("sip_1", "PA_1", "human", room="another"),
        vouched_for("sip_1", "PA_1", "human", of="callflow-2"),  # as seen on somebody else
    ],
)
@pytest.mark.parametrize("later", [False, True])
async def test_whoever_says_of_itself_that_it_is_a_leg_is_nobody_special(line, told, forged, later):
    if later:
        line.joined(telephone("sip_1", "PA_1", "ringing"))
        line.changed(forged)
    line.joined(forged)
    assert line.leg("human") is None
    assert told[-1] == "leg.participant_1.answered"
    leg = line.expect("human", "callflow-2")
    line.joined(vouched_for("callflow-2", "PA_2", "human"))
    assert (line.leg("human"), told[-1]) == (leg, "leg.human.answered")
    line.left(telephone("sip_1", "PA_1", "active", reason=CI))
    assert leg.on_line


async def test_a_voucher_for_another_name_is_none(line, told):
    """Its name is part of what is vouched for."""
    line.joined(
        telephone(
            "sip_1",
            "PA_1",
            "active",
            **{**vouching.attributes_of(SECRET, ROOM, "sip_1", "far_end"), "callflow.leg": "human"},
        )
    )
    assert told == ["leg.participant_1.answered"]


async def test_who_takes_the_identity_of_a_telephone_is_not_that_telephone(line, told):
    leg = line.expect("human", "callflow-1")
    line.joined(telephone("callflow-1", "PA_1", "active"))
    line.settle(leg)
    line.left(telephone("callflow-1", "PA_1", "active"))
    line.joined(person("callflow-1", "PA_2"))
    assert (told, leg.status) == (["leg.human.answered", "leg.human.dropped"], "dropped")
    line.joined(telephone("callflow-1", "PA_3", "active"))
    assert (told[2:], leg.status) == (["leg.human.restored"], "on_line")


async def test_a_leg_that_comes_by_itself_is_told_by_its_identity(line, told):
    inbound = Line(lambda name, data: told.append(name), told={"boss": "supervisor"}, reserved={"supervisor"})
    inbound.joined(person("boss", "PA_1"))  # also where it comes first, it is not the far end
    inbound.joined(CALLER)
    inbound.joined(person("supervisor", "PA_2"))
    assert told == ["leg.supervisor.answered", "call.answered", "leg.participant_1.answered"]
    assert [inbound.sends_as(identity) for identity in ("boss", "caller", "supervisor", "nobody")] == [
        "supervisor",
        "far_end",
        None,
        None,
    ]
    gone = person("boss", "PA_1")
    gone.disconnect_reason = CI
    inbound.left(gone)
    assert inbound.sends_as("boss") is None
    inbound.joined(person("boss", "PA_3"))
    assert told[3:] == ["leg.supervisor.hangup", "leg.supervisor.answered"]


async def test_who_comes_by_itself_is_there_while_a_call_is_offered(told):
    inbound = Line(lambda name, data: told.append(name), told={"boss": "supervisor"}, offers=True)
    inbound.joined(CALLER)
    inbound.joined(person("boss", "PA_2"))
    assert told == ["call.offered", "leg.supervisor.answered"]


async def test_whoever_comes_is_not_the_far_end_where_the_flow_dials_it(line, told):
    line.joined(CALLER)
    assert (told, line.leg(), line.hears) == (["leg.participant_1.answered"], None, False)


async def test_a_leg_that_has_hung_up_and_does_not_leave_has_hung_up(line, told):
    lingering = []
    line.lingers = lingering.append
    leg = line.expect("far_end", "callflow-1")
    line.joined(telephone("callflow-1", status="active"))
    line.settle(leg)
    line.changed(telephone("callflow-1", status="hangup"))
    assert not line.hears
    await asyncio.sleep(0.2)
    assert (told, lingering) == (["call.answered", "call.hangup"], [leg])
    line.left(telephone("callflow-1", status="hangup", reason=CI))
    assert told == ["call.answered", "call.hangup"]


async def test_a_caller_who_calls_again_from_the_same_number_takes_the_place_of_the_first_call():
    told = []
    line = Line(lambda name, data: told.append(name))
    line.joined(telephone("sip_+1555", "PA_1", "active", **{"sip.callID": "SCL_1"}))
    line.left(telephone("sip_+1555", "PA_1", "active"))
    line.joined(telephone("sip_+1555", "PA_2", "active", **{"sip.callID": "SCL_2"}))
    line.left(telephone("sip_+1555", "PA_1", "active", reason=rtc.DisconnectReason.DUPLICATE_IDENTITY))
    assert told == ["call.answered", "call.dropped", "call.restored"]
    leg = line.leg()
    assert leg is not None
    assert (leg.sid, leg.fields["sip_call_id"]) == ("PA_2", "SCL_2")
    line.close()


def person(identity, sid):
    return SimpleNamespace(**{**vars(CALLER), "identity": identity, "sid": sid})


async def test_whoever_has_the_name_of_a_leg_by_chance_does_not_take_it(line, told):
    """An identity is chosen by whoever gives out tokens, a leg's name by the flow."""
    inbound = Line(lambda name, data: told.append(name))
    inbound.joined(CALLER)
    for number, identity in enumerate(["far_end", "ann.lee", "ann_lee"], start=2):
        inbound.joined(person(identity, f"PA_{number}"))
    stranger = person("far_end", "PA_2")
    stranger.disconnect_reason = CI
    inbound.left(stranger)
    assert told == [
        "call.answered",
        "leg.participant_1.answered",
        "leg.participant_2.answered",
        "leg.participant_3.answered",
        "leg.participant_1.hangup",
    ]
    assert (inbound.status, inbound.identity_of("far_end")) == ("on_line", "caller")
    assert inbound.identity_of("participant_2") == "ann.lee"
    inbound.joined(person("far_end", "PA_9"))
    assert told[5:] == ["leg.participant_1.answered"]  # who comes again has the name that they had


@pytest.mark.parametrize("first", ["stranger", "dial"])
async def test_a_dialled_leg_has_its_name_for_itself(line, told, first):
    if first == "stranger":
        line.joined(person("human", "PA_1"))
    leg = line.expect("human", "callflow-1")
    if first == "dial":
        line.joined(person("human", "PA_1"))
    line.joined(telephone("callflow-1", "PA_2", "active"))
    line.settle(leg)
    stranger = person("human", "PA_1")
    stranger.disconnect_reason = CI
    line.left(stranger)
    assert line.leg("human") is leg
    assert leg.on_line
    assert told[-2:] == ["leg.human.answered", "leg.participant_1.hangup"]


async def test_whoever_publishes_for_an_agent_is_nobody(told):
    line = Line(lambda name, data: told.append(name))
    avatar = person("avatar", "PA_1")
    avatar.attributes = {"lk.publish_on_behalf": "agent-1"}
    line.joined(avatar)
    assert (told, line.status) == ([], "absent")
    line.joined(CALLER)
    assert line.identity_of("far_end") == "caller"


async def test_who_comes_again_after_a_hang_up_is_a_new_leg_and_what_is_seen_of_the_old_one_says_nothing(told):
    line = Line(lambda name, data: told.append(name))
    line.joined(telephone("sip_1", "PA_1", "active"))
    line.left(telephone("sip_1", "PA_1", "active", reason=CI))
    line.joined(telephone("sip_1", "PA_1", "active"))  # LiveKit tells of the same connection once more
    assert told == ["call.answered", "call.hangup"]
    line.joined(telephone("sip_1", "PA_2", "active"))
    assert told == ["call.answered", "call.hangup", "call.answered"]
    line.changed(telephone("sip_1", "PA_1", "hangup"))
    line.left(telephone("sip_1", "PA_1", "hangup", reason=CI))
    await asyncio.sleep(60)
    assert told == ["call.answered", "call.hangup", "call.answered"]
    assert line.hears


async def test_an_answer_to_a_dial_that_was_given_up_is_none_and_is_known(line, told):
    leg = line.expect("far_end", "callflow-1")
    line.joined(telephone("callflow-1", "PA_1", "ringing"))
    line.ask_to_leave(leg)
    line.changed(telephone("callflow-1", "PA_1", "active"))
    assert told == ["call.ringing"]
    assert leg.answered_late
    assert not line.answer(leg)
    assert not line.hears


def gone(reason=None, identity="caller"):
    left = person(identity, "PA_1")
    left.disconnect_reason = reason
    return left


async def test_one_that_has_vanished_may_be_said_to_have_left_twice(told):
    line = Line(lambda name, data: told.append(name))
    line.joined(CALLER)
    line.left(gone())
    line.left(gone())
    await asyncio.sleep(11)
    assert told == ["call.answered", "call.dropped"]
    line.close()


@pytest.mark.parametrize("reason", [None, CI, rtc.DisconnectReason.PARTICIPANT_REMOVED])
async def test_who_leaves_while_the_flow_drops_the_line_was_hung_up_by_the_agent(reason):
    told = []
    line = Line(lambda name, data: told.append((name, data.get("by"))))
    line.joined(CALLER)
    line.dropped_by_us = True
    line.left(gone(reason))
    assert told[1:] == [("call.hangup", "agent")]


async def test_a_deleted_room_is_no_hang_up_of_those_in_it(told):
    """The room itself says so a moment later. Where it does not, they have left."""
    line = Line(lambda name, data: told.append(name))
    line.joined(CALLER)
    line.left(gone(rtc.DisconnectReason.ROOM_DELETED))
    assert not line.hears
    line.down()
    await asyncio.sleep(60)
    assert told == ["call.answered"]

    other = Line(lambda name, data: told.append(name))
    other.joined(CALLER)
    other.left(gone(rtc.DisconnectReason.ROOM_DELETED))
    await asyncio.sleep(60)
    assert told[1:] == ["call.answered", "call.hangup"]


async def test_nobody_comes_to_an_end_by_himself_once_the_line_is_down(told):
    line = Line(lambda name, data: told.append(name))
    line.joined(CALLER)
    line.left(gone())
    line.down(by_us=True)
    line.down()
    await asyncio.sleep(60)
    assert told == ["call.answered", "call.dropped"]
    assert line.dropped_by_us


async def test_a_key_that_no_telephone_has_is_none(told):
    line = Line(lambda name, data: told.append(name))
    line.joined(CALLER)
    for digit in ("5", "#", "A", "x", "", "55"):
        line.pressed(SimpleNamespace(participant=CALLER, digit=digit, code=0))
    line.pressed(SimpleNamespace(participant=None, digit="5", code=5))
    assert told[1:] == ["dtmf.5", "dtmf.pound", "dtmf.a"]
