"""A network of the tests' own, with no way out.

Nothing that runs in it can reach the machine's network, its ports are free, and two test runs never meet. WebRTC ignores
the loopback interface, so a pair of virtual Ethernet interfaces gives it an address.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.servers import Missing

ADDRESS = "10.99.0.1"
MARK = "CALLFLOW_E2E_NAMESPACE"

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h


def enter() -> None:
    """Put this process and its children to come into a user and network namespace of their own.

    Once is enough: a process whose parent did it is inside already, but for those that run tests side by side: they get
    networks of their own, since WebRTC would use the links that another's tests make and cut. Raises `Missing` where
    that is not allowed. The process has to have one thread only; it becomes root inside, which is nobody special outside.
    """
    side = os.environ.get("PYTEST_XDIST_WORKER", "")
    if os.environ.get(MARK) == _current() + side:
        return
    if side and os.environ.get(MARK) == _current():
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
            raise Missing(f"network namespaces cannot be nested here ({os.strerror(ctypes.get_errno())})")
        _furnish(side)
        return
    if sys.platform != "linux":
        raise Missing("they need network namespaces, which only Linux has: run them in a Linux container or machine")
    if shutil.which("ip") is None:
        raise Missing("there is no `ip` program: install iproute2")
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise Missing(
            "they enter a network namespace, which a process with threads cannot: run `pytest tests/e2e` by itself"
        )
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        raise Missing(
            f"user namespaces are not allowed here ({os.strerror(ctypes.get_errno())}): allow them "
            "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, or run the "
            "container with --security-opt seccomp=unconfined)"
        )
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise Missing(f"user namespaces are not allowed here ({error.strerror})") from error
    _furnish("")


def _furnish(side: str) -> None:
    for command in (
        "link set lo up",
        "link add v0 type veth peer name v1",
        f"addr add {ADDRESS}/24 dev v0",
        "link set v0 up",
        "link set v1 up",
    ):
        done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Missing(f"the network namespace could not be furnished: ip {command}: {done.stderr.strip()}")
    os.environ[MARK] = _current() + side


def _current() -> str:
    return str(Path("/proc/thread-self/ns/net").readlink()) if sys.platform == "linux" else ""
