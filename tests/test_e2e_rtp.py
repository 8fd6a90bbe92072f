"""The sound of the telephones in the end-to-end tests: what one thread reads while another changes it."""

from __future__ import annotations

import math
import socket
import sys
import threading
import time

import numpy as np
import pytest

from tests.e2e.phone import rtp
from tests.e2e.phone.far_ends import ANSWERS
from tests.e2e.phone.network import PhoneCall

FAR = ("127.0.0.1", 9)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the end-to-end tests run on Linux only")


@pytest.fixture
def sounds():
    """Its thread does not run: what that does next is the test's choice."""
    sounds = rtp.Sounds("127.0.0.1")
    yield sounds
    for line in sounds._lines:
        line.socket.close()
    sounds._selector.close()


@pytest.fixture
def bridge():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(("127.0.0.1", 0))
        endpoint.settimeout(5)
        yield endpoint


def voice(level):
    return b"V" + rtp.encode(np.full(rtp.SIZE, level, np.int16))


def level_of(packet):
    return round(float(rtp.decode(packet[12:])[0]), -3)


def heard_by(bridge):
    bridge.setblocking(False)
    packets = []
    while True:
        try:
            packets.append(level_of(bridge.recv(2048)))
        except BlockingIOError:
            return packets


def write(line, stream, seconds):
    """One turn of the thread, that many seconds behind."""
    rtp._write(line, stream, time.monotonic() + seconds)


def test_a_stream_is_hushed_between_two_of_its_packets(sounds, bridge):
    line = sounds.line()
    stream = sounds.connect(line, PhoneCall("+15550123", ANSWERS), bridge.getsockname())

    def packets():
        yield voice(1000)
        sounds.hush(stream)  # as the thread that follows the signals does, at any moment
        yield voice(2000)

    sounds.speak(stream, packets())
    write(line, stream, 0)
    write(line, stream, 1)
    write(line, stream, 2)
    assert heard_by(bridge) == [1000, 2000]
    assert stream.speech is None


@pytest.mark.parametrize("ends", [True, False])
def test_what_is_begun_while_the_last_packet_goes_out_is_said_whole(sounds, bridge, ends):
    line = sounds.line()
    stream = sounds.connect(line, PhoneCall("+15550123", ANSWERS), bridge.getsockname())

    def packets():
        sounds.speak(stream, iter([voice(4000)] * 3))
        if not ends:
            yield voice(1000)

    sounds.speak(stream, packets())
    write(line, stream, 0)
    assert heard_by(bridge) == ([] if ends else [1000])
    write(line, stream, 1)
    assert heard_by(bridge) == [4000] * 3
    write(line, stream, 2)
    assert heard_by(bridge) == []
    assert stream.speech.due == math.inf


def test_telephones_are_connected_hushed_and_speak_while_the_sound_runs(sounds):
    """Threads that change over as often as they can: nothing dies of it."""
    line, died = sounds.line(), []
    hook, threading.excepthook = threading.excepthook, died.append
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    sounds.start()
    try:
        for number in range(300):
            stream = sounds.connect(line, PhoneCall("+15550123", ANSWERS), (FAR[0], 10_000 + number % 50))
            sounds.speak(stream, iter([voice(1000)]))
            sounds.speak(stream, rtp.silence())
            sounds.hush(stream)
        assert sounds._thread.is_alive()
    finally:
        sys.setswitchinterval(interval)
        threading.excepthook = hook
        sounds.stop()
    assert died == []


def test_a_key_that_no_telephone_has_is_no_key(sounds, bridge):
    line = sounds.line()
    call = PhoneCall("+15550123", ANSWERS)
    sounds.connect(line, call, bridge.getsockname())
    for code in (5, 16, 255):  # RFC 4733: 16 is a hook flash
        bridge.sendto(
            rtp._HEADER.pack(0x80, rtp.EVENT, 1, code, 7) + bytes([code, 10, 0, 160]), ("127.0.0.1", line.port)
        )
    until = time.monotonic() + 5
    while not call.keys and time.monotonic() < until:
        rtp._read(line)
    rtp._read(line)
    assert call.digits == "5"
