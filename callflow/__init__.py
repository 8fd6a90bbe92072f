"""callflow: a phone or WebRTC call as a state machine in YAML, on top of livekit-agents.

    flow = callflow.load("flows/inbound.yaml")
    record = await callflow.run(flow, ctx, session, agent=FrontDesk())

Every public name is imported when it is first used: reading and checking a flow needs no LiveKit.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from callflow.version import __version__

if TYPE_CHECKING:
    from callflow.core.events import EffectEnded, Event, TimerFired
    from callflow.core.flow import Flow
    from callflow.core.machine import build_machine
    from callflow.core.snapshot import Cancel, Forward, Note, Snapshot, Start, Step
    from callflow.core.step import start, step
    from callflow.errors import (
        BindError,
        CallEnded,
        CallflowError,
        Defect,
        EffectError,
        FlowFileError,
        JournalError,
        SnapshotError,
        StartError,
    )
    from callflow.livekit_bindings import bind, guard, run
    from callflow.runtime import Call, CallRecord, current_call
    from callflow.verify.loading import load, loads

_HOMES = {
    "callflow.core.events": ("EffectEnded", "Event", "TimerFired"),
    "callflow.core.flow": ("Flow",),
    "callflow.core.machine": ("build_machine",),
    "callflow.core.snapshot": ("Cancel", "Forward", "Note", "Snapshot", "Start", "Step"),
    "callflow.core.step": ("start", "step"),
    "callflow.errors": (
        "BindError",
        "CallEnded",
        "CallflowError",
        "Defect",
        "EffectError",
        "FlowFileError",
        "JournalError",
        "SnapshotError",
        "StartError",
    ),
    "callflow.verify.loading": ("load", "loads"),
    "callflow.livekit_bindings": ("bind", "guard", "run"),
    "callflow.runtime": ("Call", "CallRecord", "current_call"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BindError",
    "Call",
    "CallEnded",
    "CallRecord",
    "CallflowError",
    "Cancel",
    "Defect",
    "EffectEnded",
    "EffectError",
    "Event",
    "Flow",
    "FlowFileError",
    "Forward",
    "JournalError",
    "Note",
    "Snapshot",
    "SnapshotError",
    "Start",
    "StartError",
    "Step",
    "TimerFired",
    "__version__",
    "bind",
    "build_machine",
    "current_call",
    "guard",
    "load",
    "loads",
    "run",
    "start",
    "step",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'callflow' has no attribute {name!r}")
    if name in ("load", "loads") and "livekit.agents" in sys.modules:
        # An agent's program: its jobs import it before there is a caller, who would wait for this import later.
        importlib.import_module("callflow.livekit_bindings")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
