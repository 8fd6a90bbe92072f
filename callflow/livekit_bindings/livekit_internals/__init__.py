"""Every place where callflow reaches into what LiveKit keeps for itself: nothing else in the package does.

The names stand in `names.py`. Each function does without what it does not find, so that a LiveKit that has moved a part
costs a refinement and never a call.
"""

from callflow.livekit_bindings.livekit_internals.agents import current_tool_call, hand_on, run_inline, set_own_tools
from callflow.livekit_bindings.livekit_internals.detector import silent_detector, transcript_of, watch_detector
from callflow.livekit_bindings.livekit_internals.job import (
    on_worker_request,
    options_of,
    own_api,
    room_options_of,
    secret_of,
    ssl_context,
    without_failover,
)
from callflow.livekit_bindings.livekit_internals.names import CHECKED, Internal, declared
from callflow.livekit_bindings.livekit_internals.session import (
    abandon,
    cancel_tools,
    handoff_done,
    has_started,
    idle,
    is_half_open,
    is_running,
    is_silent,
    isolated_emit,
    offer_tools,
    silence_now,
    speech_held,
    speech_is_out,
    takes_speech,
    works,
)
from callflow.livekit_bindings.livekit_internals.turns import give_no_turns, give_turns

__all__ = [
    "CHECKED",
    "Internal",
    "abandon",
    "cancel_tools",
    "current_tool_call",
    "declared",
    "give_no_turns",
    "give_turns",
    "hand_on",
    "handoff_done",
    "has_started",
    "idle",
    "is_half_open",
    "is_running",
    "is_silent",
    "isolated_emit",
    "offer_tools",
    "on_worker_request",
    "options_of",
    "own_api",
    "room_options_of",
    "run_inline",
    "secret_of",
    "set_own_tools",
    "silence_now",
    "silent_detector",
    "speech_held",
    "speech_is_out",
    "ssl_context",
    "takes_speech",
    "transcript_of",
    "watch_detector",
    "without_failover",
    "works",
]
