"""Row 36: the phone rings twice: on LiveKit Cloud the API's client sends a request that failed again, up to three times,
and the server does not know it again (livekit/sip#750, #606).

A flow's dial is sent once. The server of these tests presents a host of LiveKit Cloud: on any other the client never
repeats, and the test could not fail.
"""

from __future__ import annotations

import pytest
from livekit import api

from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import Fault, SimulatedServer
from tests.support.phone import calls, dials, outbound, story
from tests.support.rawphone import raw_phone


@pytest.fixture(autouse=True)
def cloud(monkeypatch):
    monkeypatch.setattr("callflow.testing.server.URL", "https://project.livekit.cloud")


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def invites(calls):
    return sum(len(call.got("INVITE")) for call in calls)


async def test_by_itself_a_request_that_failed_once_is_sent_again():
    async with raw_phone(FAR_ENDS["answers"]) as phone:
        phone.server.faults["CreateSIPParticipant"] = [Fault(500, works=True)]
        await phone.dial()
        assert invites(phone.calls) == 2
        # and the second call, of the same identity, has ended the first one
        assert phone.calls[0].got("BYE")


async def test_by_itself_a_server_that_always_fails_dials_three_times():
    async with raw_phone(FarEnd(1)) as phone:
        phone.server.faults["CreateSIPParticipant"] = [Fault(502, works=True)] * 5
        with pytest.raises(api.ServerError):
            await phone.dial()
        assert invites(phone.calls) == 3


async def test_a_flow_dials_once_and_hears_from_the_room_that_it_was_answered(server):
    server.faults["CreateSIPParticipant"] = [Fault(500, works=True)]
    stage = outbound(server, FAR_ENDS["answers"])
    await stage.play()
    assert invites(calls(stage)) == 1
    assert [method for _, method in server.requests].count("CreateSIPParticipant") == 1
    assert story(stage) == ["call.ringing", "call.answered", "dial.answered"]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_flow_that_is_told_of_a_failure_does_not_dial_again(server, status):
    server.faults["CreateSIPParticipant"] = [Fault(status)]
    stage = outbound(server, FAR_ENDS["answers"])
    await stage.play()
    assert invites(calls(stage)) == 0
    assert [method for _, method in server.requests].count("CreateSIPParticipant") == 1
    assert [dial["result"] for dial in dials(stage)] == ["failed"]
