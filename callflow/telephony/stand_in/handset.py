"""A telephone for a person: any LiveKit client that joins the handset's own room picks it up, and hangs up by leaving.

The handset's room is beside the calls' rooms, and the sound is carried between the two, so that agents meet a telephone
like any other: of kind SIP, ringing first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
from attrs import define, field
from livekit import api, rtc

from callflow.telephony.bridge import BridgeLeg
from callflow.telephony.stand_in.rooms import FRAME, LATE, RATE, SIZE, Place, RoomLeg, Samples

EXCHANGE, PERSON = "callflow-phone", "you"
BUSY = 486
NOBODY = "nobody, since this is a telephone and no call"
"""Named as the room's agent: a room for which none is named gets the one that takes all calls."""


@define(eq=False)
class Handset:
    """One telephone, with which one call at a time is made. `tell` is given what the person should know.

    Made by `open`; ended by `close`.
    """

    place: Place
    room_name: str
    tell: Callable[[str], None]
    leg: BridgeLeg | None = None
    _room: rtc.Room = field(factory=rtc.Room)
    _person: bool = False
    _voices: dict[str, _Voice] = field(factory=dict)
    _tasks: set[asyncio.Task[Any]] = field(factory=set)
    _came: asyncio.Event = field(factory=asyncio.Event)

    async def open(self, lk: api.LiveKitAPI) -> None:
        """Makes the room. Raises `api.ServerError`, `rtc.ConnectError`."""
        nobody = api.RoomAgentDispatch(agent_name=NOBODY)
        await lk.room.create_room(api.CreateRoomRequest(name=self.room_name, empty_timeout=3600, agents=[nobody]))
        self._room.on("participant_connected", self._joined)
        self._room.on("participant_disconnected", self._left)
        self._room.on("track_subscribed", self._subscribed)
        await self._room.connect(self.place.url, self.place.token(self.room_name, EXCHANGE, kind="standard"))

    def token(self) -> str:
        """With which a client joins: it picks up, and speaks and hears."""
        return self.place.token(self.room_name, PERSON, kind="standard")

    async def picked_up(self) -> None:
        """Until somebody has joined."""
        await self._came.wait()

    def rings(self, leg: BridgeLeg) -> None:
        """A call for this telephone, or one that it makes. It is busy while it has another."""
        if self.leg is not None and not self.leg.over:
            leg.decide(BUSY)
            return
        self.leg = leg
        self._start(self._until_over(leg))
        if self._person:
            leg.decide(200)

    def answer(self) -> None:
        """Picks up, without anybody who hears."""
        if self.leg is not None:
            self.leg.decide(200)

    def refuse(self, code: int) -> None:
        if self.leg is not None:
            self.leg.decide(code)

    def hang_up(self) -> None:
        if self.leg is not None:
            self.leg.hang_up()

    def press(self, digits: str) -> None:
        """Keys, in this call."""
        if self.leg is not None and isinstance(self.leg.presence, RoomLeg):
            self._start(_press(self.leg.presence, digits))

    def hear(self, at: float, samples: Samples, identity: str) -> None:
        """What arrives at the telephone goes on to the person."""
        if identity not in self._voices:
            self._voices[identity] = _Voice()
            self._start(self._voices[identity].speak(self._room, identity))
        self._voices[identity].say(samples)

    async def close(self, lk: api.LiveKitAPI) -> None:
        """Nobody is in its room any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()
        await lk.room.delete_room(api.DeleteRoomRequest(room=self.room_name))

    async def _until_over(self, leg: BridgeLeg) -> None:
        await asyncio.wait({leg.ended})
        if self._person:
            async with api.LiveKitAPI(self.place.url, self.place.key, self.place.secret) as lk:
                await lk.room.remove_participant(api.RoomParticipantIdentity(room=self.room_name, identity=PERSON))

    def _joined(self, who: rtc.RemoteParticipant) -> None:
        self._person = True
        self._came.set()
        self.tell("somebody has picked up the handset")
        if self.leg is not None:
            self.leg.decide(200)

    def _left(self, who: rtc.RemoteParticipant) -> None:
        self._person = False
        self._came.clear()
        if self.leg is not None and not self.leg.over:
            self.tell("the handset was put down")
            self.leg.hang_up()

    def _subscribed(self, track: rtc.Track, *_: Any) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self._start(self._carry(track))

    async def _carry(self, track: rtc.RemoteAudioTrack) -> None:
        """The person's voice, to whoever is in the call."""
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=round(FRAME * 1000))
        try:
            async for event in stream:
                if self.leg is not None and isinstance(self.leg.presence, RoomLeg):
                    self.leg.presence.pass_on(np.frombuffer(event.frame.data, np.int16).copy())
        finally:
            await stream.aclose()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@define(eq=False)
class _Voice:
    """What somebody in a call says, in the handset's room: a track of its own, since voices may be heard at once."""

    _frames: deque[Samples] = field(factory=lambda: deque(maxlen=LATE))
    _more: asyncio.Event = field(factory=asyncio.Event)

    def say(self, samples: Samples) -> None:
        self._frames.append(samples)
        self._more.set()

    async def speak(self, room: rtc.Room, name: str) -> None:
        source = rtc.AudioSource(RATE, 1, queue_size_ms=60)
        try:
            await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track(name, source))
            while True:
                await self._more.wait()
                self._more.clear()
                while self._frames:
                    frame = rtc.AudioFrame(self._frames.popleft().tobytes(), RATE, 1, SIZE)
                    await source.capture_frame(frame)
        finally:
            await source.aclose()


async def _press(leg: RoomLeg, digits: str) -> None:
    for digit in digits:
        await leg.press(digit)
        await asyncio.sleep(0.25)
