"""LiveKit's own SIP bridge."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from tests.e2e.namespace import ADDRESS
from tests.e2e.processes import stop
from tests.e2e.server import KEY, SECRET

CONFIG = """\
api_key: {key}
api_secret: {secret}
ws_url: {url}
redis: {{address: "127.0.0.1:{redis}"}}
sip_port: {sip}
rtp_port: {rtp}
listen_ip: {address}
nat_1_to_1_ip: {address}
media_nat_1_to_1_ip: {address}
max_cpu_utilization: 1.0
logging: {{level: info, json: true}}
"""
SETTLES = 4.0
"""Seconds from its start until calls can be made: before, the server does not know of it."""


@define
class Bridge:
    """A livekit-sip, on the UDP port `sip` of `ADDRESS`; `log` is what it printed, one JSON object a line."""

    program: Path
    config: Path
    log: Path
    sip: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when calls can be made."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [self.program, "--config", self.config], stdout=out, stderr=subprocess.STDOUT
            )
        time.sleep(SETTLES)
        if not self.lives:
            raise RuntimeError(f"livekit-sip does not run; its last words:\n{self.log.read_text()[-2000:]}")

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL: nobody is told."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def livekit_sip(program: Path, folder: Path, *, url: str, redis: int, sip: int, rtp: str) -> Iterator[Bridge]:
    """A bridge to the telephones for the server at `url`. `rtp` is its range of ports."""
    config = folder / "livekit-sip.yaml"
    config.write_text(CONFIG.format(key=KEY, secret=SECRET, url=url, redis=redis, sip=sip, rtp=rtp, address=ADDRESS))
    bridge = Bridge(program, config, folder / "livekit-sip.log", sip)
    try:
        bridge.start()
        yield bridge
    finally:
        if bridge.process is not None:
            stop(bridge.process, within=0.5)  # a SIGTERM makes it wait for its calls: those that linger do not count
