"""A caller in a process of its own, to be killed, or to live behind a network that is cut.

`python -m tests.e2e.caller_process URL TOKEN IDENTITY` joins and obeys one line of its input after the other: `write …`,
`tell`, `leave`, `pitch …`. It answers `tell` and `leave` with a line of JSON, its `Report`, and `pitch` with seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from tests.e2e.caller import Caller, Seen
from tests.e2e.sound import Sound

ROOT = Path(__file__).parents[2]


@frozen
class Report:
    """What it has seen and heard so far; times are monotonic, the same clock as the test's."""

    seen: tuple[Seen, ...]
    sounds: tuple[Sound, ...]  # of agents, in their order

    def events(self, name: str) -> list[Seen]:
        return [one for one in self.seen if one.name == name]


def _report(caller: Caller) -> str:
    agents = [hearing for identity, hearing in caller.heard.items() if identity.startswith("agent-")]
    sounds = sorted((sound for hearing in agents for sound in hearing.sounds()), key=lambda one: one.began)
    return json.dumps({"seen": [asdict(one) for one in caller.seen], "sounds": [asdict(one) for one in sounds]})


async def _obey(url: str, token: str, identity: str) -> None:
    caller = await Caller.join(url, token, identity)
    reader = asyncio.StreamReader(limit=2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("joined", flush=True)  # noqa: T201 - the answer
    async for line in reader:
        order, _, text = line.decode().strip().partition(" ")
        if order == "write":
            await caller.write(text)
            continue
        if order == "pitch":
            agents = [hearing for name, hearing in caller.heard.items() if name.startswith("agent-")]
            print(sum(hearing.seconds_at(float(text)) for hearing in agents), flush=True)  # noqa: T201 - the answer
            continue
        if order == "leave":
            await caller.leave()
        print(_report(caller), flush=True)  # noqa: T201 - the answer
        if order == "leave":
            return


@frozen
class Remote:
    """The test's handle on such a process."""

    process: asyncio.subprocess.Process = field(repr=False)

    async def write(self, text: str) -> float:
        """A line of chat; when it was sent."""
        self._order(f"write {text}")
        return time.monotonic()

    async def tell(self) -> Report:
        self._order("tell")
        return await self._answer()

    async def leave(self) -> Report:
        self._order("leave")
        return await self._answer()

    async def seconds_at(self, hz: float) -> float:
        """How much was heard of agents at this pitch."""
        self._order(f"pitch {hz}")
        assert self.process.stdout is not None
        return float(await asyncio.wait_for(self.process.stdout.readline(), 20))

    async def until(self, what: str, holds: Any, *, within: float) -> Report:
        """Until its report is so. Raises AssertionError with the last one."""
        until = time.monotonic() + within
        while not holds(report := await self.tell()):
            if time.monotonic() > until:
                raise AssertionError(f"waited {within} s for {what}: {report}")
            await asyncio.sleep(0.1)
        return report

    async def greeted(self, *, within: float = 30) -> Report:
        return await self.until("the greeting", lambda report: report.sounds, within=within)

    async def dropped(self, *, within: float) -> Report:
        return await self.until("the end of the line", lambda report: report.events("disconnected"), within=within)

    def kill(self) -> None:
        """SIGKILL: nobody says goodbye."""
        self.process.kill()

    def _order(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())

    async def _answer(self) -> Report:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 20)
        told = json.loads(line)
        seen = tuple(Seen(**one) for one in told["seen"])
        return Report(seen, tuple(Sound(**one) for one in told["sounds"]))


@asynccontextmanager
async def remote_caller(
    url: str, token: str, identity: str = "caller", *, prefix: tuple[str, ...] = ()
) -> AsyncIterator[Remote]:
    """Somebody who has joined from a process of their own, started by `prefix` (`nsenter …`); killed on the way out."""
    command = [*prefix, sys.executable, "-m", "tests.e2e.caller_process", url, token, identity]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**24,
    )
    try:
        assert process.stdout is not None
        joined = await asyncio.wait_for(process.stdout.readline(), 40)
        assert joined == b"joined\n", joined
        yield Remote(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(_obey(*sys.argv[1:4]))
