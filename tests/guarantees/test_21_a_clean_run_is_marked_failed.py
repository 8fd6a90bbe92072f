"""Row 21: a clean run is marked failed, since the server's word for an agent that leaves is AGENT_LEFT_ROOM, and the
reasons of a room that ends are a race (livekit/livekit#4447).

The outcome of a flow's call is its own: what the flow said and did, whatever reason the server gives for the end.
"""

from __future__ import annotations

import pytest
from livekit import rtc

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GOODBYE, GREETING


@pytest.mark.parametrize("room_first", [False, True], ids=["participant first", "room first"])
@pytest.mark.parametrize("reason", rtc.DisconnectReason.keys())
async def test_a_flow_says_itself_what_became_of_its_call(stage, server, ended, monkeypatch, reason, room_first):
    server.room_first = room_first
    close_room = server.close_room
    monkeypatch.setattr(
        type(server), "close_room", lambda self, state, _: close_room(state, rtc.DisconnectReason.Value(reason))
    )
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by, record.cause.event) == ("completed", "agent", "delete_room")
    assert (record.forced, record.fault, record.error) == ((), None, None)
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.job.reason in ("completed", "room disconnected")
    ended(call)
