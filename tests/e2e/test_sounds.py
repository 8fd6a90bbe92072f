"""Sounds of a flow, and events that other programs in the room send it, on a real server."""

from __future__ import annotations

import json

import pytest
from livekit import rtc

from tests.e2e.scenarios.sounds import CHIME, MUSIC
from tests.e2e.test_calls import ended

MESSAGE = json.dumps({"event": "app.enough", "data": {"who": "Ann"}})


@pytest.mark.parametrize("how", ["packet", "rpc"])
async def test_music_plays_until_somebody_in_the_room_has_heard_enough(line, how):
    caller = await line.caller()
    job = await line.agent("sounds:music")
    await caller.wait_for_sounds(1, within=20, ended=False)
    agent = next(identity for identity in caller.heard if identity.startswith("agent-"))
    await caller._until(lambda: caller.voice_of(agent).seconds_at(MUSIC) > 2.0, 20, "two seconds of music")
    assert caller.voice_of(agent).seconds_at(CHIME) == pytest.approx(0.5, abs=0.25)
    participant = caller.room.local_participant
    if how == "packet":
        await participant.publish_data("no message at all", topic="callflow")
        await participant.publish_data(MESSAGE, topic="callflow")
    else:
        with pytest.raises(rtc.RpcError, match="who is missing"):
            await participant.perform_rpc(
                destination_identity=agent, method="callflow.send", payload='{"event": "app.enough"}'
            )
        answer = await participant.perform_rpc(destination_identity=agent, method="callflow.send", payload=MESSAGE)
        assert answer == "ok"
    dropped = await caller.dropped(within=20)
    record = await ended(line, job)
    assert (record["outcome"], record["vars"]["who"]) == ("completed", "Ann")
    spoken = caller.voice_of(agent).seconds_at(440)
    assert spoken == pytest.approx(len("Hello." + "Thank you, and goodbye.") * 0.05, abs=0.4)
    assert dropped.at - caller.voice_of(agent).last_sound_at() < 0.6
