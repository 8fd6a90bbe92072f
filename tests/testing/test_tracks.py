"""Sound that an agent publishes beside its voice, and who hears it."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc

from callflow.testing import Caller, SimulatedRoom, SimulatedServer
from callflow.testing.spelling import spell

RATE = 48_000


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_music_is_heard_by_those_who_are_subscribed_to_it(server):
    room = SimulatedRoom(server, "desk", "agent")
    await room.connect("", "")
    ann, bob = Caller(server, "desk", "ann"), Caller(server, "desk", "bob")
    for caller in (ann, bob):
        caller.join()
    source, track = room.new_audio_track("music", RATE)
    publication = await room.local_participant.publish_track(track, rtc.TrackPublishOptions())
    await server.api.room.update_subscriptions(
        api.UpdateSubscriptionsRequest(room="desk", identity="bob", track_sids=[publication.sid], subscribe=False)
    )
    samples = spell("la la la", RATE)
    began = server.loop.time()
    for start in range(0, len(samples), RATE // 50):
        piece = samples[start : start + RATE // 50]
        await source.capture_frame(rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece)))
    assert server.loop.time() - began == pytest.approx(0.0, abs=0.05)  # so much waits to be played
    await asyncio.sleep(1)
    assert [sound.text for sound in ann.music] == ["la la la"]
    assert list(bob.music) == []
    assert list(ann.heard) == []


async def test_what_has_not_sounded_when_the_track_ends_is_not_heard(server):
    room = SimulatedRoom(server, "desk", "agent")
    await room.connect("", "")
    ann = Caller(server, "desk", "ann")
    ann.join()
    source, track = room.new_audio_track("music", RATE)
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions())
    samples = spell("abcdefgh", RATE)
    await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples)))

    await asyncio.sleep(0.21)  # four letters
    await source.aclose()
    await asyncio.sleep(1)
    assert [sound.text for sound in ann.music] == ["abcd"]


async def test_a_participant_whose_track_is_taken_away_is_told(server):
    room = SimulatedRoom(server, "desk", "agent")
    await room.connect("", "")
    ann = Caller(server, "desk", "ann")
    ann.join()
    await asyncio.sleep(0.1)
    told = []
    room.on("track_unsubscribed", lambda track, publication, who: told.append(("no", who.identity)))
    room.on("track_subscribed", lambda track, publication, who: told.append(("yes", who.identity)))
    for subscribe in (False, True):
        await server.api.room.update_subscriptions(
            api.UpdateSubscriptionsRequest(
                room="desk", identity="agent", track_sids=list(ann.publications), subscribe=subscribe
            )
        )
        await asyncio.sleep(0.1)
    assert told == [("no", "ann"), ("yes", "ann")]
