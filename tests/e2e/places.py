"""Places behind a network of their own, which can be cut: nested namespaces, each with a link to the tests' own.

What is cut loses every packet both ways, and nobody is told, as on a radio link that is gone: a permanent neighbour entry
sends them to an address that nobody has.
"""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.e2e.namespace import ADDRESS

NOTICED = 2.5
"""Seconds: WebRTC looks at its machine's interfaces every two, and may take a link that is gone for one that is there."""

NOBODY = "02:00:00:00:00:99"

_numbers = itertools.count(1)


@frozen
class Place:
    """`keeper` is the process that holds the namespace. Its address is `here`; the tests' side of the link is `gate`."""

    number: int
    keeper: int

    @property
    def here(self) -> str:
        return f"10.99.{self.number}.2"

    @property
    def gate(self) -> str:
        return f"10.99.{self.number}.1"

    @property
    def prefix(self) -> tuple[str, ...]:
        """Before a command that is to run there."""
        return ("nsenter", "-t", str(self.keeper), "-n")

    def cut(self) -> float:
        """Every packet is lost from now on. When that was."""
        self._neighbours(NOBODY, NOBODY)
        return time.monotonic()

    def mend(self) -> float:
        self._neighbours(self._address(f"i{self.number}", inside=True), self._address(f"h{self.number}", inside=False))
        return time.monotonic()

    def _neighbours(self, theirs: str, ours: str) -> None:
        _ip(f"neigh replace {self.here} lladdr {theirs} dev h{self.number} nud permanent")
        _ip(f"neigh replace {self.gate} lladdr {ours} dev i{self.number} nud permanent", *self.prefix)

    def _address(self, device: str, *, inside: bool) -> str:
        told = _ip(f"-o link show {device}", *(self.prefix if inside else ()))
        return told.partition("link/ether ")[2].split()[0]


@contextmanager
def place(*, linked: bool = True) -> Iterator[Place]:
    """A new place; without a link nothing leads in or out, and it has the server's address itself, for a relay."""
    number = next(_numbers)
    keeper = subprocess.Popen(["unshare", "-n", "sleep", "3600"])
    made = Place(number, keeper.pid)
    try:
        _wait_until_apart(keeper)
        _ip("link set lo up", *made.prefix)
        if linked:
            _ip(f"link add h{number} type veth peer name i{number} netns {keeper.pid}")
            _ip(f"addr add {made.gate}/24 dev h{number}")
            _ip(f"link set h{number} up")
        else:
            _ip(f"link add h{number} type veth peer name i{number}", *made.prefix)
            _ip(f"link set h{number} up", *made.prefix)
        _ip(f"addr add {made.here}/24 dev i{number}", *made.prefix)
        _ip(f"link set i{number} up", *made.prefix)
        if linked:
            _ip(f"route add default via {made.gate}", *made.prefix)
        else:
            _ip(f"addr add {ADDRESS}/32 dev lo", *made.prefix)
        yield made
    finally:
        if linked:
            _ip(f"link delete h{number}")  # now, and not some time after its keeper's end
        keeper.kill()
        keeper.wait()
        time.sleep(NOTICED)


def _wait_until_apart(keeper: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 5
    ours = Path("/proc/thread-self/ns/net").readlink()
    while Path(f"/proc/{keeper.pid}/ns/net").readlink() == ours:
        if time.monotonic() > until:
            raise RuntimeError("the nested network namespace was not made in 5 s")
        time.sleep(0.02)


def _ip(command: str, *prefix: str) -> str:
    done = subprocess.run([*prefix, "ip", *command.split()], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {command}: {done.stderr.strip()}")
    return done.stdout
