"""A real livekit-server for the length of a test run, and its own view of rooms and participants."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen
from livekit import api

from tests.e2e.namespace import ADDRESS
from tests.e2e.processes import stop

KEY, SECRET = "devkey", "a-secret-of-at-least-32-characters"

CONFIG = """\
port: {http}
bind_addresses: ["127.0.0.1", "{address}"]
rtc:
  tcp_port: {tcp}
  udp_port: {udp}
  node_ip: {address}
  use_external_ip: false
  use_ice_lite: {lite}
  stun_servers: ["127.0.0.1:3478"]
keys: {{{key}: {secret}}}
logging: {{level: info, json: false}}
"""
REDIS = 'redis: {{address: "127.0.0.1:{port}"}}\n'


@frozen
class LiveKitServer:
    """Where it listens: `url` for clients (ws://), its API under the same port. `log` is what it printed."""

    http: int
    log: Path
    program: Path = field(repr=False)
    config: Path = field(repr=False)
    processes: list[subprocess.Popen[bytes]] = field(factory=list, repr=False)  # one after the other

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.http}"

    @property
    def far_url(self) -> str:
        """The same, for whoever is not on this machine but in a network of their own."""
        return f"ws://{ADDRESS}:{self.http}"

    def start(self) -> None:
        """Until it answers."""
        with self.log.open("ab") as out:
            process = subprocess.Popen([self.program, "--config", self.config], stdout=out, stderr=subprocess.STDOUT)
        self.processes.append(process)
        _wait_until_it_answers(process, self.http, self.log)

    def kill(self) -> None:
        """SIGKILL: nobody is told."""
        self.processes[-1].kill()
        self.processes[-1].wait()

    def api(self) -> api.LiveKitAPI:
        """To be used inside the running loop, and closed: `async with server.api() as lk:`."""
        return api.LiveKitAPI(self.url.replace("ws", "http"), KEY, SECRET)

    def token(self, room: str, identity: str, *, kind: api.AccessToken.ParticipantKind | None = None) -> str:
        token = (
            api.AccessToken(KEY, SECRET).with_identity(identity).with_grants(api.VideoGrants(room_join=True, room=room))
        )
        return (token.with_kind(kind) if kind else token).to_jwt()


@contextmanager
def livekit_server(
    program: Path, folder: Path, *, ports_from: int, ice_lite: bool = False, redis: int | None = None
) -> Iterator[LiveKitServer]:
    """A server that answers, on three ports beginning with `ports_from`; ended and awaited on the way out.

    `ice_lite`: it answers to wherever a client's packets come from, such as a relay. `redis`: the port of the one in which
    it meets a SIP bridge.
    """
    config, log = folder / "livekit.yaml", folder / "livekit-server.log"
    config.write_text(
        CONFIG.format(
            http=ports_from,
            tcp=ports_from + 1,
            udp=ports_from + 2,
            address=ADDRESS,
            lite=str(ice_lite).lower(),
            key=KEY,
            secret=SECRET,
        )
        + (REDIS.format(port=redis) if redis else "")
    )
    server = LiveKitServer(ports_from, log, program, config)
    try:
        server.start()
        yield server
    finally:
        for process in server.processes:
            stop(process, within=5)  # a SIGTERM makes it wait for its participants: those that linger do not count


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"livekit-server does not answer; its last words:\n{log.read_text()[-2000:]}")


@frozen
class ServerView:
    """What livekit-server itself says of a room. It is asked, not told: each wait polls, up to a bound in seconds."""

    lk: api.LiveKitAPI

    async def room_exists(self, room: str) -> bool:
        return bool((await self.lk.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms)

    async def participants(self, room: str) -> dict[str, api.ParticipantInfo]:
        """By identity; empty where there is no such room."""
        try:
            listed = await self.lk.room.list_participants(api.ListParticipantsRequest(room=room))
        except api.ServerError as error:
            if error.code == api.TwirpErrorCode.NOT_FOUND:
                return {}
            raise
        return {participant.identity: participant for participant in listed.participants}

    async def wait_until_gone(self, room: str, *, within: float) -> None:
        """Until the room does not exist. Raises AssertionError that lists who is still in it."""
        until = time.monotonic() + within
        while await self.room_exists(room):
            if time.monotonic() > until:
                raise AssertionError(
                    f"room {room} is still there after {within} s, with {set(await self.participants(room))}"
                )
            await asyncio.sleep(0.05)

    async def wait_for_participants(self, room: str, identities: set[str], *, within: float) -> None:
        """Until these are in the room, and nobody else. Raises AssertionError that lists who is."""
        until = time.monotonic() + within
        while (there := set(await self.participants(room))) != identities:
            if time.monotonic() > until:
                raise AssertionError(f"after {within} s in room {room}: {there}, not {identities}")
            await asyncio.sleep(0.05)
