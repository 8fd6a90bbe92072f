"""LiveKit's own SIP bridge."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

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


@frozen
class Bridge:
    """A running livekit-sip; `log` is what it printed, one JSON object a line."""

    sip: int
    log: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """SIGKILL: nobody is told."""
        self.process.kill()
        self.process.wait()


@contextmanager
def livekit_sip(program: Path, folder: Path, *, url: str, redis: int, sip: int, rtp: str) -> Iterator[Bridge]:
    """A bridge to the telephones, on the UDP port `sip`, for the server at `url`. `rtp` is its range of ports."""
    config, log = folder / "livekit-sip.yaml", folder / "livekit-sip.log"
    config.write_text(CONFIG.format(key=KEY, secret=SECRET, url=url, redis=redis, sip=sip, rtp=rtp, address=ADDRESS))
    with log.open("wb") as out:
        process = subprocess.Popen([program, "--config", config], stdout=out, stderr=subprocess.STDOUT)
    try:
        time.sleep(SETTLES)
        if process.poll() is not None:
            raise RuntimeError(f"livekit-sip does not run; its last words:\n{log.read_text()[-2000:]}")
        yield Bridge(sip, log, process)
    finally:
        stop(process, within=0.5)  # a SIGTERM makes it wait for its calls: those that linger do not count
