"""The simulated room beside the real one: the same acts in both, and what an agent and a caller see of them.

Times are not compared (the simulation has the measured ones), nor the order in which a deleted room falls apart, which
is a race on a real server.
"""

from __future__ import annotations

import asyncio

import pytest
from attrs import define, field
from livekit import api, rtc

import callflow
from callflow.testing import Caller, SimulatedRoom, SimulatedServer, Stage, ToneSTT, ToneTTS, Tool, offline_session
from tests.e2e.scenarios.calls import FLOWS

EVENTS = (
    "participant_connected",
    "participant_disconnected",
    "participant_attributes_changed",
    "track_published",
    "track_subscribed",
    "data_received",
    "sip_dtmf_received",
    "disconnected",
)


@define
class Seen:
    """What an agent's room has told, without times and ids."""

    room: rtc.Room
    events: list[tuple] = field(factory=list)

    def __attrs_post_init__(self):
        for name in EVENTS:
            self.room.on(name, self._noting(name))

    def _noting(self, name):
        def note(*what):
            self.events.append((name, *_plain(name, what)))

        return note


def _plain(name, what):
    if name == "disconnected":
        return (rtc.DisconnectReason.Name(what[0]),)
    if name == "participant_disconnected":
        reason = what[0].disconnect_reason
        return what[0].identity, reason and rtc.DisconnectReason.Name(reason)
    if name == "participant_attributes_changed":
        return dict(what[0]), what[1].identity
    if name == "data_received":
        return what[0].data, what[0].topic, what[0].participant and what[0].participant.identity
    if name == "sip_dtmf_received":
        return what[0].digit, what[0].code, what[0].participant.identity
    return (what[-1].identity,)


class RealCaller:
    def __init__(self, line, identity):
        self.line, self.identity = line, identity
        self.room = rtc.Room()
        self.reason = None
        self.room.on("disconnected", self._dropped)

    def _dropped(self, reason):
        self.reason = reason

    async def join(self):
        token = self.line.server.token(self.line.room, self.identity)
        await self.room.connect(self.line.server.url, token)
        self.source = rtc.AudioSource(48_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self.source)
        await self.room.local_participant.publish_track(
            track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )

    async def hang_up(self):
        await self.room.disconnect()

    async def press(self, digit):
        await self.room.local_participant.publish_dtmf(code=int(digit), digit=digit)

    async def send_data(self, data, topic):
        await self.room.local_participant.publish_data(data, topic=topic)

    async def close(self):
        await self.room.disconnect()
        await self.source.aclose()


class RealSide:
    """A real server, and rooms that are rtc.Room."""

    def __init__(self, line):
        self.line, self.api = line, line.lk
        self.open = []

    async def agent(self):
        room = rtc.Room()
        seen = Seen(room)
        token = self.line.server.token(self.line.room, "agent", kind="agent")
        await room.connect(self.line.server.url, token)
        self.open.append(room.disconnect)
        return seen

    async def caller(self, identity="caller"):
        caller = RealCaller(self.line, identity)
        await caller.join()
        self.open.append(caller.close)
        return caller

    async def close(self):
        for close in reversed(self.open):
            await close()


class SimulatedCaller:
    def __init__(self, caller):
        self.caller = caller

    @property
    def reason(self):
        return self.caller.reason

    async def hang_up(self):
        self.caller.hang_up()

    async def press(self, digit):
        self.caller.press(digit)

    async def send_data(self, data, topic):
        self.caller.send_data(data, topic)


class SimulatedSide:
    def __init__(self, room):
        self.room = room
        self.server = SimulatedServer()
        self.api = self.server.api

    async def agent(self):
        room = SimulatedRoom(self.server, self.room, "agent")
        seen = Seen(room)
        await room.connect("", "")
        return seen

    async def caller(self, identity="caller"):
        caller = Caller(self.server, self.room, identity)
        caller.join()
        await asyncio.sleep(0.05)
        return SimulatedCaller(caller)

    async def close(self):
        self.server.stop()


# -- acts: each is played on both sides


async def leaves(side, name):
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await caller.hang_up()
    return caller


async def is_removed(side, name):
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await side.api.room.remove_participant(api.RoomParticipantIdentity(room=name, identity="caller"))
    return caller


async def loses_the_room(side, name):
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await side.api.room.delete_room(api.DeleteRoomRequest(room=name))
    return caller


async def is_taken_over(side, name):
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await side.caller()
    return caller


async def sees_the_agent_removed(side, name):
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await side.api.room.remove_participant(api.RoomParticipantIdentity(room=name, identity="agent"))
    return caller


async def leaves_a_room_that_ends(side, name):
    await side.api.room.create_room(api.CreateRoomRequest(name=name, departure_timeout=1))
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await caller.hang_up()
    await asyncio.sleep(3)
    return caller


async def sends(side, name):
    caller = await side.caller()
    await asyncio.sleep(0.8)
    await caller.press("5")
    await asyncio.sleep(0.3)
    await caller.send_data(b"hello", "app")
    await asyncio.sleep(0.3)
    request = api.SendDataRequest(room=name, data=b"from the server", topic="app", kind=0, nonce=bytes(16))
    await side.api.room.send_data(request)
    await asyncio.sleep(0.3)
    await side.api.room.update_participant(
        api.UpdateParticipantRequest(room=name, identity="caller", attributes={"sip.callStatus": "active"})
    )
    return caller


async def comes_second(side, name):
    await side.caller("first")
    await asyncio.sleep(0.8)
    return await side.caller("second")


ACTS = [
    leaves,
    is_removed,
    loses_the_room,
    is_taken_over,
    sees_the_agent_removed,
    leaves_a_room_that_ends,
    sends,
    comes_second,
]


async def played(side, act, name):
    try:
        agent = await side.agent() if act is not leaves_a_room_that_ends else None
        if agent is None:
            await side.api.room.create_room(api.CreateRoomRequest(name=name, departure_timeout=1))
            agent = await side.agent()
        caller = await act(side, name)
        await asyncio.sleep(1)
        answers = []
        for ask in (
            lambda: side.api.room.list_participants(api.ListParticipantsRequest(room=name)),
            lambda: side.api.room.get_participant(api.RoomParticipantIdentity(room=name, identity="nobody")),
            lambda: side.api.room.delete_room(api.DeleteRoomRequest(room="there-is-no-such-room")),
        ):
            try:
                answer = await ask()
                answers.append(sorted(p.identity for p in getattr(answer, "participants", [])))
            except api.ServerError as error:
                answers.append((error.code, error.status))
        return list(agent.events), caller.reason, agent.room.isconnected(), answers
    finally:
        await side.close()


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_an_agent_sees_the_same_in_both(line, act):
    real = await played(RealSide(line), act, line.room)
    simulated = await played(SimulatedSide(line.room), act, line.room)
    if act is loses_the_room:  # a race
        known = {("participant_disconnected", "caller", "ROOM_DELETED"), ("disconnected", "ROOM_DELETED")}
        assert set(real[0][3:]) <= known
        real, simulated = (real[0][:3], *real[1:]), (simulated[0][:3], *simulated[1:])
    if real[1] is None:  # a client that leaves by itself is told so in two of three cases only
        simulated = (simulated[0], None, *simulated[2:])
    assert simulated == real


# -- a whole call of a flow


def told(record, reason):
    """What must be the same of a call in both."""
    return {
        "outcome": record["outcome"],
        "cause": (record["cause"]["event"], record["cause"]["by"], record["cause"]["state"]),
        "states": [visit["state"] for visit in record["states"]],
        "effects": [(effect["verb"], effect["status"], effect["tries"]) for effect in record["effects"]],
        "transcript": [(message["role"], message["text"]) for message in record["transcript"]],
        "forced": record["forced"],
        "line": reason,
    }


async def writes_bye(caller):
    await caller.hear()
    caller.send_text("bye")


async def test_a_flow_runs_the_same_call_in_both(line):
    real_caller = await line.caller()
    job = await line.agent("calls:ends_the_call")
    await real_caller.wait_for_sounds(1, within=20)
    await real_caller.write("bye")
    dropped = await real_caller.dropped(within=20)
    await job.note("entrypoint_done", within=10)
    [real] = job.notes("record")

    session = offline_session([Tool("end_call")], tts=ToneTTS(440), stt=ToneSTT({600: "yes"}))
    call = Stage(callflow.load(FLOWS / "desk.yaml"), SimulatedServer(), caller=writes_bye, session=session)
    simulated = (await call.play()).to_json()
    assert told(simulated, rtc.DisconnectReason.Name(call.far_end.reason)) == told(real, dropped.reason)
    assert simulated["seconds"] == pytest.approx(real["seconds"], abs=2.0)
