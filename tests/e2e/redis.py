"""A redis, in which livekit-server and a SIP bridge meet."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

from tests.e2e.processes import stop


@define
class Redis:
    """One that answers on `port`; what it holds outlives its process, unless it is `empty` that it starts."""

    program: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self, *, empty: bool = False) -> None:
        """Until it answers."""
        kept, log = self.folder / "redis", self.folder / "redis.log"
        if empty:
            shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(exist_ok=True)
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", kept, "--save", ""]
        with log.open("ab") as out:
            self.process = subprocess.Popen([*command, "--appendonly", "yes"], stdout=out, stderr=subprocess.STDOUT)
        _wait_until_it_answers(self.process, self.port, log)

    def kill(self) -> None:
        """SIGKILL: nobody is told."""
        self.process.kill()
        self.process.wait()


@contextmanager
def redis_server(program: Path, folder: Path, *, port: int) -> Iterator[Redis]:
    """Ended and awaited on the way out."""
    redis = Redis(program, folder, port)
    redis.start(empty=True)
    try:
        yield redis
    finally:
        stop(redis.process, within=5)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                client.sendall(b"PING\r\n")
                if client.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"redis-server does not answer; its last words:\n{log.read_text()[-2000:]}")
