"""At most one INVITE, whatever the server says: each dial is sent once.

On 127.0.0.1 livekit-api never repeats a request, so nothing could fail here: both sides are made to think that they talk
to LiveKit Cloud. The server does what it was asked, and answers that it did not, once.
"""

from __future__ import annotations

import pytest
from livekit import api
from livekit.api import twirp_client

from callflow.telephony.network import Wait
from tests.e2e.phone.calling import Outbound
from tests.e2e.phone.far_ends import picks_up, refuses
from tests.e2e.phone.network import until
from tests.e2e.proxy import fails
from tests.e2e.scenarios import on_cloud
from tests.e2e.server import KEY, SECRET

DIAL = "livekit.SIP/CreateSIPParticipant"


def invites(telephone):
    return sum(len(call.got("INVITE")) for call in telephone.calls)


async def calls(line, network, script):
    """An agent calls a telephone, on what it takes for LiveKit Cloud."""
    telephone = await network.telephone(script)
    given = {"number": telephone.number, "trunk": telephone.trunk}
    return Outbound(line, network, await line.agent("on_cloud:call", flow="reminder.yaml", vars=given), telephone)


async def test_by_itself_the_client_dials_again(line, network, proxy, monkeypatch):
    monkeypatch.setattr(twirp_client, "failover_attempts", on_cloud.attempts)
    telephone = await network.telephone(refuses(486))
    asked = api.CreateSIPParticipantRequest(
        sip_trunk_id=telephone.trunk, sip_call_to=telephone.number, room_name=line.room, wait_until_answered=True
    )
    async with api.LiveKitAPI(proxy.url.replace("ws", "http"), KEY, SECRET) as lk:
        with proxy.answering(DIAL, fails(500, times=1, done=True)), pytest.raises(api.SipCallError):
            await lk.sip.create_sip_participant(asked)
    await until(lambda: invites(telephone) == 2, within=2, what=lambda: f"two INVITEs; seen: {telephone.calls}")


async def test_a_flow_whose_dial_was_refused_dials_once(line, network, proxy):
    with proxy.answering(DIAL, fails(500, times=1, done=True)):
        out = await calls(line, network, refuses(486))
        record = await out.record(within=40)
    assert invites(out.telephone) == 1
    assert record["outcome"] == "declined"  # the code is lost with the answer: what the room saw is left
    assert len(proxy.calls(DIAL, line.room)) == 1


async def test_a_flow_whose_dial_was_answered_dials_once_and_talks(line, network, proxy):
    with proxy.answering(DIAL, fails(500, times=1, done=True)):
        out = await calls(line, network, picks_up(acts=(Wait(0.5),)))
        record = await out.record(within=40)
    assert invites(out.telephone) == 1
    assert record["outcome"] == "completed"
    assert out.events() == ["call.ringing", "call.answered", "dial.answered"]


async def test_a_flow_whose_dial_failed_before_anything_was_dialled_does_not_dial(line, network, proxy):
    with proxy.answering(DIAL, fails(500, times=1)):
        out = await calls(line, network, picks_up())
        record = await out.record(within=40)
    assert out.telephone.calls == []
    assert record["outcome"] == "failed"
    assert out.events() == ["dial.failed"]
