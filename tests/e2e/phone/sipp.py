"""SIPp as a telephone (https://sipp.readthedocs.io): its processes, and the messages that it logs."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from attrs import define, field, frozen

from tests.e2e.phone.rtp import monotonic
from tests.e2e.phone.scenario import Place

_HEAD = re.compile(
    rb"-+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6})\n\w+ message (sent|received) [\[(](\d+)(?:\] bytes :|\sbytes\):)\n\n"
)


MEDIA = 20_000


@frozen
class Message:
    """A SIP message as it was on the wire."""

    at: float
    by_telephone: bool
    text: str = field(repr=False)

    @property
    def status(self) -> int | None:
        """Of a response."""
        first = self.text.split(None, 2)
        return int(first[1]) if first[0] == "SIP/2.0" else None

    @property
    def method(self) -> str:
        """A request's, or that of the request to which this responds."""
        return self.text.split(None, 1)[0] if self.status is None else self.header("CSeq").split()[-1]

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]

    @property
    def same(self) -> tuple[object, ...]:
        """What two sendings of the same message have in common."""
        via = re.search(r"branch=([^;\s]+)", self.header("Via"))
        return self.by_telephone, self.status, self.method, self.header("CSeq"), via and via[1]

    def header(self, name: str) -> str:
        """The first of that name, without its name; empty where there is none."""
        found = re.search(rf"^{name}\s*:\s*(.*?)\s*$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    def sound_goes_to(self) -> tuple[str, int] | None:
        """The address in its session description, if it has one."""
        host = re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        return (host[1], int(port[1])) if host and port else None


@define(eq=False)
class Sipp:
    """A running SIPp."""

    process: subprocess.Popen[bytes]
    folder: Path
    _read: int = 0

    def messages(self) -> Iterator[Message]:
        """Those that were logged since the last time."""
        path = self.folder / "messages.log"
        if not path.exists():
            return
        with path.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        start, end = self._read, 0
        while (head := _HEAD.search(new, end)) and len(new) >= head.end() + int(head[3]):
            end = head.end() + int(head[3])
            self._read = start + end
            at = datetime.strptime(head[1].decode(), "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
            text = new[head.end() : end].decode("utf-8", "replace")
            yield Message(monotonic(at.timestamp()), head[2] == b"sent", text)

    def said(self) -> str:
        """What it complains of."""
        errors = self.folder / "errors.log"
        return errors.read_text(errors="replace")[-3000:] if errors.exists() else ""


def started(program: Path, folder: Path, scenario: str, place: Place, *options: str) -> Sipp:
    """A SIPp that is bound to its port. Raises RuntimeError with what it complains of."""
    folder.mkdir()
    (folder / "scenario.xml").write_text(scenario)
    command = [
        *(str(program), "-sf", str(folder / "scenario.xml"), "-i", place.host, "-p", str(place.port)),
        *("-mp", str(MEDIA + 4 * (place.port % 1000))),  # it binds some, though its sound is not its own
        *("-nostdin", "-default_behaviors", "none", "-trace_msg", "-message_file", str(folder / "messages.log")),
        *("-trace_err", "-error_file", str(folder / "errors.log"), *options),
    ]
    with (folder / "screen.log").open("wb") as screen:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"TZ": "UTC", "TERM": "dumb"},  # the log's times have no zone
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=subprocess.STDOUT,
        )
    sipp = Sipp(process, folder)
    until = time.monotonic() + 10
    while not _taken(place):
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            screen_says = (folder / "screen.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"SIPp does not run ({process.wait()}): {sipp.said()}\n{screen_says}")
        time.sleep(0.01)
    return sipp


def _taken(place: Place) -> bool:
    """Whether the port is bound. Looked up (proc_pid_net(5)): a probe that binds it may take it just as SIPp does."""
    address = int.from_bytes(socket.inet_aton(place.host), sys.byteorder)
    rows = Path("/proc/self/net/udp").read_text().splitlines()
    return any(row.split()[1] == f"{address:08X}:{place.port:04X}" for row in rows[1:])
