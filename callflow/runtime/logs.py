"""What every line of the log says of the call that it comes from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

LOGGED = ("room_sid", "job", "worker_id", "dispatch_id", "agent_name")
"""By which a call is found at LiveKit: made up there, or the program's own, and nothing of it private."""


def log_fields(call: str, flow: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a call's log lines: its id, its flow, and of `facts` (as for `call.<name>`) what may stand in a log."""
    return {"call": call, "flow": flow, **{name: facts[name] for name in LOGGED if facts.get(name)}}


class CallFields(logging.Filter):
    """Adds the fields of the call in which a line is logged; what the line says by itself stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        from callflow.runtime.call import calling

        call = calling()
        for name, value in ({} if call is None else call.log_fields).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True
