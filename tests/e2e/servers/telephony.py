"""The programs of a real telephone network, where they are at hand. None of them is built or fetched here."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from attrs import frozen

from tests.e2e.servers import Missing


@frozen
class Programs:
    redis: Path
    bridge: Path
    """livekit-sip: https://github.com/livekit/sip."""
    sipp: Path


def programs() -> Programs:
    """From PATH; the bridge, where it is set, from `CALLFLOW_LIVEKIT_SIP`. Raises `Missing`, which names all that are."""
    bridge = os.environ.get("CALLFLOW_LIVEKIT_SIP", "livekit-sip")
    wanted = {"redis-server": "redis-server", bridge: "livekit-sip (or CALLFLOW_LIVEKIT_SIP)", "sipp": "sipp"}
    found = {name: shutil.which(name) for name in wanted}
    if missing := [told for name, told in wanted.items() if not found[name]]:
        raise Missing(f"there is no {', no '.join(missing)}")
    redis, sip, sipp = (Path(str(path)) for path in found.values())
    return Programs(redis, sip, sipp)
