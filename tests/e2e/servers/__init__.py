"""The livekit-server of the tests: built once from its Go module, kept outside the tree."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = "github.com/livekit/livekit-server/cmd/server"


class Missing(Exception):
    """Something that the end-to-end tests need is not on this machine; says what, and how to get it."""


def livekit_server(*, build: bool = True) -> Path:
    """The program's path: `CALLFLOW_LIVEKIT_SERVER`, or one built from `go.mod` and cached under its `go.sum`.

    Building takes about two minutes; processes that ask at the same time wait for one build. Raises `Missing`.
    """
    if given := os.environ.get("CALLFLOW_LIVEKIT_SERVER"):
        if not os.access(given, os.X_OK):
            raise Missing(f"CALLFLOW_LIVEKIT_SERVER is {given}, which is not a program")
        return Path(given)
    program = _cache() / "livekit-server"
    if program.exists():
        return program
    if not build:
        raise Missing("livekit-server has not been built: run `make servers`")
    if shutil.which("go") is None:
        raise Missing(
            "livekit-server is built with Go, and there is no `go`: install it (https://go.dev/dl) and run "
            "`make servers`, or name a livekit-server in CALLFLOW_LIVEKIT_SERVER"
        )
    program.parent.mkdir(parents=True, exist_ok=True)
    with (program.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(program)
    return program


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:16]
    return base / "callflow" / "servers" / key


def _build(program: Path) -> None:
    print("building livekit-server (once, about two minutes) ...", flush=True)
    fresh = program.with_name(f"livekit-server.{os.getpid()}")
    done = subprocess.run(
        ["go", "build", "-o", fresh, PACKAGE], cwd=HERE, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise Missing(f"livekit-server could not be built: {done.stderr.strip().splitlines()[-1:]}; see `make servers`")
    fresh.rename(program)
