"""`callflow phone` is told to end: in the foreground, and in the background, where SIGINT comes ignored."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("callflow")
KEYS = {"LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "a-secret-of-at-least-32-characters"}


class Rooms(http.server.BaseHTTPRequestHandler):
    """A server that has no rooms: an empty message is all that `ListRooms` answers."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Not on the screen."""


@contextmanager
def livekit():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rooms) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def in_the_background():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("preexec", [None, in_the_background], ids=["foreground", "background"])
def test_it_ends_in_order(told, preexec):
    with livekit() as url:
        process = subprocess.Popen(
            [PROGRAM, "phone", "--url", url, "--port", str(free_port())],
            env=os.environ | KEYS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=preexec,
        )  # fmt: skip
        try:
            assert any("any other number" in line for line in process.stdout), "it did not start"
            process.send_signal(told)
            rest, _ = process.communicate()
        finally:
            process.kill()
            process.wait()
    assert (process.returncode, rest) == (0, "\nthe telephones are down\n")
