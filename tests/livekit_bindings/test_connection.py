"""The agent's own connection, as LiveKit's client tells of it: how long it may be away, and when it is really back."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from livekit.rtc._proto import stats_pb2

from callflow.livekit_bindings.connection import Connection

UP, DOWN = stats_pb2.ICE_TRANSPORT_CONNECTED, stats_pb2.ICE_TRANSPORT_DISCONNECTED


class Room:
    """A client that tells of its transports."""

    def __init__(self) -> None:
        self.transports = [UP]
        self.error: Exception | None = None
        self.hangs = False

    async def get_rtc_stats(self):
        if self.hangs:
            await asyncio.sleep(1000)
        if self.error is not None:
            raise self.error
        told = [stats_pb2.RtcStats() for _ in [*self.transports, None]]
        for one, state in zip(told, self.transports, strict=False):
            one.transport.transport.ice_state = state
        told[-1].codec.codec.mime_type = "audio/opus"  # what is no transport says nothing of it
        return SimpleNamespace(publisher_stats=told)


class Watched:
    def __init__(self, limit: float | None = 20.0) -> None:
        self.room = Room()
        self.told: list[tuple[float, str]] = []
        self.connection = Connection(self.room, limit, lambda: self._tell("lost"), lambda: self._tell("back"))

    def _tell(self, what):
        self.told.append((asyncio.get_running_loop().time(), what))


@pytest.fixture
async def watched():
    one = Watched()
    yield one
    one.connection.close()


async def test_the_time_counts_from_the_first_word_of_an_outage(watched):
    watched.connection.reconnecting()
    await asyncio.sleep(12)
    watched.connection.reconnecting()
    await asyncio.sleep(100)
    assert watched.told == [(20.0, "lost")]
    assert watched.connection.given_up


async def test_one_that_is_back_in_time_is_not_lost_however_often_it_was_said_to_be_gone(watched):
    for _ in range(3):
        watched.connection.reconnecting()
        await asyncio.sleep(5)
    watched.connection.reconnected()
    await asyncio.sleep(100)
    assert watched.told == [(15.0, "back")]


async def test_it_is_lost_once_whatever_the_client_says_later(watched):
    watched.connection.reconnecting()
    await asyncio.sleep(21)
    watched.connection.reconnecting()
    await asyncio.sleep(100)
    assert watched.told == [(20.0, "lost")]


async def test_one_that_was_never_away_is_not_back(watched):
    watched.connection.reconnected()
    await asyncio.sleep(5)
    assert watched.told == []


async def test_it_is_back_once_also_where_the_client_says_so_twice(watched):
    watched.connection.reconnecting()
    watched.room.transports = [DOWN]
    await asyncio.sleep(1)
    watched.connection.reconnected()
    await asyncio.sleep(1)
    watched.connection.reconnected()
    watched.room.transports = [UP]
    await asyncio.sleep(100)
    assert [what for _, what in watched.told] == ["back"]
    assert not watched.connection.away


async def test_one_that_goes_again_before_its_transport_came_is_not_back(watched):
    """What the client tells of its transport while it makes it anew is of the last one."""
    watched.connection.reconnecting()
    watched.room.transports = [DOWN]
    await asyncio.sleep(2)
    watched.connection.reconnected()
    await asyncio.sleep(1)
    watched.connection.reconnecting()
    watched.room.transports = [UP]
    await asyncio.sleep(100)
    assert watched.told == [(20.0, "lost")]


@pytest.mark.parametrize(
    ("room", "back"),
    [
        ({"transports": [UP]}, True),
        ({"transports": []}, True),
        ({"transports": [UP, DOWN]}, False),
        ({"error": ConnectionError("no such thing")}, True),
        ({"error": TimeoutError()}, False),
        ({"hangs": True}, False),
    ],
    ids=["carries", "tells of none", "one of two", "cannot tell", "does not answer", "hangs"],
)
async def test_what_a_client_tells_is_believed_and_its_silence_is_not(watched, room, back):
    watched.connection.reconnecting()
    vars(watched.room).update(room)
    await asyncio.sleep(1)
    watched.connection.reconnected()
    await asyncio.sleep(100)
    assert watched.told == [(1.0, "back") if back else (20.0, "lost")]


async def test_without_a_limit_it_may_be_away_for_ever():
    watched = Watched(None)
    watched.connection.reconnecting()
    await asyncio.sleep(10_000)
    assert watched.told == []
    watched.connection.reconnected()
    await asyncio.sleep(1)
    assert [what for _, what in watched.told] == ["back"]


@pytest.mark.parametrize("looks", [True, False])
async def test_nothing_comes_of_it_once_nobody_needs_it_any_more(watched, looks):
    watched.connection.reconnecting()
    watched.room.transports = [DOWN]
    if looks:
        watched.connection.reconnected()
    await asyncio.sleep(1)
    watched.connection.close()
    watched.room.transports = [UP]
    await asyncio.sleep(100)
    assert watched.told == []
