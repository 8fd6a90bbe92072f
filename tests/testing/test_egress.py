"""The simulated recorder: the states of a recording, and what is refused."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api
from livekit.protocol.egress import EgressStatus

from callflow.testing import Caller, SimulatedServer

ROOM = "recorded"


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        Caller(server, ROOM).join()
        yield server


async def start(server, room=ROOM):
    return await server.api.egress.start_room_composite_egress(api.RoomCompositeEgressRequest(room_name=room))


async def status(server, egress_id):
    listed = await server.api.egress.list_egress(api.ListEgressRequest(egress_id=egress_id))
    return EgressStatus.Name(listed.items[0].status)


async def stop(server, egress_id):
    return await server.api.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id))


async def test_a_recording_is_started_and_stopped(server):
    info = await start(server)
    assert EgressStatus.Name(info.status) == "EGRESS_STARTING"
    await asyncio.sleep(2)
    assert await status(server, info.egress_id) == "EGRESS_ACTIVE"
    stopped = await stop(server, info.egress_id)
    assert EgressStatus.Name(stopped.status) == "EGRESS_ENDING"
    await asyncio.sleep(1)
    assert await status(server, info.egress_id) == "EGRESS_COMPLETE"
    with pytest.raises(api.ServerError, match="EGRESS_COMPLETE cannot be stopped") as refused:
        await stop(server, info.egress_id)
    assert refused.value.code == "failed_precondition"


async def test_a_recording_ends_with_its_room(server):
    info = await start(server)
    await asyncio.sleep(2)
    server.delete_room(ROOM)
    await asyncio.sleep(1)
    assert await status(server, info.egress_id) == "EGRESS_COMPLETE"
    listed = await server.api.egress.list_egress(api.ListEgressRequest(room_name=ROOM, active=True))
    assert list(listed.items) == []


@pytest.mark.parametrize(
    ("service", "code", "message"),
    [
        ("not_connected", "internal", "egress not connected"),
        ("absent", "unavailable", "no response from servers"),
    ],
)
async def test_there_is_no_recorder(server, service, code, message):
    server.egress.service = service
    with pytest.raises(api.ServerError, match=message) as refused:
        await start(server)
    assert refused.value.code == code


async def test_a_recording_that_comes_to_nothing(server):
    server.egress.service = "fails"
    info = await start(server)
    await asyncio.sleep(2)
    assert await status(server, info.egress_id) == "EGRESS_FAILED"


async def test_what_is_not_there_is_not_recorded(server):
    with pytest.raises(api.ServerError, match="room does not exist"):
        await start(server, "nowhere")
    with pytest.raises(api.ServerError, match="egress does not exist"):
        await stop(server, "EG_1")
