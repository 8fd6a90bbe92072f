"""Row 23: after a no-answer, a lost RTP stream or a kick the agent sits alone in the room: LiveKit closes the session for
three reasons of a departure only (livekit/agents#7253).

In a flow every reason for which a far end can leave is mapped to who ended the call and why, and ends it.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from callflow.livekit_bindings.causes import CAUSES
from tests.guarantees.conftest import GREETING
from tests.support import raw

REASON = rtc.DisconnectReason
BLAMED = {
    REASON.CLIENT_INITIATED: ("caller", "hung_up"),
    REASON.DUPLICATE_IDENTITY: ("caller", "replaced"),
    REASON.SERVER_SHUTDOWN: ("server", "server_shutdown"),
    REASON.PARTICIPANT_REMOVED: ("operator", "removed"),
    REASON.ROOM_DELETED: ("operator", "room_deleted"),
    REASON.STATE_MISMATCH: ("network", "state_mismatch"),
    REASON.JOIN_FAILURE: ("network", "join_failure"),
    REASON.MIGRATION: ("server", "migration"),
    REASON.SIGNAL_CLOSE: ("network", "signal_closed"),
    REASON.ROOM_CLOSED: ("server", "room_closed"),
    REASON.USER_UNAVAILABLE: ("caller", "unavailable"),
    REASON.USER_REJECTED: ("caller", "rejected"),
    REASON.SIP_TRUNK_FAILURE: ("network", "trunk_failure"),
    REASON.CONNECTION_TIMEOUT: ("network", "connection_timeout"),
    REASON.MEDIA_FAILURE: ("network", "media_failure"),
    REASON.AGENT_ERROR: ("agent", "agent_error"),
}


@pytest.mark.parametrize("reason", [REASON.CONNECTION_TIMEOUT, REASON.PARTICIPANT_REMOVED, REASON.MEDIA_FAILURE])
async def test_by_itself_the_session_goes_on_with_nobody(reason):
    async with raw.raw_call(raw.Agent(instructions="x")) as call:
        call.caller.leave(reason)
        await asyncio.sleep(15)
        assert not call.closed
        assert call.job.over is None


def test_every_reason_is_known():
    assert set(CAUSES) == set(REASON.values())
    assert set(BLAMED) == set(REASON.values()) - {REASON.UNKNOWN_REASON}


@pytest.mark.parametrize("reason", BLAMED, ids=REASON.Name)
async def test_a_flow_ends_whatever_the_reason(stage, ended, reason):
    async def leaves(caller):
        await asyncio.sleep(4)
        caller.leave(reason)

    call = stage(model=[GREETING], caller=leaves)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "hung_up"
    detail = record.cause.detail
    assert (record.hung_up_by, detail["cause"]) == BLAMED[reason]
    assert detail["disconnect_reason"] == REASON.Name(reason)
    assert call.heard == GREETING
    assert record.ended - record.cause.time < 3
    ended(call)
