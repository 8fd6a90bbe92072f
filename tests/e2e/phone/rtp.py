"""The sound of telephones: G.711 mu-law and pressed keys (RFC 4733), in packets of 20 ms over UDP.

One thread serves all telephones of a network. What comes is heard at the time at which the machine's network had it,
however late a busy thread reads it. Other threads hand it whole things only: a `Line`, a `Stream`, or the `Speech` of one,
each of which nobody but this thread changes afterwards.
"""

from __future__ import annotations

import itertools
import math
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from callflow.core.speaking import seconds as spoken
from callflow.telephony.network import KEYS, Act, HangUp, Hear, Press, Say, StopRtp, Tone, Wait
from callflow.testing.models import Samples, tone
from tests.e2e.phone.network import PhoneCall
from tests.e2e.sound import FRAME, RATE, Hearing

TELEPHONE_RATE = 8000
PACKET = 0.02
SIZE = round(TELEPHONE_RATE * PACKET)
PCMU, EVENT = 0, 101
KEY_PACKETS, PAUSE_PACKETS, LAST_PACKETS = 5, 7, 3
"""A key is 0.1 s long, its end is told three times, and 0.15 s are between two keys: 0.25 s from key to key."""

_HEADER = struct.Struct("!BBHII")
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h
_EPOCH = time.monotonic() - time.time()


def monotonic(wall: float) -> float:
    """A time on the machine's wall clock, as one on the clock of the tests."""
    return wall + _EPOCH


@define(eq=False)
class Speech:
    """What a stream sends from `due` on, one packet each 20 ms; that is infinite once there is no more of it."""

    packets: Iterator[bytes | None] = field(repr=False)
    due: float


@define(eq=False)
class Stream:
    """The sound of one call."""

    call: PhoneCall
    remote: tuple[str, int]
    speech: Speech | None = None
    heard_key: int | None = None
    sequence: int = 0
    timestamp: int = 0


@define(eq=False)
class Line:
    """One telephone's UDP port, and the streams that go through it, by the port of the bridge's end."""

    socket: socket.socket
    streams: dict[int, Stream] = field(factory=dict)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])


@define(eq=False)
class Sounds:
    """The lines of all telephones, in a thread of their own."""

    host: str
    _selector: selectors.BaseSelector = field(factory=selectors.DefaultSelector)
    _lines: list[Line] = field(factory=list)
    _lock: threading.Lock = field(factory=threading.Lock)
    _ended: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="rtp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        for line in self._lines:
            line.socket.close()
        self._selector.close()

    def line(self) -> Line:
        """A port for a new telephone."""
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        endpoint.bind((self.host, 0))
        endpoint.setblocking(False)
        line = Line(endpoint)
        with self._lock:
            self._lines.append(line)
            self._selector.register(endpoint, selectors.EVENT_READ, line)
        return line

    def connect(self, line: Line, call: PhoneCall, remote: tuple[str, int]) -> Stream:
        """What comes from there to this telephone belongs to this call."""
        stream = Stream(call, remote)
        with self._lock:
            line.streams[remote[1]] = stream
        return stream

    def speak(self, stream: Stream, packets: Iterator[bytes | None]) -> None:
        """From now on it sends these, instead of what it sent."""
        stream.speech = Speech(packets, time.monotonic())

    def hush(self, stream: Stream) -> None:
        """From now on it sends nothing."""
        stream.speech = None

    def _run(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                ready = self._selector.select(0)
                streams = [(line, stream) for line in self._lines for stream in line.streams.values()]
            for key, _ in ready:
                _read(key.data)
            now = time.monotonic()
            for line, stream in streams:
                _write(line, stream, now)
            time.sleep(0.002 if ready else 0.004)


def silence() -> Iterator[bytes | None]:
    """Packets of silence, for ever."""
    while True:
        yield _voice(np.zeros(SIZE, np.int16))


def sound(hz: float) -> Iterator[bytes | None]:
    """A tone, for ever."""
    second = tone(hz, 1.0, rate=TELEPHONE_RATE)
    while True:
        yield from map(_voice, second.reshape(-1, SIZE))


VOICE = 600.0
"""Hertz: of whoever says words, which the agents of these tests hear as such."""


def performed(acts: Sequence[Act], heard: Hearing) -> Iterator[bytes | None]:
    """What a telephone sends that does these acts, and is silent then. (To hang up is not its sound's business.)"""
    for act in acts:
        match act:
            case Wait(seconds):
                yield from itertools.islice(silence(), round(seconds / PACKET))
            case Tone(hz, seconds):
                yield from _beep(hz, seconds)
            case Say(text):
                yield from _beep(VOICE, spoken(text))
            case Hear(quiet, within):
                yield from _listening(heard, quiet, within)
            case Press(digits):
                for digit in digits:
                    yield from _pressed(digit)
            case StopRtp():
                return
            case HangUp():
                break
    yield from silence()


def _beep(hz: float, seconds: float) -> Iterator[bytes | None]:
    samples = tone(hz, seconds, rate=TELEPHONE_RATE)
    samples = np.pad(samples, (0, -len(samples) % SIZE))
    yield from map(_voice, samples.reshape(-1, SIZE))


def _listening(heard: Hearing, quiet: float, within: float) -> Iterator[bytes | None]:
    """Silence, until something has been heard, and nothing for `quiet` seconds."""
    began = time.monotonic()
    for packet in silence():
        now, last = time.monotonic(), heard.last
        if now > began + within or (last is not None and last > began and now > last + quiet):
            return
        yield packet


def _pressed(digit: str) -> Iterator[bytes | None]:
    """The bodies of one key's packets; what stands before them tells a new key, and whether it is a voice's."""
    code = KEYS.index(digit.lower())
    for number in range(1, KEY_PACKETS + 1):
        yield b"K" + bytes([number == 1, number - 1]) + struct.pack("!BBH", code, 10, number * SIZE)
    for number in range(LAST_PACKETS):
        last = KEY_PACKETS + number
        yield b"K" + bytes([False, last]) + struct.pack("!BBH", code, 0x80 | 10, KEY_PACKETS * SIZE)
    for _ in range(PAUSE_PACKETS - LAST_PACKETS):
        yield _voice(np.zeros(SIZE, np.int16))


def _voice(samples: Samples) -> bytes:
    return b"V" + encode(samples)


def _write(line: Line, stream: Stream, now: float) -> None:
    speech = stream.speech  # as it is now: there may be another, or none, at any moment
    while speech is not None and speech.due <= now:
        body = next(speech.packets, None)
        if body is None:
            speech.due = math.inf
            return
        speech.due += PACKET
        stream.sequence = (stream.sequence + 1) & 0xFFFF
        stream.timestamp += SIZE
        if body[:1] == b"V":
            kind, marker, timestamp, body = PCMU, stream.sequence == 1, stream.timestamp, body[1:]
        else:  # all packets of a key have the timestamp of its first one
            kind, marker, timestamp, body = EVENT, body[1], stream.timestamp - SIZE * body[2], body[3:]
        header = _HEADER.pack(0x80, kind | (0x80 if marker else 0), stream.sequence, timestamp, 0x0CA11F10)
        try:
            line.socket.sendto(header + body, stream.remote)
        except OSError:  # the bridge's end is closed: it hangs up, or has died
            continue


def _read(line: Line) -> None:
    while True:
        try:
            packet, ancillary, _, sender = line.socket.recvmsg(2048, 64)
        except BlockingIOError:
            return
        except ConnectionRefusedError:
            continue
        stream = line.streams.get(sender[1])
        if stream is None or len(packet) < _HEADER.size:
            continue
        at = monotonic(_arrived(ancillary))
        first, second, _, timestamp, _ = _HEADER.unpack_from(packet)
        body = packet[_HEADER.size + 4 * (first & 0x0F) :]
        if second & 0x7F == PCMU:
            _hear(stream.call, at, body)
        elif second & 0x7F == EVENT and len(body) >= 4 and body[0] < len(KEYS) and timestamp != stream.heard_key:
            stream.heard_key = timestamp
            stream.call.keys.append((at, KEYS[body[0]]))


def _arrived(ancillary: Sequence[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def _hear(call: PhoneCall, at: float, body: bytes) -> None:
    samples = np.repeat(decode(body), RATE // TELEPHONE_RATE)
    size = round(RATE * FRAME)
    for number in range(len(samples) // size):
        call.heard.hear(at + FRAME * number, samples[number * size : (number + 1) * size])


# -- G.711, mu-law: ITU-T G.711, section 3.2

_BIAS = 0x84
_CLIP = 32635


def encode(samples: Samples) -> bytes:
    wide = samples.astype(np.int32)
    sign = np.where(wide < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(wide), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes())


def _decoded() -> NDArray[np.int16]:
    codes = ~np.arange(256) & 0xFF
    exponent, mantissa = (codes >> 4) & 0x07, codes & 0x0F
    magnitude = ((mantissa << 3) + _BIAS << exponent) - _BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


_DECODED = _decoded()


def decode(body: bytes) -> Samples:
    return _DECODED[np.frombuffer(body, np.uint8)]
