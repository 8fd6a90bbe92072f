"""The author's own events from other programs in the room: a data packet on a topic, or an RPC.

Both carry JSON: `{"event": "app.approved", "data": {"by": "Ann"}}`. The event must be one of the flow's `events:`, and
its payload must fit. An RPC answers `ok`, or fails with a sentence that says what is wrong; a packet that does not fit
is logged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from livekit import rtc

from callflow.errors import CallflowError

logger = logging.getLogger("callflow")

TOPIC = "callflow"
"""The topic of data packets."""

METHOD = "callflow.send"
"""The RPC method. Its name is part of the interface to other programs."""

REFUSED = 1400
"""The code of the RpcError for a message that does not fit."""

Send = Callable[[str, Mapping[str, Any]], None]
"""`call.send`: raises CallflowError when the event is not the flow's, or its payload does not fit."""


def read(payload: str | bytes) -> tuple[str, Mapping[str, Any]]:
    """The event's name and payload. Raises ValueError with a sentence."""
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    name = message.get("event") if isinstance(message, dict) else None
    data = message.get("data", {}) if isinstance(message, dict) else None
    if not (isinstance(name, str) and isinstance(data, dict)):
        raise ValueError('a message is {"event": "app.<name>", "data": {…}}')  # noqa: TRY004 - a message of the wrong form
    return name, data


def is_message(packet: Any) -> bool:
    return bool(packet.topic == TOPIC)


def on_packet(packet: Any, send: Send) -> None:
    try:
        send(*read(packet.data))
    except (CallflowError, ValueError) as error:
        logger.warning("a data packet is no event of this flow", extra={"error": str(error)})


def on_rpc(invocation: rtc.RpcInvocationData, send: Send) -> str:
    """Raises RpcError, which the sender gets."""
    try:
        send(*read(invocation.payload))
    except (CallflowError, ValueError) as error:
        raise rtc.RpcError(REFUSED, str(error)) from error
    return "ok"
