"""Row 8: the room is deleted, and the phone is still connected: the BYE was lost, or slow (livekit/sip#316, #112).

In a flow the server is asked who is left; a telephone that is still there is removed, and one that stays is in the
record. One that comes back, for want of LiveKit's word that the room is gone, finds it deleted again.
"""

from __future__ import annotations

import asyncio
import functools
from unittest import mock

import pytest
from livekit import api, rtc

from callflow.telephony.network import FAR_ENDS
from callflow.testing import Fault, SimulatedServer
from tests.support.phone import OUTBOUND, calls, outbound, rings_on
from tests.support.rawphone import raw_phone


class Sticky(SimulatedServer):
    """Deletes a room, and its telephones do not notice: they are in a room of that name."""

    def delete_room(self, name):
        state = self.rooms.get(name)
        sip = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        staying = [member for member in state.members.values() if member.info.kind == sip] if state else []
        for member in staying:
            del state.members[member.identity]
        gone = super().delete_room(name)
        for member in staying:
            member._state = self.join(name, member)  # its connection was never cut
        return gone


class Returning(SimulatedServer):
    """Those of this kind take a deleted room for a broken connection, and come back: they make the room anew."""

    def __init__(self, after, kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP):
        super().__init__()
        self.after, self.kind = list(after), kind

    def delete_room(self, name):
        members = dict(self.rooms[name].members) if name in self.rooms and self.after else {}
        for identity in [one for one, member in members.items() if member.info.kind == self.kind]:
            del self.rooms[name].members[identity]
            self.loop.call_later(self.after.pop(0), self._again, name, members[identity])
        return super().delete_room(name)

    def _again(self, name, member):
        member._state = self.join(name, member)


@pytest.fixture
async def server():
    async with Sticky() as server:
        yield server


async def test_by_itself_nobody_looks_whether_the_telephone_has_left():
    async with raw_phone(FAR_ENDS["answers"], Sticky()) as raw:
        await raw.dial()
        await raw.job.ctx.delete_room("room")
        assert await raw.job.ctx.api.room.list_participants(api.ListParticipantsRequest(room="room"))
        assert "phone" in raw.server.rooms["room"].members
        assert rings_on(raw.calls[0])


async def test_a_flow_removes_it(server):
    stage = outbound(server, FAR_ENDS["answers"])
    record = await stage.play()
    [call] = calls(stage)
    assert not rings_on(call)
    assert call.messages[-2:] == ["BYE", "> 200"]
    assert any("was still there after its room was deleted, and was removed" in note for note in record.notes)


@pytest.mark.parametrize("fault", [Fault(500), Fault(seconds=60)])
async def test_a_flow_that_cannot_remove_it_says_so_and_ends(server, fault):
    server.faults["RemoveParticipant"] = [fault] * 50
    stage = outbound(server, FAR_ENDS["answers"])
    record = await stage.play()
    assert any("could not be confirmed" in note for note in record.notes)
    assert record.seconds < 55
    assert stage.job.over is not None


async def test_the_bye_waits_for_nothing_of_this(server):
    """The question comes after it, and is bounded."""
    server.faults["ListParticipants"] = [Fault(seconds=60)] * 5
    stage = outbound(server, FAR_ENDS["answers"])
    record = await stage.play()
    deletion = next(effect for effect in record.effects if effect.verb == "delete_room")
    asked = [at for at, method in server.requests if method == "ListParticipants"]
    deleted = [at for at, method in server.requests if method == "DeleteRoom"]
    assert deleted[0] < asked[0]
    assert deletion.status == "ok"
    assert deletion.seconds < 2.2


async def test_by_itself_a_telephone_that_came_back_stays():
    async with raw_phone(FAR_ENDS["answers"], Returning([0.37])) as raw:
        await raw.dial()
        await raw.job.ctx.delete_room("room")
        await asyncio.sleep(60)
        assert list(raw.server.rooms["room"].members) == ["phone"]
        assert rings_on(raw.calls[0])


@pytest.mark.parametrize("after", [[0.02], [0.37], [0.9], [1.9], [0.37, 0.2]])
async def test_a_flow_deletes_the_room_again_for_one_that_comes_back(after):
    async with Returning(after) as server:
        stage = outbound(server, FAR_ENDS["answers"])
        record = await stage.play()
        [call] = calls(stage)
        assert not rings_on(call)
        assert server.rooms == {}
        assert stage.job.over is not None
        assert record.cause.event == "delete_room"


async def test_an_agent_that_came_back_itself_leaves_no_room():
    """A room that everybody has left stays for 20 s."""
    async with Returning([0.37], kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT) as server:
        flow = OUTBOUND + "python: {report: {}}\nwrap_up: [{python: report}]\n"
        actions = {"report": functools.partial(asyncio.sleep, 2)}
        await outbound(server, FAR_ENDS["answers"], flow, options={"actions": actions}).play()
        assert server.rooms == {}
        assert [method for _, method in server.requests].count("DeleteRoom") == 2


async def test_nobody_is_looked_for_where_the_worker_closes():
    """Its time is short."""
    async with Returning([0.37]) as server:
        stage = outbound(server, FAR_ENDS["answers"])
        asyncio.get_running_loop().call_later(4, stage.job.request_shutdown)
        await stage.play()
        assert [method for _, method in server.requests].count("ListParticipants") == 1


class Busy(Returning):
    """A machine with no time: whoever is told that the room is gone is told a second late."""

    def close_room(self, state, reason):
        with mock.patch("callflow.testing.server.NOTICED", 1.0):
            super().close_room(state, reason)


@pytest.mark.parametrize("after", [5.0, 25.0])
async def test_where_the_word_comes_late_somebody_may_come_back_late(after):
    """Past the end of the call, and of the 2 s that are looked as a rule."""
    async with Busy([after]) as server:
        stage = outbound(server, FAR_ENDS["answers"])
        record = await stage.play()
        assert not rings_on(calls(stage)[0])
        assert server.rooms == {}
        assert record.cause.event == "delete_room"
