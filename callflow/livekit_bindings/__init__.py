"""LiveKit: a room's and a session's callbacks become events, effects become LiveKit calls.

One file holds the map of each kind: `session_events`, `room_events`, `causes` (who ended the line), `verbs` (what an
action does). `private` alone reaches into LiveKit's private parts.
"""

from __future__ import annotations

from callflow.livekit_bindings.binding import bind, run
from callflow.livekit_bindings.watchdog import guard
from callflow.livekit_bindings.world import LiveKitWorld

__all__ = ["LiveKitWorld", "bind", "guard", "run"]
