"""Somebody on the other side: speaks, presses keys, hangs up, vanishes; and hears, to the letter, what reaches the ear."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from livekit import rtc
from livekit.rtc._proto import participant_pb2 as proto_participant
from livekit.rtc._proto import room_pb2 as proto_events
from livekit.rtc._proto import track_pb2 as proto_track

from callflow.core.speaking import LETTER
from callflow.testing import audio, spelling
from callflow.testing.audio import Sound
from callflow.testing.models import Samples
from callflow.testing.room import SimulatedRoom, microphone, participant_info
from callflow.testing.server import NOTICED, VANISHED, Member, Reason, SimulatedRoomState, SimulatedServer

EAR_RATE = 16_000
QUIET_AFTER_SPEECH = 0.6
LOOKS = 0.05
KEYS = {**{str(n): n for n in range(10)}, "*": 10, "#": 11, "a": 12, "b": 13, "c": 14, "d": 15}

STANDARD = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


class Caller:
    """A participant that is not an agent, in the room of this name; on the telephone with `kind=…_SIP`.

    Speech takes its time on the loop's clock. Sound from the agent reaches the ear `delay` seconds after it was played,
    and what has not reached it when the line drops is lost. `joined` and `left` are times, `reason` why the line
    dropped (None while it has not); `said` is what they have said, with the sid of the track, and `stays` when they
    could be heard and hear.
    """

    def __init__(
        self,
        server: SimulatedServer,
        room: str,
        identity: str = "caller",
        *,
        kind: rtc.ParticipantKind.ValueType = STANDARD,
        attributes: Mapping[str, str] | None = None,
        delay: float = 0.04,
    ) -> None:
        self._server = server
        self._room = room
        self._delay = delay
        self._state: SimulatedRoomState | None = None
        self._voices: list[SimulatedRoom] = []
        self._callers: list[Caller] = []
        self.said: list[tuple[str, Sound]] = []
        self._been_in: SimulatedRoomState | None = None
        self._silenced = False
        self._attends = -math.inf  # the loop's time since which what is said to them wants to be heard
        self.stays: list[tuple[float, float | None]] = []
        self.info: proto_participant.ParticipantInfo = participant_info(identity, "", kind, attributes=attributes)
        self.publications: dict[str, proto_track.TrackPublicationInfo] = {}
        self.joined: float | None = None
        self.left: float | None = None
        self.reason: Reason | None = None
        self.data: list[tuple[float, str, bytes]] = []
        self.keys: list[tuple[float, str]] = []

    # What they do.

    def join(self, *, listens: bool = True, muted: bool = False) -> None:
        """Is in the room, with a microphone. `listens=False`: a telephone that still rings is there and hears nothing.
        `muted`: as after `mute`."""
        if self._state is not None:
            raise RuntimeError(f"{self.info.identity} is in the room already")
        self.info.sid = self._server.new_id("PA")
        self.publications = {}
        self._state = self._been_in = self._server.join(self._room, self)
        self.joined = self._server.loop.time() if self.joined is None else self.joined
        self.left = self.reason = None
        publication = microphone(self._server.new_id("TR"))
        publication.muted = muted
        self._server.publish(self._state, self, publication)
        self._find_voices()
        if listens:
            self.listen()

    def listen(self) -> None:
        """From now on they hear (a telephone: it has been picked up)."""
        self.stays.append((self._server.loop.time(), None))

    def mute(self) -> None:
        """Mutes their microphone: of what they say from now on nothing is heard, until they `unmute`."""
        self._mute(True)

    def unmute(self) -> None:
        self._mute(False)

    def _mute(self, muted: bool) -> None:
        if self._state is not None:
            for sid in self.publications:
                self._server.mute(self._state, self, sid, muted)

    @property
    def muted(self) -> bool:
        return any(publication.muted for publication in self.publications.values())

    def hang_up(self) -> None:
        """Leaves, as people do. A telephone's status says so."""
        if self.info.attributes.get("sip.callStatus") == "active":
            self.set_attributes({"sip.callStatus": "hangup"})
        self.leave(rtc.DisconnectReason.CLIENT_INITIATED)

    def leave(self, reason: Reason) -> None:
        """Is out of the room, for this reason."""
        if self._state is not None:
            self._server.leave(self._state, self, reason)
            self.dropped(reason)

    def lose_connection(self) -> None:
        """Their server is gone: they hear nothing, and stay on the line."""
        self._stop_hearing()
        self._silenced = True

    def come_back(self, room: str) -> None:
        """Their client has found its server again, and is in the room, which it makes if need be."""
        if self._state is None:
            return
        self._silenced = False
        self.info.sid = self._server.new_id("PA")
        publications, self.publications = self.publications, {}
        self._state = self._been_in = self._server.join(room, self)
        for publication in publications.values():
            self._server.publish(self._state, self, publication)
        self._find_voices()
        if self.stays:
            self.listen()

    def see(self, event: proto_events.RoomEvent) -> None:
        """What a client shows by itself, nobody looks at."""

    def vanish(self) -> None:
        """Is gone without leaving (a tunnel, a battery): the server notices after 21 s, unless they `join` again."""
        state, self._state = self._state, None
        if state is not None:
            self._stop_hearing()
            self.left = self._server.loop.time()
            self._server.loop.call_later(VANISHED, self._given_up, state, self.info.sid)

    def _given_up(self, state: SimulatedRoomState, sid: str) -> None:
        if self._state is None and self.info.sid == sid:
            self._server.leave(state, self, rtc.DisconnectReason.CONNECTION_TIMEOUT)

    async def say(self, text: str) -> None:
        """Says it, to `SpelledSTT`; ends when it has been said."""
        await self.play(spelling.spell(text, EAR_RATE))

    async def play(self, sound: Samples) -> None:
        """Makes this sound (16 kHz; tones for `ToneSTT`), and is quiet for a moment after it; ends with the sound."""
        self._attends = self._server.loop.time()
        loop, size = self._server.loop, round(EAR_RATE * LETTER)
        quiet = np.zeros(round(EAR_RATE * QUIET_AFTER_SPEECH), np.int16)
        sounds = np.concatenate([sound, np.zeros(-len(sound) % size, np.int16), quiet])
        begin = float(loop.time())
        heard = Sound(begin, begin + len(sound) / EAR_RATE, sound, EAR_RATE)
        if not self.muted:
            self.said += [(sid, heard) for sid in self.publications]
        if self._state is not None and not self._silenced and not self.muted:
            self._server.speaks(self._state, self, heard.start, heard.end)
        for n, start in enumerate(range(0, len(sounds), size)):
            loop.call_later((n + 1) * LETTER + NOTICED, self._send, sounds[start : start + size])
        await asyncio.sleep(len(sound) / EAR_RATE)

    def silence(self) -> None:
        """From now on no sound of theirs arrives, and none reaches their ear."""
        self._silenced = True
        self._stop_hearing()

    def _send(self, window: Samples) -> None:
        state = self._state or self._been_in
        if self._state is None or self._silenced or self.muted:
            window = np.zeros_like(window)  # where no packet comes, WebRTC's decoder goes on with silence
        for member in state.members.values() if state else ():
            if isinstance(member, SimulatedRoom) and self._reaches(member):
                member.ear.hear(rtc.AudioFrame(window.tobytes(), EAR_RATE, 1, len(window)))

    def _reaches(self, room: SimulatedRoom) -> bool:
        state, agent = self._state or self._been_in, room.info.identity
        gets = state is not None and all(state.subscribed(agent, sid) for sid in self.publications)
        return gets and room.hears(self.identity)

    async def hear(self, *, quiet: float = 0.5) -> str:
        """Waits until the agent has spoken and then been quiet for `quiet` seconds: what was heard of it. That is what has
        begun since they last heard it out, or spoke or pressed a key themselves, also where it began before this. Ends with
        what there was when the line drops; where nobody ever speaks, never: bound it with `asyncio.timeout`."""
        silent_since = self._server.loop.time()
        while self._state is not None:
            await asyncio.sleep(LOOKS)
            now = self._server.loop.time()
            if self._agent_speaks() or not self._unattended():
                silent_since = now
            elif now - silent_since >= quiet:
                break
        heard, self._attends = self._unattended(), self._server.loop.time()
        return " ".join(sound.text for sound in heard)

    def _unattended(self) -> Sequence[Sound]:
        """What has begun since they last heard somebody out, or made a sound or a key themselves: an answer may be there
        before they listen for it."""
        return [sound for sound in self.heard if sound.start >= self._attends]

    def _agent_speaks(self) -> bool:
        return any(room.voice.speaking for room in self._voices)

    def press(self, digits: str) -> None:
        """Presses these keys, one after the other. Raises ValueError for what is no key."""
        if unknown := set(digits.lower()) - KEYS.keys():
            raise ValueError(f"{''.join(sorted(unknown))!r} is no key of a telephone: {''.join(KEYS)}")
        self._attends = self._server.loop.time()
        for n, digit in enumerate(digits):
            self._server.loop.call_later(0.2 * n, self._press, digit.lower())

    def _press(self, digit: str) -> None:
        if self._state is not None:
            self._server.press(self._state, self, digit, KEYS[digit])

    def send_data(self, data: str | bytes, topic: str = "") -> None:
        """A data packet to the agent."""
        if self._state is not None:
            self._server.send_data(self._state, self, data.encode() if isinstance(data, str) else data, topic)

    def send_text(self, text: str, topic: str = "lk.chat") -> None:
        """A text stream to the agent: `lk.chat` is a turn of the conversation without any sound."""
        self._attends = self._server.loop.time()
        for member in self._state.members.values() if self._state else ():
            if isinstance(member, SimulatedRoom):
                self._server.loop.call_later(NOTICED, _send_text, member, text, self.info.identity, topic)

    async def rpc(self, method: str, payload: str = "", *, seconds: float = 10.0) -> str | None:
        """Calls a method of the agent's; its answer. Raises `rtc.RpcError` as a real room does."""
        invocation = rtc.RpcInvocationData(self._server.new_id("RPC"), self.identity, payload, seconds, method=method)
        for member in self._state.members.values() if self._state else ():
            if isinstance(member, SimulatedRoom):
                return await member.simulated_participant.answer_rpc(invocation)
        raise rtc.RpcError(rtc.RpcError.ErrorCode.RECIPIENT_NOT_FOUND, "there is no agent in the room")

    def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """A telephone's `sip.callStatus`, for instance."""
        if self._state is not None:
            self._server.set_attributes(self._state, self, dict(attributes))

    # What they know.

    @property
    def identity(self) -> str:
        return self.info.identity

    @property
    def on_line(self) -> bool:
        """Whether they are in the room, as far as they know."""
        return self._state is not None

    @property
    def agents(self) -> Sequence[str]:
        """The agents that are in the room with them now."""
        members = self._state.members.values() if self._state else ()
        return [member.info.identity for member in members if isinstance(member, SimulatedRoom)]

    @property
    def heard(self) -> Sequence[Sound]:
        """What has reached the ear of the agents' speech so far, by the time at which it was played: each speech in one
        piece."""
        speeches = [
            self._heard_of(speech, room.stays, room.voice_sid)
            for room in self._voices
            for speech in room.voice.speeches
        ]
        return _joined(speeches)

    def heard_of(self, room: SimulatedRoom, utterance: audio.Utterance) -> Sound | None:
        """What has reached the ear of one speech of an agent's."""
        return audio.join(self._heard_of(utterance.pieces, room.stays, room.voice_sid))

    @property
    def music(self) -> Sequence[Sound]:
        """What has reached the ear of the agents' other tracks, each in one piece."""
        tracks = [(room, sid, track) for room in self._voices for sid, track in room.tracks.items()]
        return _joined([self._heard_of(track.sounds, room.stays, sid) for room, sid, track in tracks])

    def heard_from(self, other: Caller | str) -> Sequence[Sound]:
        """What has reached the ear of what another caller, or telephone, has said; of an identity: of all that bore it."""
        sounds = []
        for caller in self._callers:
            if other in (caller, caller.identity):
                sounds += [self._heard_of([sound], caller.stays, sid) for sid, sound in caller.said]
        return _joined(sounds)

    @property
    def heard_text(self) -> str:
        """The text of all that, one line for each speech."""
        return "\n".join(sound.text for sound in self.heard)

    @property
    def dead_air(self) -> float:
        """Seconds between the end of the last sound that they heard and the end of the line (or now)."""
        since = max((sound.end for sound in self.heard), default=self.joined or 0.0)
        until = self.left if self.left is not None else self._server.loop.time()
        return max(until - since - self._delay, 0.0)

    def _heard_of(
        self, speech: Sequence[Sound], stays: Sequence[tuple[float, float | None]], track: str | None
    ) -> Sequence[Sound]:
        """The pieces of a speech, as far as the speaker was connected (`stays`), and this ear was there and subscribed to
        the track when they came to it."""
        now = self._server.loop.time()
        gets = [(-math.inf, math.inf)]
        if self._been_in is not None and track is not None:
            gets = self._been_in.subscribed_during(self.identity, track)
        heard: list[Sound] = []
        for sound in speech:
            for hears, speaks, subscribed in itertools.product(self.stays, stays, gets):
                since = max(hears[0], speaks[0], subscribed[0]) - self._delay
                until = min(_end(hears, now), _end(speaks, now), subscribed[1]) - self._delay
                part = sound.within(since, until)
                heard += [part] if part else []
        return heard

    def _find_voices(self) -> None:
        members = self._state.members.values() if self._state else ()
        for member in members:
            if isinstance(member, SimulatedRoom) and member not in self._voices:
                self._voices.append(member)
            elif isinstance(member, Caller) and member is not self and member not in self._callers:
                self._callers.append(member)

    def _stop_hearing(self) -> None:
        if self.stays and self.stays[-1][1] is None:
            self.stays[-1] = (self.stays[-1][0], self._server.loop.time())

    # What the server says.

    def receive(self, event: proto_events.RoomEvent) -> None:
        kind = event.WhichOneof("message")
        if kind == "participant_connected":
            self._find_voices()
        elif kind == "data_packet_received":
            self.keys.append((self._server.loop.time(), event.data_packet_received.sip_dtmf.digit))

    def receive_data(self, sender: Member | None, data: bytes, topic: str) -> None:
        self.data.append((self._server.loop.time(), topic, data))

    def subscription_changed(self, publisher: Member, sid: str, subscribed: bool) -> None:
        """What was heard says so."""

    def dropped(self, reason: Reason) -> None:
        if self._state is None:
            return
        self._state = None
        self._stop_hearing()
        self.left, self.reason = self._server.loop.time(), reason


def _joined(speeches: Sequence[Sequence[Sound]]) -> Sequence[Sound]:
    return sorted((sound for pieces in speeches if (sound := audio.join(pieces))), key=lambda sound: sound.start)


def _send_text(room: SimulatedRoom, text: str, sender: str, topic: str) -> None:
    room.receive_text(text, sender=sender, topic=topic)


def _end(stay: tuple[float, float | None], now: float) -> float:
    return now if stay[1] is None else stay[1]
