"""What the world knows of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


@frozen
class Facts:
    """What the world knows of a call that has ended, for its record.

    `room`, `room_sid`, `job`, `worker_id`, `dispatch_id`, `agent_name` are LiveKit's, None where there are none.
    `transcript` holds one mapping for each message: `role` ("user", "assistant"), `text`, `time` (seconds since the
    epoch), `interrupted`. `usage` is by model. `latencies` holds one mapping for each turn, in seconds: `total`, and
    what it is made of as far as the models report it. `notes` are sentences that somebody should read. `line_in_doubt`:
    the line was dropped, and somebody may be on it all the same. `dropped_again` is when it was dropped once more (seconds
    since the epoch), where somebody had come back.
    """

    room: str | None = None
    room_sid: str | None = None
    job: str | None = None
    worker_id: str | None = None
    dispatch_id: str | None = None
    agent_name: str | None = None
    participant: str | None = None
    transcript: tuple[Mapping[str, Any], ...] = ()
    usage: Mapping[str, Any] = field(factory=dict)
    latencies: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    line_in_doubt: bool = False
    dropped_again: float | None = None
